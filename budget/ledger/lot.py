"""Lots: amounts that were granted or bought one by one, each with an expiry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from budget.instant import LATEST_MS
from budget.windows.base import Usage


@dataclass(frozen=True, slots=True)
class Lot:
    """`amount_ms` of `account` to use from `granted_ms` (inside) to `expires_ms` (outside).

    `expires_ms` None: it stays for good. `reason` is what it was for, `noted_ms` when that was
    written down.
    """

    id: str
    account: str
    amount_ms: int
    granted_ms: int
    expires_ms: int | None
    reason: str
    noted_ms: int

    @property
    def end_ms(self) -> int:
        """First instant at which it is gone."""
        return LATEST_MS + 1 if self.expires_ms is None else self.expires_ms


@dataclass(frozen=True, slots=True)
class LotsLeft:
    """What use has left of the lots: granted + debt = used + lost + live left + expired.

    `left_ms` is by id of the lots that live now. `debt_ms` was used beyond all of them: the next
    lot pays it first. `expired_ms` went unused with its lot. `lost_ms` was given back when no lot
    lived that it could go to.
    """

    left_ms: Mapping[str, int]
    debt_ms: int
    expired_ms: int
    lost_ms: int

    @property
    def free_ms(self) -> int:
        """What all live lots have left; negative with a debt."""
        return sum(self.left_ms.values()) - self.debt_ms


def lots_left(
    lots: Iterable[Lot], usage: Usage, now_ms: int, until_ms: int | None = None
) -> LotsLeft:
    """The lots as they stand at `now_ms`, after all use before `until_ms` (`now_ms` unless said).

    What is used is taken from the lots that live at that time, soonest expiry first. What is given
    back (a negative use) pays the debt, then fills the live lots up again, latest expiry first.
    """
    order = sorted(lots, key=lambda lot: (lot.end_ms, lot.granted_ms, lot.id))
    edges = {edge_ms for lot in order for edge_ms in (lot.granted_ms, lot.end_ms)}
    left_ms: dict[str, int] = {}
    debt_ms = expired_ms = lost_ms = 0
    from_ms = 0
    for edge_ms in sorted(edge_ms for edge_ms in edges if edge_ms <= now_ms):
        live = [lot for lot in order if lot.id in left_ms]
        debt_ms, lost = _pay(live, left_ms, debt_ms + usage.between(from_ms, edge_ms))
        lost_ms += lost
        for lot in order:
            if lot.end_ms == edge_ms:
                expired_ms += left_ms.pop(lot.id, 0)
            elif lot.granted_ms == edge_ms:
                left_ms[lot.id] = lot.amount_ms
        from_ms = edge_ms
    live = [lot for lot in order if lot.id in left_ms]
    rest_ms = usage.between(from_ms, now_ms if until_ms is None else until_ms)
    debt_ms, lost = _pay(live, left_ms, debt_ms + rest_ms)
    return LotsLeft(left_ms, debt_ms, expired_ms, lost_ms + lost)


def _pay(live: list[Lot], left_ms: dict[str, int], due_ms: int) -> tuple[int, int]:
    """Take `due_ms` from the live lots, or give it back if it is negative.

    Returned is what they do not have, and what they have no room for.
    """
    if due_ms < 0:
        return 0, _give_back(live, left_ms, -due_ms)
    return _take(live, left_ms, due_ms), 0


def _take(live: list[Lot], left_ms: dict[str, int], amount_ms: int) -> int:
    """Take `amount_ms` from the live lots in their order; what they do not have is returned."""
    for lot in live:
        taken_ms = min(left_ms[lot.id], amount_ms)
        left_ms[lot.id] -= taken_ms
        amount_ms -= taken_ms
    return amount_ms


def _give_back(live: list[Lot], left_ms: dict[str, int], amount_ms: int) -> int:
    """Fill the live lots up against their order; what has no room is returned."""
    for lot in reversed(live):
        given_ms = min(lot.amount_ms - left_ms[lot.id], amount_ms)
        left_ms[lot.id] += given_ms
        amount_ms -= given_ms
    return amount_ms
