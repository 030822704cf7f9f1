"""A window that begins with the first use after the last one has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.accounts.definition import check_whole
from budget.duration import LONGEST_MS, format_length
from budget.windows.base import Usage, Window


@dataclass(frozen=True, slots=True)
class FirstUse:
    """`length_ms` from the first use on. What still runs when a window ends begins the next one.

    Raises `AccountError` for a length of nothing or of more than ten years.
    """

    length_ms: int
    kind: ClassVar[str] = "first-use"
    zone: ClassVar[str] = "UTC"

    def __post_init__(self) -> None:
        check_whole("the length of a window", self.length_ms, 1, LONGEST_MS)

    def window_at(self, now_ms: int, usage: Usage) -> Window:
        """The window that has begun; one that would begin at `now_ms` if none has."""
        return self._begun(now_ms, usage) or Window(now_ms, now_ms + self.length_ms)

    def next_gain_ms(self, now_ms: int, usage: Usage) -> int | None:
        """The end of the window; None if none has begun: then all of the amount is there."""
        begun = self._begun(now_ms, usage)
        return None if begun is None else begun.end_ms

    def describe(self) -> str:
        return f"in {format_length(self.length_ms)} from the first use"

    def _begun(self, now_ms: int, usage: Usage) -> Window | None:
        start_ms = usage.first_from(0)
        while start_ms is not None and start_ms <= now_ms:
            window = Window(start_ms, start_ms + self.length_ms)
            if now_ms in window:
                return window
            start_ms = usage.first_from(window.end_ms)
        return None
