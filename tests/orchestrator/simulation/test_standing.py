"""Another ledger begins as the real one stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS
from budget.ledger import Ledger
from budget.windows import FirstUse, Rolling, Unbounded
from orchestrator.graph import Graph, Job
from orchestrator.simulation.distribution import LogNormal
from orchestrator.simulation.fortune import Fortunes
from orchestrator.simulation.outlook import Asked, Setting, look_ahead, simulated, weeks_from
from orchestrator.simulation.peers import PEERS, play
from orchestrator.simulation.standing import Standing, standing_of
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS

MONDAY_MS = SATURDAY_MS + 2 * DAY_MS
LIMITS = (
    weekly(30 * HOUR_MS),
    Limit(30 * HOUR_MS, Unbounded(), "grant"),
    Limit(30 * HOUR_MS, Rolling(7 * DAY_MS), "rolling"),
    Limit(30 * HOUR_MS, FirstUse(4 * DAY_MS), "first-use"),
)


def real(*accounts: Account) -> Ledger:
    ledger = Ledger(":memory:")
    for account in accounts:
        ledger.add_account(account, SATURDAY_MS)
    return ledger


def lab(limit: Limit) -> Account:
    return Account("lab", "machine", "local", (limit,))


def charge(ledger: Ledger, account: str, id: str, hours: float, start_ms: int) -> None:
    amount_ms = round(hours * HOUR_MS)
    ledger.reserve(
        id=id, account=account, owner=id, devices=1, amount_ms=amount_ms, now_ms=start_ms
    )
    ledger.start(id, start_ms)
    end_ms = start_ms + amount_ms
    ledger.settle(id, start_ms, end_ms, shares={}, now_ms=end_ms)


def as_it_stands(standing: Standing, *accounts: Account) -> Ledger:
    made = Ledger(":memory:")
    for account in accounts:
        made.add_account(simulated(account), standing.at_ms)
    standing.note(made)
    return made


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.window.kind)
def test_as_much_is_free_as_in_the_real_ledger(limit: Limit) -> None:
    ledger = real(lab(limit))
    charge(ledger, "lab", "a", 5, SATURDAY_MS)
    charge(ledger, "lab", "b", 3, SATURDAY_MS + DAY_MS)
    ledger.reading("lab", id="r", used_ms=10 * HOUR_MS, at_ms=MONDAY_MS, now_ms=MONDAY_MS)
    ledger.reserve(id="c", account="lab", owner="c", devices=1, amount_ms=HOUR_MS, now_ms=MONDAY_MS)
    found = standing_of(ledger, "lab", MONDAY_MS)
    assert found.balance.free_ms == 19 * HOUR_MS
    made = as_it_stands(found, lab(limit))
    assert made.balance("lab", MONDAY_MS).free_ms == 19 * HOUR_MS


@pytest.mark.parametrize("limit", (LIMITS[0], LIMITS[3]), ids=lambda limit: limit.window.kind)
def test_hours_come_back_when_they_do_in_the_real_ledger(limit: Limit) -> None:
    ledger = real(lab(limit))
    charge(ledger, "lab", "a", 5, SATURDAY_MS + DAY_MS)
    made = as_it_stands(standing_of(ledger, "lab", MONDAY_MS), lab(limit))
    gain_ms = ledger.balance("lab", MONDAY_MS).next_gain_ms
    assert gain_ms is not None
    for at_ms, free in ((gain_ms - 1, 25), (gain_ms, 30)):
        assert made.balance("lab", at_ms).free_ms == free * HOUR_MS
        assert ledger.balance("lab", at_ms).free_ms == free * HOUR_MS


def test_hours_of_a_rolling_window_come_back_one_by_one() -> None:
    account = lab(LIMITS[2])
    ledger = real(account)
    charge(ledger, "lab", "a", 5, SATURDAY_MS)
    charge(ledger, "lab", "b", 3, SATURDAY_MS + DAY_MS)
    made = as_it_stands(standing_of(ledger, "lab", MONDAY_MS), account)
    for days, free in ((7.5, 27), (8.5, 30)):
        at_ms = SATURDAY_MS + round(days * DAY_MS)
        assert made.balance("lab", at_ms).free_ms == free * HOUR_MS
        assert ledger.balance("lab", at_ms).free_ms == free * HOUR_MS


def test_lots_are_there_with_what_is_left_of_them() -> None:
    account = preset("colab-paid")
    ledger = real(account)
    ledger.grant(
        account.name,
        id="bought",
        amount_ms=100 * HOUR_MS,
        granted_ms=SATURDAY_MS,
        expires_ms=SATURDAY_MS + 20 * DAY_MS,
        reason="bought",
        now_ms=SATURDAY_MS,
    )
    ledger.adjust(account.name, 30 * HOUR_MS, "by hand", SATURDAY_MS + DAY_MS, "by hand")
    made = as_it_stands(standing_of(ledger, account.name, MONDAY_MS), account)
    assert made.balance(account.name, MONDAY_MS).free_ms == 70 * HOUR_MS
    assert made.balance(account.name, SATURDAY_MS + 20 * DAY_MS).free_ms == 0


def test_what_others_have_left_of_a_parent_is_the_most_there_is() -> None:
    parent = lab(weekly(10 * HOUR_MS))
    mine, theirs = (
        Account(name, "machine", "local", (weekly(8 * HOUR_MS),), parent="lab")
        for name in ("mine", "theirs")
    )
    ledger = real(parent, mine, theirs)
    charge(ledger, "theirs", "a", 6, SATURDAY_MS)
    found = standing_of(ledger, "mine", MONDAY_MS)
    assert found.words() == "4.00 h of 10.00 h of lab are free now (6.00 h settled)"
    assert as_it_stands(found, parent, mine).balance("mine", MONDAY_MS).free_ms == 4 * HOUR_MS


def test_the_first_week_begins_now_with_what_is_left_and_the_others_are_whole() -> None:
    account = replace(lab(LIMITS[0]), keep_back_ms=HOUR_MS)
    ledger = real(account)
    charge(ledger, "lab", "a", 5, SATURDAY_MS)
    found = weeks_from(account, standing_of(ledger, "lab", MONDAY_MS), 2)
    reset_ms = SATURDAY_MS + 7 * DAY_MS
    assert [(week.from_ms, week.end_ms, week.amount_ms) for week in found] == [
        (MONDAY_MS, reset_ms, 25 * HOUR_MS),
        (reset_ms, reset_ms + 7 * DAY_MS, 30 * HOUR_MS),
    ]


def test_an_account_without_a_limit_has_nothing_left_over_to_tell() -> None:
    account = lab(weekly(3_660 * DAY_MS))
    assert standing_of(real(account), "lab", MONDAY_MS).words() == "begins now"


@pytest.mark.parametrize("policy", ["skint", *PEERS])
def test_a_grant_is_one_amount_for_all_weeks(policy: str) -> None:
    """Three folds of 5 h, of a grant of 30 h of which 18 h are used: two fit, in any week."""
    account = simulated(replace(lab(LIMITS[1]), overrun="killed"))
    ledger = real(account)
    charge(ledger, "lab", "a", 18, SATURDAY_MS)
    standing = standing_of(ledger, "lab", MONDAY_MS)
    jobs = tuple(
        Job(f"train.{n}", "train", devices=1, limit_s=5.5 * 3600, static_key=str(n))
        for n in range(3)
    )
    graph = Graph("plan", "lab", "/plans", jobs)
    fortunes = Fortunes(0, {"train": LogNormal(5 * 3600, 0)})
    weeks = weeks_from(account, standing, 3)
    asked = (Asked(MONDAY_MS, graph, park=True),)
    setting = Setting((account,), asked, fortunes, weeks, standing=standing)
    found = look_ahead(setting) if policy == "skint" else play(policy, setting)
    assert found.folds == 2
    assert found.left_ms == found.weeks[-1].left_ms == found.weeks[-1].amount_ms
    assert found.used_ms + found.left_ms == pytest.approx(12 * HOUR_MS)
