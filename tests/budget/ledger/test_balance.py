from __future__ import annotations

from dataclasses import replace

from budget.accounts.limit import weekly
from budget.ledger.balance import Balance, LimitBalance
from budget.windows import Window

WINDOW = Window(1000, 2000)
LOOSE = LimitBalance(
    "acc",
    weekly(900),
    WINDOW,
    amount_ms=900,
    settled_ms=10,
    in_flight_ms=0,
    reserved_ms=0,
    next_gain_ms=2000,
    whole_ms=900,
)
TIGHT = replace(
    LOOSE, account="parent", amount_ms=100, in_flight_ms=20, reserved_ms=30, whole_ms=100
)


def test_the_parts_add_up_to_the_amount() -> None:
    limit = replace(TIGHT, foreign_ms=5, kept_back_ms=7)
    assert limit.used_ms == 10 + 20 + 30 + 5
    assert limit.free_ms == 100 - limit.used_ms - 7


def test_an_overrun_leaves_less_than_nothing() -> None:
    assert replace(LOOSE, settled_ms=901).free_ms == -1


def test_the_tightest_limit_is_the_one_that_is_shown() -> None:
    limit = replace(TIGHT, foreign_ms=5, kept_back_ms=7, next_gain_ms=1500)
    balance = Balance("acc", (LOOSE, limit))
    assert balance.tightest is limit
    assert (balance.amount_ms, balance.settled_ms, balance.in_flight_ms) == (100, 10, 20)
    assert (balance.reserved_ms, balance.foreign_ms, balance.kept_back_ms) == (30, 5, 7)
    assert (balance.free_ms, balance.next_gain_ms) == (28, 1500)
    assert balance.window == WINDOW


def test_no_more_than_the_smallest_whole_window_can_ever_be_reserved() -> None:
    assert Balance("acc", (LOOSE, TIGHT)).whole_ms == 100


def test_what_fits_is_refused_by_no_limit() -> None:
    assert Balance("acc", (LOOSE, TIGHT)).refusing(40) is None


def test_of_several_refusing_limits_it_is_the_one_to_wait_for_longest() -> None:
    later = replace(LOOSE, settled_ms=890, next_gain_ms=5000)
    balance = Balance("acc", (LOOSE, TIGHT, later))
    assert balance.refusing(50) is later
    never = replace(LOOSE, settled_ms=890, next_gain_ms=None)
    assert Balance("acc", (never, TIGHT, later)).refusing(50) is never
    assert Balance("acc", (later, TIGHT)).refusing(101) is TIGHT


def test_what_will_be_reserved_is_less_that_is_free_and_changes_nothing_else() -> None:
    limit = replace(TIGHT, foreign_ms=5, kept_back_ms=7, unit="session")
    assert limit.reserving(11) == replace(limit, reserved_ms=41)
    assert limit.reserving(11).free_ms == limit.free_ms - 11
