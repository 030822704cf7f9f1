"""Holds: no new job starts, on an account, in a lane, or at all. What runs goes on.

A hold is a fact about the store and belongs to no run; it stands until somebody releases it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.events.event import Event
from orchestrator.graph import Lane

HELD = "held"
"""The reason code of a job that could start but for a hold."""
HeldLane = Literal["", "cpu", "accelerator"]


@dataclass(frozen=True)
class Hold:
    account: str
    """Empty: every account."""
    lane: HeldLane
    """Empty: both lanes."""
    accounts: tuple[str, ...]
    """The account and those below it; empty where every account is meant."""
    reason: str
    """What the person said; may be empty."""
    by: str
    since_ms: int


@dataclass(frozen=True, kw_only=True)
class HoldSet(Event):
    """Nothing new starts where it holds. `run` is empty."""

    account: str
    lane: HeldLane
    accounts: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, kw_only=True)
class HoldWidened(Event):
    """Accounts were added below the one that is held: they are held with it. `run` is empty."""

    account: str
    lane: HeldLane
    accounts: tuple[str, ...]
    """All that it covers now."""


@dataclass(frozen=True, kw_only=True)
class HoldReleased(Event):
    """That hold is over. `run` is empty."""

    account: str
    lane: HeldLane
    by: str


def with_hold(holds: Iterable[Hold], event: HoldSet) -> tuple[Hold, ...]:
    """The holds after `event`; one of the same account and lane is replaced."""
    new = Hold(event.account, event.lane, event.accounts, event.reason, event.by, event.at_ms)
    return (*without_hold(holds, event), new)


def with_wider(holds: Iterable[Hold], event: HoldWidened) -> tuple[Hold, ...]:
    """The holds, that of the account and lane of `event` with its accounts."""
    meant = (event.account, event.lane)
    return tuple(
        replace(hold, accounts=event.accounts) if (hold.account, hold.lane) == meant else hold
        for hold in holds
    )


def without_hold(holds: Iterable[Hold], event: HoldSet | HoldReleased) -> tuple[Hold, ...]:
    """The holds without that of the account and lane of `event`."""
    gone = (event.account, event.lane)
    return tuple(hold for hold in holds if (hold.account, hold.lane) != gone)


def holding(holds: Iterable[Hold], account: str | None, lane: Lane) -> Hold | None:
    """The hold that keeps jobs of this lane back in runs of this account, the oldest first.

    A hold of an account is about what it pays for: CPU work goes on unless its lane is named.
    """
    for hold in holds:
        if hold.lane not in ("", lane):
            continue
        if not hold.account or (account in hold.accounts and (hold.lane or lane == "accelerator")):
            return hold
    return None
