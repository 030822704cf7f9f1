"""Lots: granted or bought one by one, the first to expire used first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Machine
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import IdTaken, Ledger, LedgerError, OverBudget
from budget.ledger.balance import Balance
from budget.ledger.lot import Lot, lots_left
from budget.windows import Lots
from tests.budget.usages import Used

NOW_MS = 1_795_219_200_000
CREDIT_MS = HOUR_MS
COLAB = Account(
    "colab",
    "provider",
    "colab",
    (Limit(0, Lots(90 * DAY_MS), "credits"),),
    unit="credit",
    machines=(Machine("T4", 1_190, 1), Machine("A100", 5_400, 1)),
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(COLAB, NOW_MS)
        yield opened
        assert opened.check() == ()


def grant(ledger: Ledger, id: str, credits: int, at_ms: int, days: int | None) -> None:
    ledger.grant(
        "colab",
        id=id,
        amount_ms=credits * CREDIT_MS,
        granted_ms=at_ms,
        expires_ms=None if days is None else at_ms + days * DAY_MS,
        reason="bought",
        now_ms=at_ms,
    )


def use(ledger: Ledger, id: str, start_ms: int, hours: int, machine: str = "T4") -> int:
    """The charge of a session of so many hours."""
    cost_ms = COLAB.cost_ms(1, hours * HOUR_MS, machine)
    ledger.reserve(
        id=id,
        account="colab",
        owner="run",
        devices=1,
        machine=machine,
        amount_ms=cost_ms,
        now_ms=start_ms,
    )
    ledger.start(id, start_ms)
    end_ms = start_ms + hours * HOUR_MS
    return ledger.settle(id, start_ms, end_ms, shares={}, now_ms=end_ms).amount_ms


def balance(ledger: Ledger, at_ms: int) -> Balance:
    """The balance; checks that its parts add up."""
    found = ledger.balance("colab", at_ms)
    (limit,) = found.limits
    assert limit.used_ms + limit.kept_back_ms + limit.free_ms == limit.amount_ms
    return found


def test_credits_are_hours_times_the_rate_of_the_machine(ledger: Ledger) -> None:
    grant(ledger, "a", 100, NOW_MS, 90)
    assert use(ledger, "x", NOW_MS, 1) == 4_284_000  # 1.19 credits
    assert use(ledger, "y", NOW_MS + HOUR_MS, 2, "A100") == 38_880_000  # 10.8 credits
    shown = balance(ledger, NOW_MS + 3 * HOUR_MS)
    assert (shown.unit, shown.amount_ms) == ("credit", 100 * CREDIT_MS)
    assert shown.settled_ms == 4_284_000 + 38_880_000
    with pytest.raises(OverBudget, match=r"88\.01 credits left of 100\.00 credits") as caught:
        use(ledger, "z", NOW_MS + 3 * HOUR_MS, 80)
    assert caught.value.until_ms is None


def test_without_a_lot_there_is_nothing(ledger: Ledger) -> None:
    assert balance(ledger, NOW_MS).free_ms == 0
    with pytest.raises(OverBudget, match=r"0\.00 credits left"):
        use(ledger, "x", NOW_MS, 1)


def test_the_lot_that_expires_first_is_used_first_and_the_rest_of_it_is_lost(
    ledger: Ledger,
) -> None:
    grant(ledger, "long", 10, NOW_MS, 90)
    grant(ledger, "short", 10, NOW_MS, 30)
    ledger.reserve(
        id="x", account="colab", owner="run", devices=1, amount_ms=4 * CREDIT_MS, now_ms=NOW_MS
    )
    ledger.settle("x", NOW_MS, NOW_MS, shares={}, now_ms=NOW_MS)
    ledger.adjust("colab", 4 * CREDIT_MS, "by hand", NOW_MS + DAY_MS, "y")
    assert balance(ledger, NOW_MS + 2 * DAY_MS).free_ms == 16 * CREDIT_MS
    after = balance(ledger, NOW_MS + 30 * DAY_MS)
    assert (after.amount_ms, after.settled_ms, after.free_ms) == (
        10 * CREDIT_MS, 0, 10 * CREDIT_MS,
    )  # fmt: skip
    assert balance(ledger, NOW_MS + 90 * DAY_MS).free_ms == 0


def test_what_was_used_beyond_all_lots_is_owed_by_the_next(ledger: Ledger) -> None:
    """Edge 30: a balance below nothing is kept."""
    grant(ledger, "a", 5, NOW_MS, None)
    ledger.adjust("colab", 8 * CREDIT_MS, "by hand", NOW_MS + 1, "x")
    assert balance(ledger, NOW_MS + 2).free_ms == -3 * CREDIT_MS
    grant(ledger, "b", 10, NOW_MS + DAY_MS, None)
    assert balance(ledger, NOW_MS + DAY_MS).free_ms == 7 * CREDIT_MS


def test_a_session_is_not_paid_by_a_lot_that_expires_before_it_is_over(ledger: Ledger) -> None:
    grant(ledger, "a", 10, NOW_MS, 1)
    eve_ms = NOW_MS + DAY_MS - 2 * HOUR_MS
    with pytest.raises(OverBudget, match=r"has 2\.38 credits left"):
        use(ledger, "x", eve_ms, 3)
    assert ledger.reservations() == () and balance(ledger, eve_ms).free_ms == 10 * CREDIT_MS
    use(ledger, "y", eve_ms - HOUR_MS, 3)
    grant(ledger, "b", 10, NOW_MS, 90)
    use(ledger, "z", eve_ms, 3)  # what the first lot cannot pay any more the second one does
    assert balance(ledger, NOW_MS + 2 * DAY_MS).free_ms == 10 * CREDIT_MS - 4_284_000


def test_what_open_reservations_may_use_of_a_lot_that_expires_is_not_given_away_twice(
    ledger: Ledger,
) -> None:
    grant(ledger, "a", 10, NOW_MS, 1)
    grant(ledger, "b", 3, NOW_MS, 90)
    eve_ms = NOW_MS + DAY_MS - 2 * HOUR_MS

    def reserve(id: str) -> None:
        ledger.reserve(
            id=id,
            account="colab",
            owner="run",
            devices=1,
            machine="T4",
            amount_ms=COLAB.cost_ms(1, 4 * HOUR_MS, "T4"),
            now_ms=eve_ms,
        )

    reserve("x")  # two hours of it are paid by the lot that stays
    with pytest.raises(OverBudget):
        reserve("y")
    ledger.release("x", eve_ms, "cancelled")
    reserve("y")


def test_what_is_used_at_the_instant_of_a_grant_or_an_expiry_counts_once(ledger: Ledger) -> None:
    grant(ledger, "a", 10, NOW_MS, 1)
    ledger.adjust("colab", 2 * CREDIT_MS, "by hand", NOW_MS, "x")
    assert balance(ledger, NOW_MS).free_ms == 8 * CREDIT_MS
    grant(ledger, "b", 10, NOW_MS, 90)
    ledger.adjust("colab", 3 * CREDIT_MS, "by hand", NOW_MS + DAY_MS, "y")
    assert balance(ledger, NOW_MS + DAY_MS).free_ms == 7 * CREDIT_MS


def test_what_is_in_flight_and_reserved_is_told_apart(ledger: Ledger) -> None:
    grant(ledger, "a", 10, NOW_MS, 90)
    ledger.reserve(
        id="x",
        account="colab",
        owner="run",
        devices=1,
        machine="T4",
        amount_ms=4 * CREDIT_MS,
        now_ms=NOW_MS,
    )
    ledger.start("x", NOW_MS)
    shown = balance(ledger, NOW_MS + HOUR_MS)
    assert (shown.in_flight_ms, shown.reserved_ms) == (4_284_000, 4 * CREDIT_MS - 4_284_000)
    assert (shown.free_ms, shown.whole_ms) == (6 * CREDIT_MS, 10 * CREDIT_MS)


def test_a_reading_sets_what_is_left(ledger: Ledger) -> None:
    grant(ledger, "a", 100, NOW_MS, 90)
    use(ledger, "x", NOW_MS, 1)
    at_ms = NOW_MS + DAY_MS
    ledger.reading("colab", id="r", used_ms=0, allowed_ms=90 * CREDIT_MS, at_ms=at_ms, now_ms=at_ms)
    shown = balance(ledger, at_ms)
    assert (shown.free_ms, shown.settled_ms) == (90 * CREDIT_MS, 4_284_000)
    assert shown.foreign_ms == 10 * CREDIT_MS - 4_284_000
    use(ledger, "y", at_ms, 1)
    assert balance(ledger, at_ms + HOUR_MS).free_ms == 90 * CREDIT_MS - 4_284_000


def test_a_provider_that_has_more_left_has_a_lot_that_nobody_told_us_of(ledger: Ledger) -> None:
    grant(ledger, "a", 10, NOW_MS, 90)
    at_ms = NOW_MS + DAY_MS
    ledger.reading("colab", id="r", used_ms=0, allowed_ms=15 * CREDIT_MS, at_ms=at_ms, now_ms=at_ms)
    assert (balance(ledger, at_ms).free_ms, balance(ledger, at_ms).foreign_ms) == (
        15 * CREDIT_MS, 0,
    )  # fmt: skip
    assert balance(ledger, NOW_MS + 90 * DAY_MS).free_ms == 5 * CREDIT_MS
    # It is not newer than the reading, so it lives no longer than what is bought at that moment.
    assert balance(ledger, at_ms + 90 * DAY_MS).free_ms == 0


def test_a_reading_while_something_runs_leaves_it_in_flight(ledger: Ledger) -> None:
    grant(ledger, "a", 100, NOW_MS, 90)
    cost_ms = COLAB.cost_ms(1, 4 * HOUR_MS, "T4")
    ledger.reserve(
        id="x",
        account="colab",
        owner="run",
        devices=1,
        machine="T4",
        amount_ms=cost_ms,
        now_ms=NOW_MS,
    )
    ledger.start("x", NOW_MS)
    at_ms = NOW_MS + HOUR_MS
    left_ms = 100 * CREDIT_MS - 4_284_000
    ledger.reading("colab", id="r", used_ms=0, allowed_ms=left_ms, at_ms=at_ms, now_ms=at_ms)
    shown = balance(ledger, at_ms)
    assert (shown.settled_ms, shown.in_flight_ms, shown.foreign_ms) == (0, 4_284_000, 0)
    assert shown.free_ms == 100 * CREDIT_MS - cost_ms


def test_a_reading_of_lots_must_say_what_is_allowed(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="must say what is allowed"):
        ledger.reading("colab", id="r", used_ms=5, at_ms=NOW_MS, now_ms=NOW_MS)


def test_the_same_lot_again_changes_nothing(ledger: Ledger) -> None:
    grant(ledger, "a", 10, NOW_MS, 90)
    grant(ledger, "a", 10, NOW_MS, 90)
    assert [lot.id for lot in ledger.lots("colab")] == ["a"]
    assert ledger.lots()[0].reason == "bought"
    with pytest.raises(IdTaken, match="stands for something else"):
        grant(ledger, "a", 11, NOW_MS, 90)


def test_absurd_lots_are_refused(ledger: Ledger) -> None:
    for credits, days in ((0, 90), (-5, 90), (10**9, 90), (5, 0), (5, -1), (5, 10**5)):
        with pytest.raises(LedgerError):
            grant(ledger, "a", credits, NOW_MS, days)
    ledger.add_account(Account("lab", "machine", "local", (weekly(5),)), NOW_MS)
    with pytest.raises(LedgerError, match="no limit that counts lots"):
        ledger.grant(
            "lab",
            id="a",
            amount_ms=5,
            granted_ms=NOW_MS,
            expires_ms=None,
            reason="bought",
            now_ms=NOW_MS,
        )
    assert ledger.lots() == ()


@settings(max_examples=150, deadline=None)
@given(
    lots=st.lists(
        st.tuples(st.integers(1, 500), st.integers(0, 90), st.integers(1, 60)), max_size=5
    ),
    spans=st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 20), st.integers(-3, 9)), max_size=6
    ),
    now_ms=st.integers(0, 120),
)
def test_what_was_granted_is_used_or_left_or_expired_or_lost(
    lots: list[tuple[int, int, int]], spans: list[tuple[int, int, int]], now_ms: int
) -> None:
    granted = [
        Lot(str(number), "colab", amount, at, at + life, "", at)
        for number, (amount, at, life) in enumerate(lots)
    ]
    used = Used(tuple((start, start + length, rate) for start, length, rate in spans))
    left = lots_left(granted, used, now_ms)
    there = sum(lot.amount_ms for lot in granted if lot.granted_ms <= now_ms)
    assert there + left.debt_ms + left.lost_ms * -1 == (
        used.between(0, now_ms) + sum(left.left_ms.values()) + left.expired_ms
    )
    assert min([0, *left.left_ms.values()]) == 0 <= left.debt_ms
    assert left.debt_ms == 0 or sum(left.left_ms.values()) == 0
