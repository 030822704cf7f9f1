"""The provider's own counter beside ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS, LONGEST_MS
from budget.ledger import AccountNotFound, IdTaken, Ledger, LedgerError, OverBudget
from budget.ledger.balance import LimitBalance
from budget.windows import FirstUse, PerSession, Rolling

SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC: the windows of the presets change here."""
NOW_MS = SATURDAY_MS + 2 * DAY_MS
H = HOUR_MS


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(preset("kaggle-gpu"), SATURDAY_MS)
        yield opened
        assert opened.check() == ()


def charge(ledger: Ledger, id: str, start_ms: int, length_ms: int) -> None:
    ledger.reserve(
        id=id, account="kaggle-gpu", owner="run", devices=2, amount_ms=length_ms, now_ms=start_ms
    )
    ledger.settle(id, start_ms, start_ms + length_ms, shares={}, now_ms=start_ms + length_ms)


def read(ledger: Ledger, id: str = "r", at_ms: int = NOW_MS, **more: Any) -> None:
    values = {"used_ms": 0, "now_ms": max(at_ms, NOW_MS), **more}
    ledger.reading("kaggle-gpu", id=id, at_ms=at_ms, **values)


def now(ledger: Ledger, now_ms: int = NOW_MS) -> LimitBalance:
    """The weekly limit; checks that its parts add up."""
    limit = ledger.balance("kaggle-gpu", now_ms).limits[0]
    assert limit.used_ms + limit.kept_back_ms + limit.free_ms == limit.amount_ms
    return limit


def test_work_by_hand_is_foreign_and_own_charges_after_the_reading_are_added(
    ledger: Ledger,
) -> None:
    """Edge 39: the provider says that more was used (another notebook, the phone)."""
    charge(ledger, "a", SATURDAY_MS, 4 * H)
    read(ledger, used_ms=10 * H)
    shown = now(ledger)
    assert (shown.settled_ms, shown.foreign_ms, shown.free_ms) == (4 * H, 6 * H, 20 * H)
    charge(ledger, "b", NOW_MS + H, 3 * H)
    shown = now(ledger, NOW_MS + 5 * H)
    assert (shown.settled_ms, shown.foreign_ms, shown.free_ms) == (7 * H, 6 * H, 17 * H)
    with pytest.raises(OverBudget, match=r"17\.00 h left") as caught:
        charge(ledger, "c", NOW_MS + 5 * H, 18 * H)
    assert "by hand 6.00 h" in str(caught.value.got)


def test_a_provider_that_says_less_gives_nothing_back_and_changes_no_line(ledger: Ledger) -> None:
    """Edge 39: less is a matter for an adjustment with its reason."""
    charge(ledger, "a", SATURDAY_MS, 4 * H)
    lines = ledger.charges()
    read(ledger, used_ms=3 * H)
    assert (now(ledger).settled_ms, now(ledger).foreign_ms) == (4 * H, 0)
    assert ledger.charges() == lines
    ledger.adjust("kaggle-gpu", -H, "the provider counts 3 h", NOW_MS, "fix")
    assert now(ledger).settled_ms == 3 * H
    assert ledger.charges()[:1] == lines


def test_what_is_in_flight_at_the_reading_is_ours(ledger: Ledger) -> None:
    ledger.reserve(
        id="a", account="kaggle-gpu", owner="run", devices=2, amount_ms=5 * H, now_ms=SATURDAY_MS
    )
    ledger.start("a", NOW_MS - 2 * H)
    read(ledger, used_ms=3 * H)
    shown = now(ledger, NOW_MS + H)
    assert (shown.in_flight_ms, shown.reserved_ms, shown.foreign_ms) == (3 * H, 2 * H, H)
    ledger.settle("a", NOW_MS - 2 * H, NOW_MS + H, shares={}, now_ms=NOW_MS + H)
    assert now(ledger, NOW_MS + H).foreign_ms == H


def test_a_provider_that_lets_more_be_used_than_there_is_leaves_less_than_nothing(
    ledger: Ledger,
) -> None:
    """Edge 40: what remains is computed from used and allowed, not from a clamped zero."""
    read(ledger, used_ms=32 * H, allowed_ms=30 * H)
    assert now(ledger).free_ms == -2 * H
    with pytest.raises(OverBudget):
        charge(ledger, "a", NOW_MS, 1)


def test_what_the_provider_allows_beats_the_limit_until_its_window_ends(ledger: Ledger) -> None:
    read(ledger, used_ms=0, allowed_ms=42 * H)
    assert (now(ledger).amount_ms, now(ledger).whole_ms) == (42 * H, 42 * H)
    assert now(ledger, SATURDAY_MS + 7 * DAY_MS).amount_ms == 30 * H
    read(ledger, "less", NOW_MS + 1, allowed_ms=20 * H)
    assert (now(ledger, NOW_MS + 1).amount_ms, now(ledger, NOW_MS + 1).whole_ms) == (20 * H, 30 * H)


def test_a_reading_of_an_earlier_window_is_kept_and_not_used(ledger: Ledger) -> None:
    read(ledger, used_ms=9 * H, at_ms=SATURDAY_MS - 1, allowed_ms=1)
    assert (now(ledger).foreign_ms, now(ledger).amount_ms) == (0, 30 * H)
    assert [reading.used_ms for reading in ledger.readings("kaggle-gpu")] == [9 * H]
    assert now(ledger, SATURDAY_MS - 1).foreign_ms == 9 * H


def test_of_two_readings_the_later_counts_in_whatever_order_they_come(ledger: Ledger) -> None:
    read(ledger, "late", NOW_MS, used_ms=5 * H)
    read(ledger, "early", NOW_MS - H, used_ms=9 * H)
    assert now(ledger).foreign_ms == 5 * H
    assert [reading.id for reading in ledger.readings()] == ["late", "early"]


def test_a_clock_that_was_set_back_does_not_forget_a_reading(ledger: Ledger) -> None:
    read(ledger, used_ms=5 * H)
    assert now(ledger, NOW_MS - 2 * H).foreign_ms == 5 * H


def test_what_others_have_running_is_kept_free_for_them(ledger: Ledger) -> None:
    ledger.reserve(
        id="a", account="kaggle-gpu", owner="run", devices=2, amount_ms=5 * H, now_ms=SATURDAY_MS
    )
    read(ledger, used_ms=2 * H, reserved_ms=9 * H)
    shown = now(ledger)
    assert (shown.reserved_ms, shown.foreign_ms, shown.free_ms) == (5 * H, 2 * H + 4 * H, 19 * H)
    ledger.release("a", NOW_MS, "never began")
    assert now(ledger).foreign_ms == 6 * H


def test_the_refresh_that_the_provider_names_is_the_reset(ledger: Ledger) -> None:
    charge(ledger, "a", SATURDAY_MS, 4 * H)
    refresh_ms = SATURDAY_MS + 7 * DAY_MS + 3 * H
    read(ledger, used_ms=4 * H, refresh_ms=refresh_ms)
    assert (now(ledger).next_gain_ms, now(ledger).window.end_ms) == (refresh_ms, refresh_ms)
    assert now(ledger, refresh_ms - 1).settled_ms == 4 * H
    with pytest.raises(OverBudget) as caught:
        charge(ledger, "b", refresh_ms - 1, 27 * H)
    assert caught.value.until_ms == refresh_ms
    assert (now(ledger, refresh_ms).settled_ms, now(ledger, refresh_ms).foreign_ms) == (0, 0)
    charge(ledger, "b", refresh_ms, 27 * H)


def test_a_margin_is_kept_back_and_gives_way_before_the_balance_is_negative(
    ledger: Ledger,
) -> None:
    ledger.change_account(replace(preset("kaggle-gpu"), keep_back_ms=2 * H), SATURDAY_MS)
    assert (now(ledger).kept_back_ms, now(ledger).free_ms, now(ledger).whole_ms) == (
        2 * H, 28 * H, 28 * H,
    )  # fmt: skip
    with pytest.raises(OverBudget, match=r"this needs 28\.00 h") as caught:
        charge(ledger, "a", NOW_MS, 28 * H + 1)
    assert caught.value.until_ms is None
    read(ledger, used_ms=29 * H)
    assert (now(ledger).kept_back_ms, now(ledger).free_ms) == (H, 0)
    read(ledger, "more", NOW_MS + 1, used_ms=31 * H)
    assert (now(ledger, NOW_MS + 1).kept_back_ms, now(ledger, NOW_MS + 1).free_ms) == (0, -H)


@pytest.mark.parametrize(
    "wrong",
    [
        {"used_ms": -1},
        {"used_ms": LONGEST_MS + 1},
        {"used_ms": 1.5},
        {"allowed_ms": -1},
        {"reserved_ms": "2h"},
        {"at_ms": NOW_MS + 1, "now_ms": NOW_MS},
        {"at_ms": -5},
        {"refresh_ms": NOW_MS},
        {"refresh_ms": NOW_MS + LONGEST_MS + 1},
        {"limit": "monthly"},
        {"source": ""},
        {"id": ""},
    ],
)
def test_a_reading_that_cannot_be_is_refused_and_nothing_is_kept(
    ledger: Ledger, wrong: dict[str, Any]
) -> None:
    with pytest.raises(LedgerError):
        read(ledger, **wrong)
    assert ledger.readings() == ()
    assert now(ledger).foreign_ms == 0


def test_the_same_reading_again_changes_nothing(ledger: Ledger) -> None:
    read(ledger, used_ms=H)
    read(ledger, used_ms=H)
    assert len(ledger.readings()) == 1
    with pytest.raises(IdTaken, match="stands for something else"):
        read(ledger, used_ms=2 * H)
    with pytest.raises(AccountNotFound):
        ledger.reading("kagle", id="x", used_ms=1, at_ms=NOW_MS, now_ms=NOW_MS)


def test_each_limit_has_readings_of_its_own(ledger: Ledger) -> None:
    limits = (
        Limit(4 * H, PerSession(), "session"),
        weekly(30 * H),
        Limit(9 * H, Rolling(DAY_MS), "day"),
    )
    ledger.add_account(Account("two", "provider", "kaggle", limits), SATURDAY_MS)
    ledger.reading("two", id="a", used_ms=H, at_ms=NOW_MS, now_ms=NOW_MS)
    ledger.reading("two", id="b", used_ms=2 * H, at_ms=NOW_MS, now_ms=NOW_MS, limit="day")
    shown = ledger.balance("two", NOW_MS).limits
    assert [limit.foreign_ms for limit in shown] == [0, H, 2 * H]
    with pytest.raises(LedgerError, match="nothing to read"):
        ledger.reading("two", id="c", used_ms=H, at_ms=NOW_MS, now_ms=NOW_MS, limit="session")


def test_in_a_rolling_window_foreign_use_counts_until_the_reading_falls_out(
    ledger: Ledger,
) -> None:
    account = Account("roll", "provider", "kaggle", (Limit(9 * H, Rolling(DAY_MS), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    ledger.reading("roll", id="a", used_ms=2 * H, at_ms=NOW_MS, now_ms=NOW_MS)
    assert ledger.balance("roll", NOW_MS + DAY_MS - 1).foreign_ms == 2 * H
    assert ledger.balance("roll", NOW_MS + DAY_MS).foreign_ms == 0


def test_own_use_that_falls_out_of_a_rolling_window_does_not_become_foreign(
    ledger: Ledger,
) -> None:
    account = Account("roll", "provider", "kaggle", (Limit(9 * H, Rolling(DAY_MS), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    began_ms = NOW_MS - 20 * H
    ledger.reserve(id="x", account="roll", owner="run", devices=1, amount_ms=5 * H, now_ms=began_ms)
    ledger.settle("x", began_ms, began_ms + 5 * H, shares={}, now_ms=NOW_MS)
    ledger.reading("roll", id="a", used_ms=6 * H, at_ms=NOW_MS, now_ms=NOW_MS)
    assert ledger.balance("roll", NOW_MS).foreign_ms == H
    later = ledger.balance("roll", NOW_MS + 10 * H)
    assert (later.settled_ms, later.foreign_ms, later.free_ms) == (0, H, 8 * H)


def test_a_window_from_the_first_use_that_others_began_ends_when_the_provider_says(
    ledger: Ledger,
) -> None:
    account = Account("zero", "provider", "kaggle", (Limit(4 * H, FirstUse(DAY_MS), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    end_ms = NOW_MS + 5 * H
    ledger.reading("zero", id="a", used_ms=3 * H, at_ms=NOW_MS, now_ms=NOW_MS, refresh_ms=end_ms)
    balance = ledger.balance("zero", NOW_MS + H)
    assert (balance.foreign_ms, balance.free_ms, balance.next_gain_ms) == (3 * H, H, end_ms)
    assert ledger.balance("zero", end_ms).free_ms == 4 * H


def test_what_others_used_has_begun_a_window_although_nobody_says_when_it_ends(
    ledger: Ledger,
) -> None:
    """Edge 39: a moment after the reading it is not of an earlier window."""
    account = Account("zero", "provider", "kaggle", (Limit(4 * H, FirstUse(DAY_MS), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    ledger.reading("zero", id="a", used_ms=3 * H, at_ms=NOW_MS, now_ms=NOW_MS)
    for at_ms in (NOW_MS, NOW_MS + 1, NOW_MS + DAY_MS - 1):
        balance = ledger.balance("zero", at_ms)
        assert (balance.foreign_ms, balance.free_ms) == (3 * H, H)
        assert balance.next_gain_ms == NOW_MS + DAY_MS
    ledger.reserve(id="x", account="zero", owner="run", devices=1, amount_ms=H, now_ms=NOW_MS + H)
    ledger.settle("x", NOW_MS + H, NOW_MS + 2 * H, shares={}, now_ms=NOW_MS + 2 * H)
    assert ledger.balance("zero", NOW_MS + 2 * H).free_ms == 0
    assert ledger.balance("zero", NOW_MS + DAY_MS).free_ms == 4 * H


def test_a_reading_of_a_window_that_own_use_began_holds_to_its_end(ledger: Ledger) -> None:
    account = Account("zero", "provider", "kaggle", (Limit(4 * H, FirstUse(DAY_MS), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    ledger.reserve(id="x", account="zero", owner="run", devices=1, amount_ms=H, now_ms=NOW_MS)
    ledger.settle("x", NOW_MS, NOW_MS + H, shares={}, now_ms=NOW_MS + H)
    ledger.reading("zero", id="a", used_ms=3 * H, at_ms=NOW_MS + 2 * H, now_ms=NOW_MS + 2 * H)
    before = ledger.balance("zero", NOW_MS + DAY_MS - 1)
    assert (before.settled_ms, before.foreign_ms, before.free_ms) == (H, 2 * H, H)
    assert ledger.balance("zero", NOW_MS + DAY_MS).free_ms == 4 * H


def test_a_longer_window_does_not_take_foreign_use_for_what_an_old_window_held(
    ledger: Ledger,
) -> None:
    """Edge 8: own use before the window that was read is not in the provider's figure."""
    account = Account("lab", "provider", "kaggle", (Limit(50 * H, FirstUse(5 * H), "day"),))
    ledger.add_account(account, SATURDAY_MS)
    ledger.reserve(id="x", account="lab", owner="run", devices=1, amount_ms=3 * H, now_ms=NOW_MS)
    ledger.settle("x", NOW_MS, NOW_MS + 3 * H, shares={}, now_ms=NOW_MS + 3 * H)
    at_ms = NOW_MS + 9 * H
    ledger.reading(
        "lab", id="a", used_ms=4 * H, at_ms=at_ms, now_ms=at_ms, refresh_ms=at_ms + 4 * H
    )
    assert ledger.balance("lab", at_ms + 1).free_ms == 46 * H
    longer = replace(account, limits=(Limit(50 * H, Rolling(7 * DAY_MS), "day"),))
    ledger.change_account(longer, at_ms + 1)
    assert ledger.balance("lab", at_ms + 1).free_ms <= 46 * H
