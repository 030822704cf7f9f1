"""What is queued on an account, when it will be over, and what it will leave. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.instant import format_instant
from budget.ledger.balance import LimitBalance

if TYPE_CHECKING:
    from orchestrator.forecasts.forecasting import Queue


def queue_words(queue: Queue, limit: LimitBalance, now_ms: int) -> str:
    """ "3 jobs, over about Thu 26 Nov 2026 03:10 UTC with 4.00 h left (2.90–4.90)".

    What is left is of the present window, hours that come back meanwhile not counted.
    """
    jobs = "1 job" if queue.jobs == 1 else f"{queue.jobs} jobs"
    at = format_instant(now_ms + queue.wall_ms, limit.limit.window.zone)
    words = f"{jobs}, over about {at}"
    if limit.limit.unlimited:
        return words
    left_ms, least_ms, most_ms = (
        limit.free_ms + queue.held_ms - used_ms
        for used_ms in (queue.likely_ms, queue.high_ms, queue.low_ms)
    )
    least, most = _bare(least_ms, limit), _bare(most_ms, limit)
    between = f" ({least}–{most})" if least != most else ""
    if left_ms < 0:
        return f"{words}; {format_amount(-left_ms, limit.unit)} are missing"
    return f"{words} with {format_amount(left_ms, limit.unit)} left{between}"


def _bare(ms: int, limit: LimitBalance) -> str:
    """Without its unit."""
    return format_amount(ms, limit.unit).split()[0]
