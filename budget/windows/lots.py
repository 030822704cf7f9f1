"""Amounts that were granted or bought one by one, each with an expiry of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from budget.accounts.definition import check_whole
from budget.duration import format_length
from budget.windows.base import ALWAYS, Usage, Window


@dataclass(frozen=True, slots=True)
class Lots:
    """The amounts come from lots (`budget.ledger.lot`); nothing comes back by itself.

    `lifetime_ms` is after how long the provider lets a lot expire, None: never. Each lot has its
    own expiry; this is what a grant is proposed.
    """

    lifetime_ms: int | None = None
    kind: ClassVar[str] = "lots"
    zone: ClassVar[str] = "UTC"

    def __post_init__(self) -> None:
        if self.lifetime_ms is not None:
            check_whole("the lifetime of a lot", self.lifetime_ms, 1)

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """All time."""
        return ALWAYS

    def next_gain_ms(self, now_ms: int, usage: Usage | None = None) -> int | None:
        """None: somebody has to grant or buy more."""
        return None

    def describe(self) -> str:
        if self.lifetime_ms is None:
            return "in lots"
        return f"in lots of {format_length(self.lifetime_ms)}"
