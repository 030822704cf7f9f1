"""When an account runs dry at the rate it is being used. Pure."""

from __future__ import annotations

from budget.ledger.balance import LimitBalance


def mean_rate_milli(limit: LimitBalance, now_ms: int) -> int:
    """What was used per millisecond since the window began, in thousandths of a weighted one.

    0 where the window has no beginning to count from, as that of lots has none.
    """
    elapsed_ms = now_ms - limit.window.start_ms
    if limit.window.start_ms <= 0 or elapsed_ms <= 0:
        return 0
    return (limit.settled_ms + limit.in_flight_ms + limit.foreign_ms) * 1_000 // elapsed_ms


def dry_at_ms(limit: LimitBalance, now_ms: int, rate_milli: int) -> int | None:
    """When `limit` has nothing left if `rate_milli` goes on; None if hours come back before that.

    `now_ms` where nothing is left already. What is reserved counts as used, so that this is when
    nothing more can be reserved. ValueError for a negative rate.
    """
    if rate_milli < 0:
        raise ValueError("hours are not given back by using them")
    if limit.free_ms <= 0:
        return now_ms
    if not rate_milli:
        return None
    at_ms = now_ms + -(-limit.free_ms * 1_000 // rate_milli)
    return at_ms if limit.next_gain_ms is None or at_ms < limit.next_gain_ms else None
