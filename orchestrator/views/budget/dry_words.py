"""When a limit has nothing left if it goes on being used as it was so far. Pure."""

from __future__ import annotations

from budget.amount import format_amount
from budget.duration import DAY_MS, HOUR_MS
from budget.forecasts.dry import dry_at_ms, mean_rate_milli
from budget.instant import format_instant
from budget.ledger.balance import LimitBalance

SOONEST_MS = HOUR_MS
"""A rate of less than an hour says nothing about a week."""


def dry_words(limit: LimitBalance, now_ms: int, *, queued: bool = False) -> str:
    """ "at 3.10 h a day nothing is left from Thu …", or what will be left over; "" if unknown.

    Where something is `queued`, that says better than the use so far what will be left over.
    """
    rate_milli = mean_rate_milli(limit, now_ms)
    if now_ms - limit.window.start_ms < SOONEST_MS or rate_milli <= 0 or limit.limit.unlimited:
        return ""
    if limit.free_ms <= 0:
        return ""
    rate = f"at {format_amount(rate_milli * DAY_MS // 1_000, limit.unit)} a day, as so far,"
    zone = limit.limit.window.zone
    dry_ms = dry_at_ms(limit, now_ms, rate_milli)
    if dry_ms is not None:
        return f"{rate} nothing is left from {format_instant(dry_ms, zone)}"
    if queued or limit.next_gain_ms is None or limit.limit.window.kind == "rolling":
        return ""
    left_ms = limit.free_ms - rate_milli * (limit.next_gain_ms - now_ms) // 1_000
    return f"{rate} {format_amount(left_ms, limit.unit)} will be left over"
