"""One amount for good: a grant that nothing renews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.windows.base import ALWAYS, Usage, Window


@dataclass(frozen=True, slots=True)
class Unbounded:
    """All that was ever used counts."""

    kind: ClassVar[str] = "unbounded"
    zone: ClassVar[str] = "UTC"

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """All time."""
        return ALWAYS

    def next_gain_ms(self, now_ms: int, usage: Usage | None = None) -> int | None:
        """None: nothing comes back."""
        return None

    def describe(self) -> str:
        return "in all"
