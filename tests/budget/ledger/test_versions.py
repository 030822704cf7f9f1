"""Accounts that change: history keeps what they said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Metering, Session
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import AccountNotFound, Ledger, LedgerError, OverBudget
from budget.windows import Calendar, FirstUse, Rolling, Unbounded, WindowRule

SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC."""
TUESDAY_MS = SATURDAY_MS + 3 * DAY_MS
LAB = Account("lab", "machine", "local", (weekly(30 * HOUR_MS),))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(LAB, SATURDAY_MS)
        yield opened
        assert opened.check() == ()


def charge(ledger: Ledger, id: str, start_ms: int, length_ms: int, account: str = "lab") -> None:
    ledger.reserve(
        id=id, account=account, owner="run", devices=1, amount_ms=length_ms, now_ms=start_ms
    )
    ledger.settle(id, start_ms, start_ms + length_ms, shares={}, now_ms=start_ms + length_ms)


def with_window(window: WindowRule) -> Account:
    return replace(LAB, limits=(Limit(30 * HOUR_MS, window),))


def settled_ms(ledger: Ledger, now_ms: int) -> int:
    return ledger.balance("lab", now_ms).settled_ms


def test_a_changed_amount_holds_from_now_on_and_history_keeps_the_old_one(ledger: Ledger) -> None:
    """Edge 8: the quota changes in mid-week, as Kaggle's does."""
    charge(ledger, "a", SATURDAY_MS, 4 * HOUR_MS)
    more = replace(LAB, limits=(weekly(42 * HOUR_MS),))
    assert ledger.change_account(more, TUESDAY_MS) is True
    assert ledger.change_account(more, TUESDAY_MS + 1) is False
    before, after = ledger.balance("lab", TUESDAY_MS - 1), ledger.balance("lab", TUESDAY_MS)
    assert (before.amount_ms, before.free_ms) == (30 * HOUR_MS, 26 * HOUR_MS)
    assert (after.amount_ms, after.free_ms) == (42 * HOUR_MS, 38 * HOUR_MS)
    assert ledger.account("lab") == more
    assert [(old.from_ms, old.account) for old in ledger.account_versions("lab")] == [
        (SATURDAY_MS, LAB),
        (TUESDAY_MS, more),
    ]


def test_a_limit_below_what_is_used_lets_what_runs_go_on_and_admits_nothing(
    ledger: Ledger,
) -> None:
    """Edge 45: as Slurm does it."""
    ledger.reserve(
        id="a", account="lab", owner="run", devices=1, amount_ms=9 * HOUR_MS, now_ms=SATURDAY_MS
    )
    ledger.start("a", SATURDAY_MS)
    ledger.change_account(replace(LAB, limits=(weekly(5 * HOUR_MS),)), SATURDAY_MS + HOUR_MS)
    later_ms = SATURDAY_MS + 2 * HOUR_MS
    assert ledger.balance("lab", later_ms).free_ms == -4 * HOUR_MS
    with pytest.raises(OverBudget):
        ledger.reserve(id="b", account="lab", owner="run", devices=1, amount_ms=1, now_ms=later_ms)
    end_ms = SATURDAY_MS + 9 * HOUR_MS
    assert ledger.settle("a", SATURDAY_MS, end_ms, shares={}, now_ms=end_ms).amount_ms == (
        9 * HOUR_MS
    )


def test_a_clock_that_is_set_back_does_not_get_round_a_lowered_limit(ledger: Ledger) -> None:
    ledger.change_account(replace(LAB, limits=(weekly(5 * HOUR_MS),)), TUESDAY_MS)
    with pytest.raises(OverBudget):
        ledger.reserve(
            id="a",
            account="lab",
            owner="run",
            devices=1,
            amount_ms=6 * HOUR_MS,
            now_ms=TUESDAY_MS - HOUR_MS,
        )


@pytest.mark.parametrize(
    "window",
    [
        Calendar("week", "tue", "06:00"),
        Calendar("week", "sat", "00:00", "Asia/Tokyo"),
        Calendar("day", at="09:00"),
        Rolling(DAY_MS),
        FirstUse(HOUR_MS),
    ],
)
def test_a_changed_window_is_no_reset(ledger: Ledger, window: WindowRule) -> None:
    """Edge 8: the zone or the day of the reset is changed in mid-week."""
    charge(ledger, "a", SATURDAY_MS, 4 * HOUR_MS)
    change_ms = TUESDAY_MS + 7 * HOUR_MS
    ledger.change_account(with_window(window), change_ms)
    assert settled_ms(ledger, change_ms - 1) == 4 * HOUR_MS
    assert settled_ms(ledger, change_ms) == 4 * HOUR_MS
    assert settled_ms(ledger, change_ms + 8 * DAY_MS) == 0


def test_an_account_that_is_removed_and_added_with_another_window_gets_nothing_back(
    ledger: Ledger,
) -> None:
    charge(ledger, "a", SATURDAY_MS, 4 * HOUR_MS)
    ledger.remove_account("lab", TUESDAY_MS)
    ledger.add_account(with_window(Calendar("week", "tue")), TUESDAY_MS + HOUR_MS)
    assert settled_ms(ledger, TUESDAY_MS + HOUR_MS) == 4 * HOUR_MS
    assert settled_ms(ledger, TUESDAY_MS + 7 * DAY_MS) == 0


def test_a_shorter_window_from_the_first_use_is_no_reset(ledger: Ledger) -> None:
    """Edge 8: what the old rule had begun is found, however long nothing was used since."""
    day = replace(with_window(FirstUse(DAY_MS)), name="day")
    ledger.add_account(day, SATURDAY_MS)
    charge(ledger, "a", SATURDAY_MS, 4 * HOUR_MS, "day")
    later_ms = SATURDAY_MS + 18 * HOUR_MS
    charge(ledger, "b", later_ms, HOUR_MS, "day")
    change_ms = later_ms + 3 * HOUR_MS
    assert ledger.balance("day", change_ms).settled_ms == 5 * HOUR_MS
    shorter = replace(day, limits=with_window(FirstUse(4 * HOUR_MS)).limits)
    ledger.change_account(shorter, change_ms)
    assert ledger.balance("day", change_ms).settled_ms == 5 * HOUR_MS
    assert ledger.balance("day", change_ms + HOUR_MS).settled_ms == 0


@pytest.mark.parametrize("refresh_ms", [None, SATURDAY_MS + 5 * HOUR_MS])
def test_a_reading_makes_no_changed_window_a_reset(ledger: Ledger, refresh_ms: int | None) -> None:
    """Edge 8: neither one of the window that there is, nor one of a window that has ended."""
    read_ms = SATURDAY_MS + 4 * HOUR_MS
    ledger.reading(
        "lab", id="r", used_ms=HOUR_MS, at_ms=read_ms, now_ms=read_ms, refresh_ms=refresh_ms
    )
    charge(ledger, "a", SATURDAY_MS + 6 * HOUR_MS, 4 * HOUR_MS)
    charge(ledger, "b", SATURDAY_MS + 20 * HOUR_MS, HOUR_MS)
    change_ms = SATURDAY_MS + 22 * HOUR_MS
    assert settled_ms(ledger, change_ms) == 5 * HOUR_MS
    ledger.change_account(with_window(FirstUse(5 * HOUR_MS)), change_ms)
    assert settled_ms(ledger, change_ms) == 5 * HOUR_MS


def test_a_window_that_gets_longer_counts_what_it_holds(ledger: Ledger) -> None:
    friday_ms = SATURDAY_MS - HOUR_MS
    charge(ledger, "a", friday_ms - HOUR_MS, HOUR_MS)
    charge(ledger, "b", SATURDAY_MS, 4 * HOUR_MS)
    assert settled_ms(ledger, TUESDAY_MS) == 4 * HOUR_MS
    ledger.change_account(with_window(Calendar("month")), TUESDAY_MS)
    assert settled_ms(ledger, TUESDAY_MS) == 5 * HOUR_MS
    ledger.change_account(with_window(Unbounded()), TUESDAY_MS + 1)
    assert settled_ms(ledger, TUESDAY_MS + 99 * DAY_MS) == 5 * HOUR_MS


def test_what_is_reserved_is_settled_by_the_weights_it_was_reserved_by(ledger: Ledger) -> None:
    """Edge 27: a weight is changed in mid-week."""
    ledger.reserve(
        id="a", account="lab", owner="run", devices=2, amount_ms=HOUR_MS, now_ms=SATURDAY_MS
    )
    metering = Metering(granularity_ms=HOUR_MS, minimum_ms=HOUR_MS)
    ledger.change_account(replace(LAB, metering=metering), SATURDAY_MS + 1)
    ledger.reserve(
        id="b", account="lab", owner="run", devices=2, amount_ms=HOUR_MS, now_ms=SATURDAY_MS + 2
    )
    amounts = [
        ledger.settle(id, SATURDAY_MS, SATURDAY_MS + 5, shares={}, now_ms=TUESDAY_MS).amount_ms
        for id in ("a", "b")
    ]
    assert amounts == [10, 2 * HOUR_MS]


def test_a_removed_account_admits_nothing_and_keeps_its_lines(ledger: Ledger) -> None:
    charge(ledger, "a", SATURDAY_MS, HOUR_MS)
    ledger.remove_account("lab", TUESDAY_MS)
    assert ledger.accounts() == ()
    assert [line.id for line in ledger.charges("lab")] == ["a"]
    calls: list[Callable[[], object]] = [
        lambda: ledger.account("lab"),
        lambda: ledger.balance("lab", TUESDAY_MS),
        lambda: charge(ledger, "b", TUESDAY_MS, HOUR_MS),
        lambda: ledger.remove_account("lab", TUESDAY_MS),
        lambda: ledger.change_account(LAB, TUESDAY_MS),
    ]
    for call in calls:
        with pytest.raises(AccountNotFound):
            call()


def test_an_account_that_is_added_again_has_not_forgotten(ledger: Ledger) -> None:
    charge(ledger, "a", SATURDAY_MS, HOUR_MS)
    ledger.remove_account("lab", TUESDAY_MS)
    assert ledger.add_account(LAB, TUESDAY_MS + 1) is True
    assert ledger.balance("lab", TUESDAY_MS + 1).settled_ms == HOUR_MS
    ledger.remove_account("lab", TUESDAY_MS + 2)
    with pytest.raises(LedgerError, match="the unit of lab cannot change"):
        ledger.add_account(replace(LAB, unit="session"), TUESDAY_MS + 3)


def test_an_account_in_use_is_not_removed(ledger: Ledger) -> None:
    ledger.reserve(id="a", account="lab", owner="run", devices=1, amount_ms=5, now_ms=TUESDAY_MS)
    with pytest.raises(LedgerError, match="open reservations") as caught:
        ledger.remove_account("lab", TUESDAY_MS)
    assert caught.value.got == "1 open"
    ledger.release("a", TUESDAY_MS, "never began")
    ledger.add_account(replace(LAB, name="child", parent="lab"), TUESDAY_MS)
    with pytest.raises(LedgerError, match="sub-budgets"):
        ledger.remove_account("lab", TUESDAY_MS)
    ledger.remove_account("child", TUESDAY_MS)
    ledger.remove_account("lab", TUESDAY_MS)
    assert ledger.accounts() == ()


@pytest.mark.parametrize("changed", [{"kind": "simulated"}, {"unit": "session"}, {"parent": "top"}])
def test_what_charges_are_counted_by_cannot_change(ledger: Ledger, changed: dict[str, str]) -> None:
    ledger.add_account(replace(LAB, name="top"), SATURDAY_MS)
    with pytest.raises(LedgerError, match=f"the {next(iter(changed))} of lab cannot change"):
        ledger.change_account(replace(LAB, **changed), TUESDAY_MS)  # type: ignore[arg-type]
    assert ledger.account("lab") == LAB


def test_a_parent_and_its_sub_budgets_keep_one_executor(ledger: Ledger) -> None:
    ledger.add_account(replace(LAB, name="child", parent="lab"), SATURDAY_MS)
    with pytest.raises(AccountError, match="executor of its parent"):
        ledger.change_account(replace(LAB, executor="slurm"), TUESDAY_MS)
    ledger.change_account(replace(LAB, session=Session(concurrent=2)), TUESDAY_MS)


def test_a_version_is_never_put_before_one_that_was_counted_by(ledger: Ledger) -> None:
    """Edge 4: the clock was set back between two changes."""
    ledger.change_account(replace(LAB, limits=(weekly(HOUR_MS),)), TUESDAY_MS)
    ledger.change_account(replace(LAB, limits=(weekly(2 * HOUR_MS),)), SATURDAY_MS)
    assert [old.from_ms for old in ledger.account_versions("lab")] == [
        SATURDAY_MS, TUESDAY_MS, TUESDAY_MS,
    ]  # fmt: skip
    assert ledger.balance("lab", TUESDAY_MS).amount_ms == 2 * HOUR_MS
