"""What is queued, in words."""

from __future__ import annotations

from dataclasses import replace

from budget.accounts.limit import UNLIMITED_MS, weekly
from budget.duration import HOUR_MS
from orchestrator.forecasts.forecasting import Queue
from orchestrator.views.budget.queue_words import queue_words
from tests.orchestrator.views.balances import NOW_MS, limit_balance

QUEUE = Queue(
    jobs=3,
    low_ms=3 * HOUR_MS,
    likely_ms=4 * HOUR_MS,
    high_ms=6 * HOUR_MS,
    waiting_ms=3 * HOUR_MS,
    held_ms=2 * HOUR_MS,
    wall_ms=5 * HOUR_MS,
)


def test_what_is_queued_has_an_end_and_leaves_something() -> None:
    limit = limit_balance(settled_ms=18 * HOUR_MS, reserved_ms=2 * HOUR_MS)  # 10 h free
    assert queue_words(QUEUE, limit, NOW_MS) == (
        "3 jobs, over about Mon 23 Nov 2026 07:00 UTC with 8.00 h left (6.00–9.00)"
    )


def test_what_will_not_be_enough_is_said() -> None:
    limit = limit_balance(settled_ms=27 * HOUR_MS, reserved_ms=2 * HOUR_MS)
    assert queue_words(QUEUE, limit, NOW_MS).endswith("07:00 UTC; 1.00 h are missing")


def test_one_job_of_a_known_length_has_no_range_and_without_limit_nothing_is_left() -> None:
    sure = replace(QUEUE, jobs=1, low_ms=4 * HOUR_MS, high_ms=4 * HOUR_MS)
    assert queue_words(sure, limit_balance(), NOW_MS).endswith("with 28.00 h left")
    unlimited = limit_balance(limit=weekly(UNLIMITED_MS), amount_ms=UNLIMITED_MS)
    assert queue_words(sure, unlimited, NOW_MS) == "1 job, over about Mon 23 Nov 2026 07:00 UTC"
