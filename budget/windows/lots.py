"""Amounts that were granted or bought one by one, each with an expiry of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.windows.base import ALWAYS, Usage, Window


@dataclass(frozen=True, slots=True)
class Lots:
    """The amounts come from lots (`budget.lot`); nothing comes back by itself."""

    kind: ClassVar[str] = "lots"
    zone: ClassVar[str] = "UTC"

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """All time."""
        return ALWAYS

    def next_gain_ms(self, now_ms: int, usage: Usage | None = None) -> None:
        """None: somebody has to grant or buy more."""
        return None

    def describe(self) -> str:
        return "in lots that expire"
