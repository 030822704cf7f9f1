"""When an account runs dry."""

from __future__ import annotations

import pytest

from budget.accounts.limit import weekly
from budget.duration import DAY_MS, HOUR_MS
from budget.forecasts.dry import dry_at_ms, mean_rate_milli
from budget.ledger.balance import LimitBalance
from budget.windows import Window

START_MS = 1_795_219_200_000
WEEK = Window(START_MS, START_MS + 7 * DAY_MS)


def limit(settled_ms: int, gain_ms: int | None = WEEK.end_ms) -> LimitBalance:
    return LimitBalance(
        account="lab",
        limit=weekly(30 * HOUR_MS),
        window=WEEK,
        amount_ms=30 * HOUR_MS,
        settled_ms=settled_ms,
        in_flight_ms=0,
        reserved_ms=0,
        next_gain_ms=gain_ms,
        whole_ms=30 * HOUR_MS,
    )


def test_the_mean_rate_is_what_was_used_over_the_time_since_the_window_began() -> None:
    assert mean_rate_milli(limit(12 * HOUR_MS), START_MS + 2 * DAY_MS) == 250
    assert mean_rate_milli(limit(0), START_MS + 2 * DAY_MS) == 0
    assert mean_rate_milli(limit(HOUR_MS), START_MS) == 0


def test_it_runs_dry_when_what_is_free_is_used_up_at_that_rate() -> None:
    now_ms = START_MS + 2 * DAY_MS
    assert dry_at_ms(limit(24 * HOUR_MS), now_ms, 500) == now_ms + 12 * HOUR_MS
    assert dry_at_ms(limit(30 * HOUR_MS - 1), now_ms, 300) == now_ms + 4  # the instant is whole


def test_it_does_not_run_dry_where_hours_come_back_first() -> None:
    now_ms = START_MS + 6 * DAY_MS
    assert dry_at_ms(limit(24 * HOUR_MS), now_ms, 250) is None  # 24 h to go, and 24 h to the reset
    assert dry_at_ms(limit(24 * HOUR_MS), now_ms, 251) is not None
    assert dry_at_ms(limit(24 * HOUR_MS, None), now_ms, 250) == now_ms + DAY_MS
    assert dry_at_ms(limit(0), now_ms, 0) is None


def test_an_overdrawn_account_is_dry_now() -> None:
    """Edge 30: a negative balance."""
    assert dry_at_ms(limit(31 * HOUR_MS), START_MS + 5, 0) == START_MS + 5


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="given back"):
        dry_at_ms(limit(0), START_MS, -1)
