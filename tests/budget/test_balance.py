from __future__ import annotations

from budget.balance import Balance, LimitBalance, limit_balance, used_in
from budget.limit import weekly
from budget.line import Reservation, Span
from budget.windows import Window

WINDOW = Window(1000, 2000)
LIMIT = weekly(900)


def reserved(amount_ms: int, start_ms: int | None, rate: int = 1) -> Reservation:
    return Reservation("a", "acc", "run", rate, rate, amount_ms, 0, None, start_ms, None)


def test_a_run_across_a_reset_is_split_at_the_instant() -> None:
    span = Span(900, 1151, 3, 753)
    assert (used_in(span, Window(0, 1000)), used_in(span, WINDOW)) == (300, 453)


def test_a_run_across_two_resets_has_a_part_in_each_of_three_windows() -> None:
    span = Span(999, 2001, 1, 1002)
    windows = (Window(0, 1000), WINDOW, Window(2000, 3000))
    assert [used_in(span, window) for window in windows] == [1, 1000, 1]


def test_the_parts_add_up_to_the_amount() -> None:
    balance = limit_balance(
        LIMIT,
        WINDOW,
        1200,
        inside_ms=50,
        crossing=[Span(990, 1010, 1, 20)],
        reservations=[reserved(400, 1100), reserved(100, None)],
    )
    assert balance == LimitBalance(LIMIT, WINDOW, settled_ms=60, in_flight_ms=100, reserved_ms=400)
    assert balance.free_ms == 900 - 60 - 100 - 400


def test_what_ran_before_the_reset_is_not_in_flight_after_it_and_the_rest_is_reserved() -> None:
    balance = limit_balance(
        LIMIT, WINDOW, 1100, inside_ms=0, crossing=[], reservations=[reserved(600, 800, rate=2)]
    )
    # 2 x 200 ms before the reset, the last 200 of 600 device-ms since.
    assert (balance.in_flight_ms, balance.reserved_ms) == (200, 0)
    balance = limit_balance(
        LIMIT, WINDOW, 1000, inside_ms=0, crossing=[], reservations=[reserved(600, 800, rate=2)]
    )
    assert (balance.in_flight_ms, balance.reserved_ms) == (0, 200)


def test_an_overrun_leaves_less_than_nothing() -> None:
    balance = limit_balance(LIMIT, WINDOW, 1500, inside_ms=901, crossing=[], reservations=[])
    assert balance.free_ms == -1


def test_the_tightest_limit_is_the_one_that_is_shown() -> None:
    loose = LimitBalance(LIMIT, WINDOW, settled_ms=10, in_flight_ms=0, reserved_ms=0)
    tight = LimitBalance(weekly(100), WINDOW, settled_ms=10, in_flight_ms=20, reserved_ms=30)
    balance = Balance("acc", (loose, tight))
    assert balance.tightest is tight
    assert (balance.amount_ms, balance.settled_ms, balance.in_flight_ms) == (100, 10, 20)
    assert (balance.reserved_ms, balance.foreign_ms, balance.free_ms) == (30, 0, 40)
    assert balance.window == WINDOW
