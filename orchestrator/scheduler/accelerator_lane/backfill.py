"""Who may start before a larger job that waits: EASY backfill, over devices and over hours. Pure.

The first job in the order that cannot start has a *shadow*: the time at which it can. Of the jobs
behind it only those may start that leave this time where it is. What devices cost it is known,
since a shim holds every deadline; hours may also come back early, when a job needs less than its
limit. They may be used by others for `OVERTAKEN_MS` after the first one has passed by; from then on
they are kept for the one that waits.

    D. Lifka, The ANL/IBM SP Scheduling System, 1995
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from budget.ledger.balance import LimitBalance

OVERTAKEN_MS = 12 * 3_600_000
"""How long jobs may use hours that the blocked one could have had."""

Pass = Literal["no", "yes", "overtakes"]
"""`overtakes`: allowed, at the expense of the one that waits; its patience is counted."""


@dataclass(frozen=True)
class Holding:
    """Devices that somebody has now."""

    devices: int
    until_ms: int | None
    """Its deadline; None where that is over and nobody knows when they come back."""


@dataclass(frozen=True)
class Shadow:
    """When a job gets its devices, and how many are left beside it then."""

    at_ms: int | None
    """None: nobody knows."""
    spare: int


def shadow_of(wanted: int, free: int, holdings: Iterable[Holding]) -> Shadow:
    """When `wanted` devices are free at the latest, with `free` ones now."""
    known = sorted((h for h in holdings if h.until_ms is not None), key=lambda h: h.until_ms or 0)
    for holding in known:
        free += holding.devices
        if free >= wanted:
            return Shadow(holding.until_ms, free - wanted)
    return Shadow(None, 0)


def may_use_devices(shadow: Shadow, wanted: int, wall_ms: int, now_ms: int) -> bool:
    """Whether a job that keeps `wanted` devices for `wall_ms` leaves the shadow where it is."""
    if shadow.at_ms is None:
        return True
    return now_ms + wall_ms <= shadow.at_ms or wanted <= shadow.spare


@dataclass(frozen=True)
class Shortage:
    """A job that waits for hours of one limit. All amounts are the account's milliseconds."""

    needed_ms: int
    free_ms: int
    returning_ms: int
    """What jobs that run now have reserved and not used: it comes back if they end early."""
    whole_ms: int
    """What a fresh window has."""
    gain_ms: int | None
    """When hours come back by themselves."""
    renews: bool
    """At `gain_ms` all of the window begins anew, and not some of its hours fall out of it."""
    overtaken_ms: int | None
    """Since when others have passed by at its expense."""

    def may_use_hours(self, cost_ms: int, wall_ms: int, now_ms: int) -> Pass:
        """Whether a job that comes later may have `cost_ms` of them now."""
        could_start_early = self.free_ms + self.returning_ms >= self.needed_ms
        if self.gain_ms is not None and self.renews:
            over_by_then = now_ms + wall_ms <= self.gain_ms
            beside_it = self.needed_ms + self.returning_ms + cost_ms <= self.whole_ms
            if not (over_by_then or beside_it):
                return "no"
            if not could_start_early:
                return "yes"
        elif self.gain_ms is None and not could_start_early:
            return "yes"  # only a grant helps it, and nobody knows of one
        patient = self.overtaken_ms is None or now_ms < self.overtaken_ms + OVERTAKEN_MS
        return "overtakes" if patient else "no"


def enough_ms(
    refusing: LimitBalance, needed_ms: int, gain_ms: int | None, rate_milli: int
) -> int | None:
    """When enough may have come back, at the soonest, where hours are used at `rate_milli`.

    A rolling window gives back what was used as slowly as it was used: its first millisecond,
    which comes at `gain_ms`, is of no use to anybody.
    """
    if gain_ms is None or refusing.limit.window.kind != "rolling":
        return gain_ms
    return gain_ms + (needed_ms - refusing.free_ms) * 1_000 // rate_milli
