"""What a limit's amount is made of, as lines and as cells of a bar. Pure, and without a toolkit."""

from __future__ import annotations

from dataclasses import dataclass

from budget.amount import format_amount
from budget.duration import HOUR_MS, format_clock
from budget.ledger.balance import LimitBalance

MARKS = {
    "settled": "█",
    "in flight": "▓",
    "reserved": "▒",
    "foreign": "▚",
    "kept back": "▤",
    "free": "░",
}
"""A part of a bar is told by its mark as well as by its colour."""

ALWAYS = ("settled", "in flight", "reserved", "free")
"""Parts that are named also when they are nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the amount; `amount_ms` may be negative for what is free."""

    name: str
    amount_ms: int

    @property
    def mark(self) -> str:
        return MARKS[self.name]


def parts_of(limit: LimitBalance) -> tuple[Part, ...]:
    """All parts in the order of the bar; they add up to the amount. Free is the last one."""
    return (
        Part("settled", limit.settled_ms),
        Part("in flight", limit.in_flight_ms),
        Part("reserved", limit.reserved_ms),
        Part("foreign", limit.foreign_ms),
        Part("kept back", limit.kept_back_ms),
        Part("free", limit.free_ms),
    )


def shown_parts(limit: LimitBalance) -> tuple[Part, ...]:
    """Those that a screen names: what is foreign or kept back only where there is some."""
    return tuple(part for part in parts_of(limit) if part.amount_ms or part.name in ALWAYS)


def shown_amount(amount_ms: int, limit: LimitBalance, *, exact: bool = False) -> str:
    """In the unit of the limit; in minutes where the whole amount is less than an hour."""
    if not exact and limit.unit != "credit" and 0 < limit.amount_ms < HOUR_MS:
        return format_clock(amount_ms)
    return format_amount(amount_ms, limit.unit, exact=exact)


def cells_of(limit: LimitBalance, width: int) -> dict[str, int]:
    """Cells of each part of a bar: never none for a part that is not zero, and `width` in all."""
    taken = parts_of(limit)[:-1]
    whole_ms = max(limit.amount_ms, sum(part.amount_ms for part in taken), 1)
    if limit.limit.unlimited:
        whole_ms = max(1, sum(part.amount_ms for part in taken)) * 4
    cells = {}
    left = width
    for part in taken:
        share = round(width * part.amount_ms / whole_ms)
        cells[part.name] = min(left, max(share, 1 if part.amount_ms > 0 else 0))
        left -= cells[part.name]
    return {**cells, "free": left}
