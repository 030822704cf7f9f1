"""The lots of an account together: what they hold after all use, and what the provider says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budget.instant import LATEST_MS
from budget.ledger.lot import Lot, lots_left
from budget.ledger.reading import Reading
from budget.windows.base import Usage


@dataclass(frozen=True, slots=True)
class Purse:
    """`amount_ms` was granted in the lots that live, `left_ms` of it is left (negative after an
    overrun), and others used `foreign_ms` of it."""

    amount_ms: int
    left_ms: int
    foreign_ms: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """Use with what others used, at the instant at which that was read."""

    usage: Usage
    others_ms: int = 0
    read_at_ms: int = 0

    def between(self, start_ms: int, end_ms: int) -> int:
        others_ms = self.others_ms if start_ms <= self.read_at_ms < end_ms else 0
        return self.usage.between(start_ms, end_ms) + others_ms

    def first_from(self, at_ms: int) -> int | None:
        return self.usage.first_from(at_ms)


def purse_at(
    now_ms: int,
    lots: Sequence[Lot],
    usage: Usage,
    newest: Reading | None,
    *,
    known: Usage,
    lifetime_ms: int | None,
) -> Purse:
    """What the lots hold at `now_ms` after `usage`, which may be a part of all that is `known`.

    Where the provider said in its `newest` reading that less was left than the ledger knew, others
    have used it; where it said that more was left, the rest is a lot of its own. When that was
    bought nobody knows: `lifetime_ms` after the reading it is gone at the latest.
    """
    if newest is None or newest.allowed_ms is None:
        return _purse(now_ms, lots, _Counted(usage), 0)
    at_ms = min(newest.at_ms, now_ms)  # a clock that was set back does not unsay it
    left_ms = lots_left(lots, known, at_ms).free_ms
    others_ms = left_ms - (newest.allowed_ms - newest.used_ms)
    if others_ms < 0:
        said = "said by the provider"
        expires_ms = None if lifetime_ms is None else at_ms + lifetime_ms
        lots = [*lots, Lot(said, "", -others_ms, at_ms, expires_ms, said, at_ms)]
    foreign_ms = max(0, others_ms)
    return _purse(now_ms, lots, _Counted(usage, foreign_ms, at_ms), foreign_ms)


def _purse(now_ms: int, lots: Sequence[Lot], counted: _Counted, foreign_ms: int) -> Purse:
    # What was booked ahead of now counts too: a clock that was set back forgives nothing.
    left = lots_left(lots, counted, now_ms, LATEST_MS + 1)
    amount_ms = sum(lot.amount_ms for lot in lots if lot.id in left.left_ms)
    return Purse(amount_ms, left.free_ms, max(0, min(foreign_ms, amount_ms - left.free_ms)))
