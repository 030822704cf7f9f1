"""When the hours end, in words."""

from __future__ import annotations

from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.duration import DAY_MS, HOUR_MS
from budget.windows import Lots, Rolling
from orchestrator.views.budget.dry_words import dry_words
from tests.orchestrator.views.balances import NOW_MS, account, balance, limit_balance
from tests.orchestrator.worlds import SATURDAY_MS


def test_an_account_that_is_used_fast_runs_dry_before_its_reset() -> None:
    limit = limit_balance(settled_ms=20 * HOUR_MS)  # in 50 h, so the last 10 h go in 25 h
    assert dry_words(limit, NOW_MS) == (
        "at 9.60 h a day, as so far, nothing is left from Tue 24 Nov 2026 03:00 UTC"
    )


def test_an_account_that_is_used_slowly_has_something_left_over() -> None:
    limit = limit_balance(settled_ms=5 * HOUR_MS)  # 0.1 an hour, and 118 h to go
    assert dry_words(limit, NOW_MS) == ("at 2.40 h a day, as so far, 13.20 h will be left over")
    assert dry_words(limit, NOW_MS, queued=True) == ""


def test_what_others_used_is_used_too() -> None:
    limit = limit_balance(settled_ms=10 * HOUR_MS, foreign_ms=10 * HOUR_MS)
    assert "nothing is left from Tue 24 Nov 2026 03:00 UTC" in dry_words(limit, NOW_MS)


def test_nothing_is_said_of_a_rate_that_nobody_knows() -> None:
    used = limit_balance(settled_ms=HOUR_MS)
    assert dry_words(used, SATURDAY_MS + HOUR_MS - 1) == ""
    assert dry_words(limit_balance(), NOW_MS) == ""
    assert dry_words(limit_balance(settled_ms=30 * HOUR_MS), NOW_MS) == ""
    unlimited = limit_balance(
        limit=weekly(UNLIMITED_MS), amount_ms=UNLIMITED_MS, settled_ms=HOUR_MS
    )
    assert dry_words(unlimited, NOW_MS) == ""
    lots = balance(account(Limit(30 * HOUR_MS, Lots(), "lots")), used_h=1).limits[0]
    assert dry_words(lots, NOW_MS) == ""


def test_a_rolling_window_says_only_when_it_is_empty() -> None:
    rule = Limit(30 * HOUR_MS, Rolling(7 * DAY_MS), "rolling")
    slow, fast = (balance(account(rule), used_h=hours).limits[0] for hours in (2, 29))
    assert dry_words(slow, NOW_MS) == ""
    assert "nothing is left from" in dry_words(fast, NOW_MS)
