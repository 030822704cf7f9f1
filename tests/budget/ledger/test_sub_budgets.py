"""Edge 25: sub-budgets and their parents, together or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Session
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import AccountNotFound, Ledger, OverBudget, TooManySessions
from budget.windows import PerSession, Unbounded

NOW_MS = 1_795_219_200_000 + 2 * DAY_MS


def account(name: str, hours: int, parent: str = "", *, concurrent: int | None = None) -> Account:
    return Account(
        name,
        "machine",
        "local",
        (weekly(hours * HOUR_MS),),
        session=Session(concurrent=concurrent),
        parent=parent,
    )


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(account("lab", 30, concurrent=4), NOW_MS)
        opened.add_account(account("thesis", 20, "lab"), NOW_MS)
        opened.add_account(account("ablation", 8, "thesis", concurrent=2), NOW_MS)
        opened.add_account(account("course", 20, "lab"), NOW_MS)
        yield opened
        assert opened.check() == ()


def reserve(ledger: Ledger, id: str, name: str, hours: int) -> None:
    ledger.reserve(
        id=id, account=name, owner="run", devices=1, amount_ms=hours * HOUR_MS, now_ms=NOW_MS
    )


def free_hours(ledger: Ledger) -> dict[str, int]:
    names = ("lab", "thesis", "ablation", "course")
    return {name: ledger.balance(name, NOW_MS).limits[0].free_ms // HOUR_MS for name in names}


def test_what_is_reserved_and_charged_below_counts_on_every_parent(ledger: Ledger) -> None:
    """Edge 25: the parent and the child together."""
    reserve(ledger, "a", "ablation", 6)
    assert free_hours(ledger) == {"lab": 24, "thesis": 14, "ablation": 2, "course": 20}
    ledger.start("a", NOW_MS)
    in_flight = [limit.in_flight_ms for limit in ledger.balance("lab", NOW_MS + 5).limits]
    assert in_flight == [5]
    ledger.settle("a", NOW_MS, NOW_MS + 4 * HOUR_MS, shares={}, now_ms=NOW_MS + 4 * HOUR_MS)
    assert free_hours(ledger) == {"lab": 26, "thesis": 16, "ablation": 4, "course": 20}
    assert [line.account for line in ledger.charges()] == ["ablation"]


def test_a_balance_shows_its_own_limits_and_then_those_of_its_parents(ledger: Ledger) -> None:
    balance = ledger.balance("ablation", NOW_MS)
    assert [limit.account for limit in balance.limits] == ["ablation", "thesis", "lab"]
    assert balance.whole_ms == 8 * HOUR_MS


def test_a_parent_that_has_too_little_refuses_and_is_named(ledger: Ledger) -> None:
    """Edge 25: nothing is reserved on the child then."""
    reserve(ledger, "a", "course", 20)
    reserve(ledger, "b", "lab", 7)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "c", "ablation", 4)
    assert (caught.value.account, caught.value.free_ms) == ("lab", 3 * HOUR_MS)
    assert str(caught.value).startswith("lab has 3.00 h left of 30.00 h and this needs 4.00 h")
    assert free_hours(ledger) == {"lab": 3, "thesis": 20, "ablation": 8, "course": 0}
    reserve(ledger, "c", "ablation", 3)


def test_a_sub_budget_that_has_too_little_refuses_though_its_parent_has_enough(
    ledger: Ledger,
) -> None:
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "a", "ablation", 9)
    assert caught.value.account == "ablation"
    assert free_hours(ledger) == {"lab": 30, "thesis": 20, "ablation": 8, "course": 20}


def test_allocations_at_once_are_counted_over_the_whole_tree(ledger: Ledger) -> None:
    for id, name in (("a", "ablation"), ("b", "ablation"), ("c", "course")):
        reserve(ledger, id, name, 1)
    with pytest.raises(TooManySessions, match="ablation admits 2 allocations at once") as caught:
        reserve(ledger, "d", "ablation", 1)
    assert (caught.value.account, caught.value.open_now, caught.value.concurrent) == (
        "ablation", 2, 2,
    )  # fmt: skip
    reserve(ledger, "d", "thesis", 1)
    with pytest.raises(TooManySessions, match="lab admits 4 allocations at once and 4 are open"):
        reserve(ledger, "e", "course", 1)
    ledger.release("a", NOW_MS, "never began")
    reserve(ledger, "e", "course", 1)


def test_adjustments_refunds_and_expiry_reach_the_parents(ledger: Ledger) -> None:
    ledger.adjust("ablation", 2 * HOUR_MS, "by hand", NOW_MS, "fix")
    assert free_hours(ledger)["lab"] == 28
    ledger.reserve(
        id="a",
        account="ablation",
        owner="run",
        devices=1,
        amount_ms=3 * HOUR_MS,
        now_ms=NOW_MS,
        expires_ms=NOW_MS + 1,
    )
    ledger.expire(NOW_MS + 2)
    assert free_hours(ledger)["lab"] == 25
    ledger.adjust("ablation", -HOUR_MS, "a fault", NOW_MS + 3, "back", refunds="a")
    assert free_hours(ledger) == {"lab": 26, "thesis": 16, "ablation": 4, "course": 20}


def test_savings_below_count_on_the_parents_too(ledger: Ledger) -> None:
    ledger.book_saving("s1", "ablation", "run", "cache", HOUR_MS, "the result was there", NOW_MS)
    ledger.book_saving("s2", "lab", "run", "parked", 5, "5 ms kept", NOW_MS)
    assert ledger.balance("ablation", NOW_MS).saved == {"cache": HOUR_MS}
    assert ledger.balance("lab", NOW_MS).saved == {"cache": HOUR_MS, "parked": 5}
    assert ledger.balance("course", NOW_MS).saved == {}


def test_a_sub_budget_is_of_the_nature_of_its_parent(ledger: Ledger) -> None:
    with pytest.raises(AccountNotFound):
        ledger.add_account(account("x", 1, "nobody"), NOW_MS)
    simulated = Account("x", "simulated", "local", (weekly(1),), parent="lab")
    with pytest.raises(AccountError, match="kind of its parent"):
        ledger.add_account(simulated, NOW_MS)
    assert [known.name for known in ledger.accounts()] == ["ablation", "course", "lab", "thesis"]


def test_an_unbounded_sub_budget_of_a_weekly_account_ends_for_good(ledger: Ledger) -> None:
    grant = Account(
        "grant", "machine", "local", (Limit(3 * HOUR_MS, Unbounded(), "in-all"),), parent="lab"
    )
    ledger.add_account(grant, NOW_MS)
    reserve(ledger, "a", "grant", 2)
    ledger.settle("a", NOW_MS, NOW_MS + 2 * HOUR_MS, shares={}, now_ms=NOW_MS + 2 * HOUR_MS)
    next_week_ms = NOW_MS + 7 * DAY_MS
    with pytest.raises(OverBudget) as caught:
        ledger.reserve(
            id="b",
            account="grant",
            owner="run",
            devices=1,
            amount_ms=2 * HOUR_MS,
            now_ms=next_week_ms,
        )
    assert (caught.value.account, caught.value.until_ms) == ("grant", None)
    assert ledger.balance("grant", next_week_ms).whole_ms == HOUR_MS


def test_a_limit_a_session_compares_and_never_sums(ledger: Ledger) -> None:
    limits = (weekly(12 * HOUR_MS), Limit(4 * HOUR_MS, PerSession(), "session"))
    ledger.add_account(Account("studio", "machine", "local", limits, parent="lab"), NOW_MS)
    for number in range(3):
        reserve(ledger, f"a{number}", "studio", 4)
    weekly_limit, session, _ = ledger.balance("studio", NOW_MS).limits
    assert (weekly_limit.free_ms, session.free_ms) == (0, 4 * HOUR_MS)
    ledger.release("a0", NOW_MS, "never began")
    ledger.release("a1", NOW_MS, "never began")
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "b", "studio", 5)
    assert (caught.value.limit.name, caught.value.until_ms) == ("session", None)
