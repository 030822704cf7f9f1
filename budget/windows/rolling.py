"""The last so many hours, at every moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.accounts.definition import check_whole
from budget.duration import LONGEST_MS, format_length
from budget.windows.base import Usage, Window


@dataclass(frozen=True, slots=True)
class Rolling:
    """No span of `length_ms`, wherever it begins, may hold more than the amount.

    Raises `AccountError` for a length of nothing or of more than ten years.
    """

    length_ms: int
    kind: ClassVar[str] = "rolling"
    zone: ClassVar[str] = "UTC"

    def __post_init__(self) -> None:
        check_whole("the length of a rolling window", self.length_ms, 1, LONGEST_MS)

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """All that shares some span of the length with `now_ms`.

        That is also what was booked ahead of `now_ms`: a clock that was set back forgives nothing.
        """
        return Window(max(0, now_ms + 1 - self.length_ms), now_ms + self.length_ms)

    def next_gain_ms(self, now_ms: int, usage: Usage) -> int | None:
        """When the oldest use in the window begins to fall out; None if there is none."""
        oldest_ms = usage.first_from(self.window_at(now_ms).start_ms)
        return None if oldest_ms is None else oldest_ms + self.length_ms

    def describe(self) -> str:
        return f"in any {format_length(self.length_ms)}"
