"""Windows of every kind, seen through the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.accounts.account import Account, Machine
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import Ledger, OverBudget
from budget.ledger.balance import LimitBalance
from budget.windows import (
    Calendar,
    FirstUse,
    Lots,
    PerSession,
    Rolling,
    Unbounded,
    Window,
    WindowRule,
)
from tests.budget.usages import at

NEW_YORK = Calendar("week", "sun", "01:30", "America/New_York")
SUN_1_NOV = at("2026-11-01T01:30-04:00")
"""01:30 comes twice on that day; the reset is at the first."""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        yield opened


def account(*limits: Limit, name: str = "acc") -> Account:
    return Account(name, "machine", "local", limits)


def only(ledger: Ledger, now_ms: int, name: str = "acc") -> LimitBalance:
    (limit,) = ledger.balance(name, now_ms).limits
    parts = limit.settled_ms + limit.in_flight_ms + limit.reserved_ms + limit.foreign_ms
    assert parts + limit.kept_back_ms + limit.free_ms == limit.amount_ms
    return limit


def reserve(ledger: Ledger, id: str, amount_ms: int, now_ms: int, name: str = "acc") -> None:
    ledger.reserve(
        id=id, account=name, owner="run/a", devices=1, amount_ms=amount_ms, now_ms=now_ms
    )


def use(ledger: Ledger, id: str, start_ms: int, end_ms: int, name: str = "acc") -> None:
    """Reserve, start and settle just what is used."""
    reserve(ledger, id, max(1, end_ms - start_ms), start_ms, name)
    ledger.start(id, start_ms)
    ledger.settle(id, start_ms, end_ms, shares={}, now_ms=end_ms)


def test_a_run_over_two_resets_and_a_change_of_clocks_is_in_three_windows_to_the_millisecond(
    ledger: Ledger,
) -> None:
    """Edges 1, 2 and 6: a run of fifteen days, over the week of 169 hours."""
    ledger.add_account(account(Limit(UNLIMITED_MS, NEW_YORK)), 0)
    start_ms, end_ms = SUN_1_NOV - 3 * DAY_MS - 1, SUN_1_NOV + 12 * DAY_MS + 7
    use(ledger, "long", start_ms, end_ms)
    resets = (SUN_1_NOV, at("2026-11-08T01:30-05:00"))
    settled = [only(ledger, now_ms).settled_ms for now_ms in (start_ms, *resets)]
    assert settled == [3 * DAY_MS + 1, 169 * HOUR_MS, 5 * DAY_MS - HOUR_MS + 7]
    assert sum(settled) == end_ms - start_ms


def test_a_host_that_was_down_over_the_reset_books_by_the_stamps_of_the_run(
    ledger: Ledger,
) -> None:
    """Edges 5 and 7: nobody looked for two weeks; what was used before the reset is of then."""
    ledger.add_account(account(Limit(UNLIMITED_MS, NEW_YORK)), 0)
    start_ms, end_ms = SUN_1_NOV - HOUR_MS, SUN_1_NOV + 2 * HOUR_MS
    reserve(ledger, "a", 10 * HOUR_MS, start_ms)
    ledger.start("a", start_ms)
    later_ms = SUN_1_NOV + 15 * DAY_MS
    ledger.settle("a", start_ms, end_ms, shares={}, now_ms=later_ms)
    assert only(ledger, start_ms).settled_ms == HOUR_MS
    assert only(ledger, SUN_1_NOV).settled_ms == 2 * HOUR_MS
    assert only(ledger, later_ms).settled_ms == 0


def test_a_window_from_the_first_use_begins_with_it_and_the_next_with_what_runs_on(
    ledger: Ledger,
) -> None:
    """Edge 9: no use at all, then the first, then one that runs over the end of the window."""
    ledger.add_account(account(Limit(4 * HOUR_MS, FirstUse(DAY_MS))), 0)
    start_ms = SUN_1_NOV
    before = only(ledger, start_ms)
    assert (before.free_ms, before.next_gain_ms) == (4 * HOUR_MS, None)
    use(ledger, "a", start_ms, start_ms + HOUR_MS)
    begun = only(ledger, start_ms + 5 * HOUR_MS)
    assert begun.window == Window(start_ms, start_ms + DAY_MS)
    assert (begun.free_ms, begun.next_gain_ms) == (3 * HOUR_MS, start_ms + DAY_MS)
    late_ms = start_ms + 23 * HOUR_MS
    reserve(ledger, "b", 3 * HOUR_MS, late_ms)
    ledger.start("b", late_ms)
    after = only(ledger, start_ms + DAY_MS)
    assert after.window == Window(start_ms + DAY_MS, start_ms + 2 * DAY_MS)
    assert (after.in_flight_ms, after.reserved_ms) == (0, 2 * HOUR_MS)


def test_the_last_seven_days_give_back_what_falls_out(ledger: Ledger) -> None:
    """Edge 9: a job that is half inside the window."""
    ledger.add_account(account(Limit(4 * HOUR_MS, Rolling(7 * DAY_MS))), 0)
    use(ledger, "a", SUN_1_NOV, SUN_1_NOV + 2 * HOUR_MS)
    full = only(ledger, SUN_1_NOV + 3 * DAY_MS)
    assert (full.free_ms, full.next_gain_ms) == (2 * HOUR_MS, SUN_1_NOV + 7 * DAY_MS)
    half = only(ledger, SUN_1_NOV + 7 * DAY_MS + HOUR_MS - 1)
    assert half.settled_ms == HOUR_MS
    assert only(ledger, SUN_1_NOV + 7 * DAY_MS + 2 * HOUR_MS).free_ms == 4 * HOUR_MS


def test_each_session_has_the_whole_amount_and_none_has_more(ledger: Ledger) -> None:
    ledger.add_account(account(Limit(4 * HOUR_MS, PerSession(), "per-session")), 0)
    for id in ("a", "b", "c"):
        reserve(ledger, id, 4 * HOUR_MS, SUN_1_NOV)
    with pytest.raises(OverBudget):
        reserve(ledger, "d", 4 * HOUR_MS + 1, SUN_1_NOV)


def test_a_grant_is_used_up_for_good(ledger: Ledger) -> None:
    """Edge 30: an overrun leaves less than nothing, and no time heals it."""
    ledger.add_account(account(Limit(2 * HOUR_MS, Unbounded(), "grant")), 0)
    reserve(ledger, "a", HOUR_MS, SUN_1_NOV)
    ledger.start("a", SUN_1_NOV)
    ledger.settle("a", SUN_1_NOV, SUN_1_NOV + 3 * HOUR_MS, shares={}, now_ms=SUN_1_NOV)
    for now_ms in (SUN_1_NOV + 4 * HOUR_MS, SUN_1_NOV + 4_000 * DAY_MS):
        left = only(ledger, now_ms)
        assert (left.free_ms, left.next_gain_ms) == (-HOUR_MS, None)
    with pytest.raises(OverBudget):
        reserve(ledger, "b", 1, SUN_1_NOV + 5 * HOUR_MS)


def test_credits_are_reserved_at_the_rate_of_the_machine_and_expire_with_their_lot(
    ledger: Ledger,
) -> None:
    colab = replace(
        account(Limit(0, Lots(), "units")), unit="credit", machines=(Machine("T4", 1_190, 1),)
    )
    ledger.add_account(colab, 0)
    with pytest.raises(OverBudget):
        reserve(ledger, "early", 1, SUN_1_NOV)
    ledger.grant(
        "acc", id="lot", amount_ms=2 * HOUR_MS, granted_ms=SUN_1_NOV,
        expires_ms=SUN_1_NOV + 90 * DAY_MS, reason="bought", now_ms=SUN_1_NOV,
    )  # fmt: skip
    needed_ms = colab.cost_ms(1, HOUR_MS, "T4")
    ledger.reserve(
        id="a", account="acc", owner="run/a", devices=1, amount_ms=needed_ms, now_ms=SUN_1_NOV,
        machine="T4",
    )  # fmt: skip
    ledger.start("a", SUN_1_NOV)
    charge = ledger.settle("a", SUN_1_NOV, SUN_1_NOV + HOUR_MS, shares={}, now_ms=SUN_1_NOV)
    assert charge.amount_ms == needed_ms == 4_284_000
    assert only(ledger, SUN_1_NOV + HOUR_MS).free_ms == 2 * HOUR_MS - needed_ms
    assert only(ledger, SUN_1_NOV + 90 * DAY_MS).free_ms == 0


def test_another_zone_in_mid_week_gives_nothing_back_and_another_amount_holds_at_once(
    ledger: Ledger,
) -> None:
    """Edges 8 and 45: history keeps the old amount, and below what is used nothing new starts."""
    ledger.add_account(account(weekly(30 * HOUR_MS)), 0)
    saturday_ms, wednesday_ms = at("2026-11-14T00:00Z"), at("2026-11-18T12:00Z")
    use(ledger, "a", saturday_ms, saturday_ms + 20 * HOUR_MS)
    reserve(ledger, "b", 5 * HOUR_MS, wednesday_ms - HOUR_MS)
    ledger.start("b", wednesday_ms - HOUR_MS)
    changed = account(weekly(22 * HOUR_MS, "sat", "00:00", "America/New_York"))
    ledger.change_account(changed, wednesday_ms)
    now = only(ledger, wednesday_ms)
    assert (now.settled_ms, now.amount_ms) == (20 * HOUR_MS, 22 * HOUR_MS)
    assert now.free_ms == -3 * HOUR_MS
    assert now.window == Window(saturday_ms, at("2026-11-21T00:00-05:00"))
    with pytest.raises(OverBudget):
        reserve(ledger, "c", 1, wednesday_ms)
    ledger.settle("b", wednesday_ms - HOUR_MS, wednesday_ms, shares={}, now_ms=wednesday_ms)
    assert only(ledger, wednesday_ms).free_ms == HOUR_MS
    assert only(ledger, wednesday_ms - 1).amount_ms == 30 * HOUR_MS


HOURS = st.integers(1, 60)
RULES: list[WindowRule] = [
    Calendar("day", at="02:30", zone="America/New_York"),
    Calendar("week", "sun", "01:30", "America/New_York"),
    Calendar("month", "31", "00:00", "Australia/Lord_Howe"),
    FirstUse(DAY_MS),
    FirstUse(5 * HOUR_MS),
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RULES), st.lists(st.tuples(HOURS, HOURS), min_size=1, max_size=5))
def test_the_windows_of_any_rule_hold_every_millisecond_of_use_once(
    rule: WindowRule, runs: list[tuple[int, int]]
) -> None:
    """Edge 6: whatever resets a run spans, its parts add up to the whole."""
    with Ledger(":memory:") as ledger:
        ledger.add_account(account(Limit(UNLIMITED_MS, rule)), 0)
        now_ms = first_ms = at("2026-10-25T00:00Z") + 333
        for number, (pause_h, run_h) in enumerate(runs):
            start_ms = now_ms + pause_h * HOUR_MS
            now_ms = start_ms + run_h * HOUR_MS + number
            use(ledger, str(number), start_ms, now_ms)
        total_ms = sum(charge.amount_ms for charge in ledger.charges())
        settled_ms, at_ms = 0, first_ms
        while at_ms <= now_ms:
            seen = only(ledger, at_ms)
            if seen.next_gain_ms is None:  # no first use has begun it yet
                at_ms += HOUR_MS
            else:
                settled_ms, at_ms = settled_ms + seen.settled_ms, seen.window.end_ms
        assert settled_ms == total_ms


STEPS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 6), st.integers(0, 6), st.integers(-8, 0)),
    min_size=3,
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_no_span_of_a_rolling_window_ever_holds_more_than_the_amount(
    steps: list[tuple[int, int, int, int]],
) -> None:
    """Edges 3 and 9: runs of random lengths one after the other, on a clock that steps about."""
    amount_ms, length_ms = 6 * HOUR_MS, 24 * HOUR_MS
    with Ledger(":memory:") as ledger:
        ledger.add_account(account(Limit(amount_ms, Rolling(length_ms))), 0)
        now_ms = SUN_1_NOV
        for number, (pause_h, asked_h, used_h, step_h) in enumerate(steps):
            now_ms += pause_h * HOUR_MS
            try:
                reserve(ledger, str(number), asked_h * HOUR_MS, now_ms)
            except OverBudget:
                continue
            end_ms = now_ms + min(asked_h, used_h) * HOUR_MS
            ledger.start(str(number), now_ms)
            ledger.settle(str(number), now_ms, end_ms, shares={}, now_ms=end_ms)
            now_ms = end_ms + step_h * HOUR_MS
        spans = [(charge.start_ms, charge.end_ms) for charge in ledger.charges()]
        for _, to_ms in spans:
            from_ms = to_ms - length_ms
            inside = (min(end, to_ms) - max(start, from_ms) for start, end in spans)
            assert sum(max(0, part_ms) for part_ms in inside) <= amount_ms
