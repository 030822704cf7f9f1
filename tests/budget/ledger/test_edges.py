"""Edge cases of clocks, crashes, quantities and providers, as far as the ledger answers them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.accounts.machine import Machine, Metering, Session
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.ledger import Ledger, LedgerError, OverBudget, TooManySessions
from budget.ledger.line import Charge
from budget.windows import FirstUse, Rolling

SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC: the windows of the presets change here."""
NOW_MS = SATURDAY_MS + 2 * DAY_MS
H = HOUR_MS


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(preset("simulated"), 0)
        yield opened
        assert opened.check() == ()


def reserve(
    ledger: Ledger, id: str, amount_ms: int, now_ms: int = NOW_MS, account: str = "simulated",
    devices: int = 1, expires_ms: int | None = None,
) -> None:  # fmt: skip
    ledger.reserve(
        id=id,
        account=account,
        owner="run-1/",
        devices=devices,
        amount_ms=amount_ms,
        now_ms=now_ms,
        expires_ms=expires_ms,
    )


def settle(ledger: Ledger, id: str, start_ms: int, end_ms: int) -> Charge:
    return ledger.settle(id, start_ms, end_ms, shares={}, now_ms=end_ms)


def test_a_clock_that_steps_back_in_mid_run_never_counts_less_than_nothing(ledger: Ledger) -> None:
    """Edge 3: NTP, or a laptop that wakes up."""
    reserve(ledger, "a", 4 * H)
    ledger.start("a", NOW_MS)
    for now_ms, flying_ms in ((NOW_MS + H, H), (NOW_MS - H, 0), (NOW_MS + H, H)):
        balance = ledger.balance("simulated", now_ms)
        assert (balance.in_flight_ms, balance.reserved_ms) == (flying_ms, 4 * H - flying_ms)
        assert balance.free_ms == 26 * H
    with pytest.raises(LedgerError, match="cannot end before it starts"):
        settle(ledger, "a", NOW_MS, NOW_MS - 1)
    assert [row.id for row in ledger.reservations()] == ["a"]
    assert settle(ledger, "a", NOW_MS, NOW_MS + 3 * H).amount_ms == 3 * H


@pytest.mark.parametrize(("days", "weeks"), [(1, 2), (7, 2), (14, 3), (30, 6)])
def test_a_run_over_several_resets_adds_up_over_its_weeks(
    ledger: Ledger, days: int, weeks: int
) -> None:
    """Edge 6: a run spans resets, in flight and settled, to the millisecond."""
    account = Account("big", "machine", "local", (weekly(9000 * H, zone="Europe/Berlin"),))
    ledger.add_account(account, 0)
    start_ms, end_ms = SATURDAY_MS - 5 * H + 1, SATURDAY_MS - 5 * H + days * DAY_MS + 7
    amount_ms = 3 * (end_ms - start_ms)
    reserve(ledger, "a", amount_ms, start_ms, "big", 3)
    ledger.start("a", start_ms)

    flying = ledger.balance("big", end_ms)
    own_week_ms = 3 * (end_ms - max(start_ms, flying.window.start_ms))
    assert (flying.in_flight_ms, flying.reserved_ms) == (own_week_ms, 0)
    settle(ledger, "a", start_ms, end_ms)
    found, at_ms = [], start_ms
    while at_ms < end_ms:
        balance = ledger.balance("big", at_ms)
        found.append(balance.settled_ms)
        at_ms = balance.window.end_ms
    assert (len(found), sum(found), found[-1]) == (weeks, amount_ms, own_week_ms)


def test_a_scheduler_that_was_down_over_the_reset_books_by_the_time_stamps(
    ledger: Ledger,
) -> None:
    """Edge 7: Slurm would book the whole gap to the new week."""
    next_ms = SATURDAY_MS + 7 * DAY_MS
    reserve(ledger, "a", 9 * H, next_ms - 6 * H)
    ledger.settle("a", next_ms - 5 * H, next_ms - H, shares={}, now_ms=next_ms + 30 * H)
    assert ledger.balance("simulated", next_ms + 30 * H).settled_ms == 0
    assert ledger.balance("simulated", next_ms - 1).settled_ms == 4 * H


def test_what_is_half_inside_a_rolling_window_counts_with_that_half(ledger: Ledger) -> None:
    """Edge 9."""
    account = Account("roll", "machine", "local", (Limit(10 * H, Rolling(DAY_MS), "day"),))
    ledger.add_account(account, 0)
    reserve(ledger, "a", 4 * H, NOW_MS, "roll")
    settle(ledger, "a", NOW_MS, NOW_MS + 4 * H)
    half_ms = NOW_MS + DAY_MS + 2 * H
    balance = ledger.balance("roll", half_ms - 1)
    assert (balance.settled_ms, balance.free_ms) == (2 * H, 8 * H)
    with pytest.raises(OverBudget, match="it gives hours back from") as caught:
        reserve(ledger, "b", 9 * H, half_ms - 1, "roll")
    assert caught.value.until_ms is not None and caught.value.until_ms <= half_ms
    assert ledger.balance("roll", NOW_MS + DAY_MS + 4 * H).settled_ms == 0


def test_a_window_from_the_first_use_without_any_use_has_not_begun(ledger: Ledger) -> None:
    """Edge 9."""
    account = Account("zero", "machine", "local", (Limit(4 * H, FirstUse(DAY_MS), "day"),))
    ledger.add_account(account, 0)
    balance = ledger.balance("zero", NOW_MS)
    assert (balance.window.start_ms, balance.free_ms, balance.next_gain_ms) == (NOW_MS, 4 * H, None)
    reserve(ledger, "a", 4 * H, NOW_MS, "zero")
    ledger.start("a", NOW_MS + H)
    assert ledger.balance("zero", NOW_MS + 2 * H).next_gain_ms == NOW_MS + H + DAY_MS
    settle(ledger, "a", NOW_MS + H, NOW_MS + 5 * H)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "b", 1, NOW_MS + DAY_MS, "zero")
    assert caught.value.until_ms == NOW_MS + H + DAY_MS
    reserve(ledger, "b", 4 * H, NOW_MS + H + DAY_MS, "zero")


def test_a_crash_before_the_reservation_leaves_nothing(ledger: Ledger) -> None:
    """Edge 10: what was not written is asked for again under the same id."""
    assert ledger.reservations(open_only=False) == ()
    reserve(ledger, "a", H)
    reserve(ledger, "a", H)
    assert ledger.balance("simulated", NOW_MS).reserved_ms == H


def test_a_reservation_that_nobody_started_is_charged_when_it_expires(ledger: Ledger) -> None:
    """Edge 11: it does not stay for ever, and is not given back without a proof."""
    reserve(ledger, "a", H, expires_ms=NOW_MS + 2 * H)
    assert ledger.expire(NOW_MS + 2 * H - 1) == ()
    (charge,) = ledger.expire(NOW_MS + 2 * H)
    assert (charge.estimated, charge.amount_ms) == (True, H)
    assert ledger.reservations() == ()


def test_settling_again_after_a_crash_changes_nothing(ledger: Ledger) -> None:
    """Edges 15 and 23: the exit handler, the reaper and a restart all settle."""
    reserve(ledger, "a", 2 * H)
    first = settle(ledger, "a", NOW_MS, NOW_MS + H)
    assert settle(ledger, "a", NOW_MS, NOW_MS + H) == first
    assert settle(ledger, "a", NOW_MS, NOW_MS + 2 * H) == first
    assert ledger.expire(NOW_MS + 99 * H) == ()
    assert ledger.balance("simulated", NOW_MS).settled_ms == H


def test_a_second_release_gives_nothing_back(ledger: Ledger) -> None:
    """Edge 24: where counters are clamped at zero it would pass unseen."""
    reserve(ledger, "a", 10 * H)
    reserve(ledger, "b", 10 * H)
    for _ in range(3):
        ledger.release("a", NOW_MS, "never began")
    assert ledger.balance("simulated", NOW_MS).free_ms == 20 * H


def test_hours_are_devices_times_time_or_the_session_alone(ledger: Ledger) -> None:
    """Edge 26: the account says which; what is shown is what is capped."""
    ledger.add_account(preset("kaggle-gpu"), 0)
    for account, hours in (("simulated", 2), ("kaggle-gpu", 1)):
        reserve(ledger, account, hours * H, NOW_MS, account, 2)
        settle(ledger, account, NOW_MS, NOW_MS + H)
        assert ledger.balance(account, NOW_MS + H).settled_ms == hours * H
        assert ledger.charges(account)[0].amount_ms == hours * H


def test_an_attempt_that_goes_on_with_other_devices_is_charged_by_its_own(ledger: Ledger) -> None:
    """Edges 27 and 34: each attempt has a reservation and a line of its own, under one run."""
    reserve(ledger, "first", 4 * H, devices=4)
    settle(ledger, "first", NOW_MS, NOW_MS + H)
    reserve(ledger, "again", 2 * H, NOW_MS + H, devices=1)
    settle(ledger, "again", NOW_MS + H, NOW_MS + 3 * H)
    assert ledger.charged_by("run-1/") == {"run-1/": 6 * H}
    assert [(line.devices, line.amount_ms) for line in ledger.charges()] == [(4, 4 * H), (1, 2 * H)]


def test_a_storm_of_retries_ends_with_the_budget(ledger: Ledger) -> None:
    """Edge 34."""
    for number in range(30):
        reserve(ledger, f"a{number}", 2 * H, NOW_MS + number * H)
        settle(ledger, f"a{number}", NOW_MS + number * H, NOW_MS + (number + 1) * H)
        if number == 28:
            break
    with pytest.raises(OverBudget):
        reserve(ledger, "one too many", 2 * H, NOW_MS + 29 * H)
    assert ledger.balance("simulated", NOW_MS + 29 * H).settled_ms == 29 * H


def test_a_part_of_a_device_is_charged_as_its_part(ledger: Ledger) -> None:
    """Edge 27: a slice of a device (MIG) is a machine with a rate below one."""
    slices = (Machine("1g.5gb", 143, 1), Machine("whole", 1_000, 1))
    account = Account("mig", "machine", "local", (weekly(30 * H),), machines=slices)
    ledger.add_account(account, 0)
    ledger.reserve(
        id="a",
        account="mig",
        owner="run",
        devices=1,
        machine="1g.5gb",
        amount_ms=H,
        now_ms=NOW_MS,
    )
    assert settle(ledger, "a", NOW_MS, NOW_MS + 1001).amount_ms == 144
    with pytest.raises(LedgerError, match="no such machine"):
        ledger.reserve(
            id="b", account="mig", owner="run", devices=1, machine="x", amount_ms=H, now_ms=NOW_MS
        )


def test_a_provider_that_rounds_up_is_believed(ledger: Ledger) -> None:
    """Edge 28: whole minutes, and five at least; also for a job of no time at all."""
    metering = Metering(granularity_ms=MINUTE_MS, minimum_ms=5 * MINUTE_MS)
    account = replace(preset("kaggle-gpu"), name="steps", metering=metering)
    ledger.add_account(account, 0)
    at_ms = NOW_MS
    for id, ran_ms, cost_ms in (
        ("none", 0, 5 * MINUTE_MS),
        ("short", 999, 5 * MINUTE_MS),
        ("just over", 6 * MINUTE_MS + 1, 7 * MINUTE_MS),
    ):
        reserve(ledger, id, account.cost_ms(1, ran_ms), at_ms, "steps")
        assert settle(ledger, id, at_ms, at_ms + ran_ms).amount_ms == cost_ms
        at_ms += H
    assert ledger.balance("steps", at_ms).settled_ms == 17 * MINUTE_MS


def test_nothing_and_everything_are_amounts_too(ledger: Ledger) -> None:
    """Edge 30."""
    ledger.add_account(Account("none", "machine", "local", (weekly(0),)), 0)
    ledger.add_account(Account("all", "machine", "local", (weekly(UNLIMITED_MS),)), 0)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "a", 1, NOW_MS, "none")
    assert caught.value.until_ms is None
    reserve(ledger, "a", 5000 * H, NOW_MS, "all", 99)
    assert ledger.balance("all", NOW_MS).free_ms == UNLIMITED_MS - 5000 * H


def test_a_balance_below_nothing_is_kept_until_the_reset(ledger: Ledger) -> None:
    """Edge 30: the provider let it run on."""
    reserve(ledger, "a", 30 * H, SATURDAY_MS)
    settle(ledger, "a", SATURDAY_MS, SATURDAY_MS + 34 * H)
    assert ledger.balance("simulated", NOW_MS).free_ms == -4 * H
    with pytest.raises(OverBudget, match=r"-4\.00 h left"):
        reserve(ledger, "b", 1)
    assert ledger.balance("simulated", SATURDAY_MS + 7 * DAY_MS).free_ms == 30 * H


def test_allocations_at_once_are_limited_and_cost_nothing_when_refused(ledger: Ledger) -> None:
    """Edge 41, the ledger's side: no slot, no charge."""
    account = replace(preset("kaggle-gpu"), session=Session(concurrent=2))
    ledger.add_account(account, 0)
    reserve(ledger, "a", H, NOW_MS, "kaggle-gpu")
    reserve(ledger, "b", H, NOW_MS, "kaggle-gpu")
    with pytest.raises(TooManySessions):
        reserve(ledger, "c", H, NOW_MS, "kaggle-gpu")
    assert ledger.balance("kaggle-gpu", NOW_MS).reserved_ms == 2 * H
    settle(ledger, "a", NOW_MS, NOW_MS + 1)
    reserve(ledger, "c", H, NOW_MS, "kaggle-gpu")


def test_what_cannot_be_cancelled_stays_reserved_until_it_ends(ledger: Ledger) -> None:
    """Edge 42."""
    reserve(ledger, "a", 9 * H, expires_ms=NOW_MS + 12 * H)
    ledger.start("a", NOW_MS)
    with pytest.raises(LedgerError, match="settle it"):
        ledger.release("a", NOW_MS + H, "cancelled")
    assert ledger.balance("simulated", NOW_MS + 11 * H).free_ms == 21 * H
    assert ledger.expire(NOW_MS + 12 * H)[0].amount_ms == 9 * H


class TestOverrunAfterAnEstimate:
    """Edge 11: it was taken for lost, and ended later than its reservation would have."""

    @pytest.fixture
    def expired(self, ledger: Ledger) -> Ledger:
        reserve(ledger, "a", 2 * H, expires_ms=NOW_MS + 3 * H)
        ledger.start("a", NOW_MS)
        (charge,) = ledger.expire(NOW_MS + 3 * H)
        assert (charge.kind, charge.amount_ms) == ("estimated", 2 * H)
        return ledger

    def settle(self, ledger: Ledger, hours: int, *, estimated: bool = False) -> Charge:
        end_ms = NOW_MS + hours * H
        return ledger.settle(
            "a",
            NOW_MS,
            end_ms,
            shares={"x": 1, "y": 3},
            estimated=estimated,
            now_ms=NOW_MS + 20 * H,
        )

    def test_what_it_used_beyond_the_estimate_is_charged_once(self, expired: Ledger) -> None:
        for hours in (10, 10, 11):
            charge = self.settle(expired, hours)
            assert (charge.kind, charge.amount_ms) == ("estimated", 10 * H)
        first, rest = expired.charges()
        assert (first.amount_ms, rest.kind, rest.amount_ms) == (2 * H, "adjustment", 8 * H)
        assert rest.reason == "a ended later than it was charged for as an estimate"
        assert (rest.start_ms, rest.end_ms) == (NOW_MS + 2 * H, NOW_MS + 10 * H)
        assert expired.shares("a") == {"run-1/": 2 * H, "x": 2 * H, "y": 6 * H}
        assert expired.charged_by("run-1/") == expired.shares("a")
        assert expired.balance("simulated", NOW_MS + 20 * H).settled_ms == 10 * H

    def test_an_estimate_that_was_too_large_gives_nothing_back(self, expired: Ledger) -> None:
        for hours in (1, 2):
            assert self.settle(expired, hours).amount_ms == 2 * H
        assert len(expired.charges()) == 1

    def test_another_estimate_is_no_true_end(self, expired: Ledger) -> None:
        assert self.settle(expired, 10, estimated=True).amount_ms == 2 * H

    def test_where_no_start_was_seen_the_hours_are_those_before_its_end(
        self, ledger: Ledger
    ) -> None:
        reserve(ledger, "a", 2 * H, expires_ms=NOW_MS + 3 * H)
        ledger.expire(NOW_MS + 3 * H)
        assert self.settle(ledger, 10).amount_ms == 10 * H
        _, rest = ledger.charges()
        assert (rest.start_ms, rest.end_ms, rest.amount_ms) == (
            NOW_MS + 2 * H,
            NOW_MS + 10 * H,
            8 * H,
        )
