"""Each session has the whole amount, whatever was used before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.windows.base import Usage, Window


@dataclass(frozen=True, slots=True)
class PerSession:
    """Only what a session asks for itself counts: it is compared with the amount, never summed."""

    kind: ClassVar[str] = "per-session"
    zone: ClassVar[str] = "UTC"

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """The present instant: nothing that was used before is in it."""
        return Window(now_ms, now_ms + 1)

    def next_gain_ms(self, now_ms: int, usage: Usage | None = None) -> int | None:
        """None: waiting gives a session no more."""
        return None

    def describe(self) -> str:
        return "a session"
