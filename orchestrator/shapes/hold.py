"""A hold, as several commands tell it."""

from __future__ import annotations

from orchestrator.events.holding import Hold as Kept
from orchestrator.shapes.shape import instant, shape


@shape
class Hold:
    """No new job starts while it stands."""

    account: str
    """Empty: every account."""
    lane: str
    """cpu or accelerator; empty: both."""
    reason: str
    by: str
    since: str


def hold_shape(hold: Kept) -> Hold:
    return Hold(hold.account, hold.lane, hold.reason, hold.by, instant(hold.since_ms))
