from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.accounts.presets import preset
from budget.duration import HOUR_MS, MINUTE_MS
from budget.ledger import Ledger, LedgerError
from tests.budget.ledger.reserving import NOW_MS, RESET_MS, figures, reserve


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        opened.add_account(preset("simulated"), NOW_MS)
        yield opened


def test_an_allocation_is_reserved_in_flight_and_settled_in_turn(ledger: Ledger) -> None:
    h = HOUR_MS
    assert figures(ledger, NOW_MS) == (0, 0, 0, 30 * h)
    reserve(ledger)
    assert figures(ledger, NOW_MS) == (0, 0, 10 * h, 20 * h)
    ledger.start("a", NOW_MS + h)
    assert figures(ledger, NOW_MS + 3 * h) == (0, 2 * h, 8 * h, 20 * h)
    charge = ledger.settle(
        "a",
        NOW_MS + h,
        NOW_MS + 4 * h + 1,
        shares={"fold-0": 1, "fold-1": 1},
        now_ms=NOW_MS + 5 * h,
    )
    assert (charge.amount_ms, charge.reserved_ms, charge.estimated) == (3 * h + 1, 10 * h, False)
    assert figures(ledger, NOW_MS + 5 * h) == (3 * h + 1, 0, 0, 27 * h - 1)
    assert ledger.shares("a") == {"fold-0": 3 * h // 2 + 1, "fold-1": 3 * h // 2}
    assert ledger.reservations() == ()
    assert [row.is_open for row in ledger.reservations(open_only=False)] == [False]
    assert ledger.charges() == ledger.charges("simulated") == (charge,)
    assert ledger.charges("other") == ()


def test_everything_is_still_there_after_closing_and_opening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    with Ledger(path) as first:
        first.add_account(preset("simulated"), NOW_MS)
        reserve(first, "a")
        reserve(first, "b")
        first.start("b", NOW_MS)
        first.settle("a", NOW_MS, NOW_MS + 5, shares={"x": 1}, now_ms=NOW_MS + 5)
        before = (first.accounts(), first.reservations(False), first.charges(), first.shares("a"))
        balance = first.balance("simulated", NOW_MS + 9)
    with Ledger(path) as again:
        after = (again.accounts(), again.reservations(False), again.charges(), again.shares("a"))
        assert after == before
        assert again.balance("simulated", NOW_MS + 9) == balance


def test_reserving_the_same_again_changes_nothing(ledger: Ledger) -> None:
    reserve(ledger, expires_ms=NOW_MS + 5)
    ledger.start("a", NOW_MS)
    again = ledger.reserve(
        id="a",
        account="simulated",
        owner="run-1/train",
        devices=1,
        amount_ms=10 * HOUR_MS,
        now_ms=NOW_MS + 7,
        expires_ms=NOW_MS + 700,
    )
    assert (again.start_ms, again.reserved_at_ms) == (NOW_MS, NOW_MS)
    assert again.expires_ms == NOW_MS + 5
    assert figures(ledger, NOW_MS)[3] == 20 * HOUR_MS
    ledger.settle("a", NOW_MS, NOW_MS + 1, shares={}, now_ms=NOW_MS + 1)
    reserve(ledger)
    assert ledger.reservations() == ()


def test_settling_twice_charges_once(ledger: Ledger) -> None:
    """Edge 23: settled a second time, with other figures."""
    reserve(ledger)
    first = ledger.settle("a", NOW_MS, NOW_MS + 100, shares={"x": 1}, now_ms=NOW_MS + 100)
    second = ledger.settle("a", NOW_MS, NOW_MS + 900, shares={"y": 1}, now_ms=NOW_MS + 900)
    assert second == first
    assert ledger.shares("a") == {"x": 100}
    assert figures(ledger, NOW_MS + 900)[0] == 100


def test_an_overrun_is_charged_and_the_balance_goes_below_zero(ledger: Ledger) -> None:
    """Edge 30: a negative rest."""
    reserve(ledger, hours=30)
    charge = ledger.settle(
        "a", NOW_MS, NOW_MS + 31 * HOUR_MS, shares={}, estimated=True, now_ms=NOW_MS
    )
    assert charge.estimated
    assert figures(ledger, NOW_MS + 31 * HOUR_MS)[3] == -HOUR_MS


def test_devices_are_charged_each_and_sessions_once(ledger: Ledger) -> None:
    """Edge 26: two devices, by device and by session."""
    ledger.add_account(preset("kaggle-gpu"), NOW_MS)
    reserve(ledger, "two", devices=2)
    reserve(ledger, "session", account="kaggle-gpu", devices=2)
    charged = {
        id: ledger.settle(id, NOW_MS, NOW_MS + 50, shares={}, now_ms=NOW_MS + 50).amount_ms
        for id in ("two", "session")
    }
    assert charged == {"two": 100, "session": 50}


def test_a_charge_without_attempts_is_attributed_to_its_owner(ledger: Ledger) -> None:
    reserve(ledger)
    ledger.settle("a", NOW_MS, NOW_MS + 50, shares={}, now_ms=NOW_MS)
    assert ledger.shares("a") == {"run-1/train": 50}


def test_hours_are_summed_by_attempt_over_the_owners_of_a_run(ledger: Ledger) -> None:
    for id, owner in (("a", "run-1/train"), ("b", "run-1/more"), ("c", "run-10/train")):
        reserve(ledger, id, 1, owner=owner)
        ledger.settle(id, NOW_MS, NOW_MS + 9, shares={"x": 2, "y": 1}, now_ms=NOW_MS)
    assert ledger.charged_by("run-1/") == {"x": 12, "y": 6}
    assert ledger.charged_by("run-%") == {}


def test_a_run_across_the_reset_is_charged_to_both_weeks_to_the_millisecond(
    ledger: Ledger,
) -> None:
    reserve(ledger)
    start_ms, end_ms = RESET_MS - 1_234_567, RESET_MS + 7_654_321
    ledger.start("a", start_ms)
    assert figures(ledger, RESET_MS - 1)[1] == 1_234_566
    assert figures(ledger, RESET_MS)[1:3] == (0, 10 * HOUR_MS - 1_234_567)
    ledger.settle("a", start_ms, end_ms, shares={"x": 1}, now_ms=end_ms)
    assert figures(ledger, RESET_MS - 1)[0] == 1_234_567
    assert figures(ledger, end_ms)[0] == 7_654_321


def test_a_run_that_ended_before_the_reset_but_was_settled_after_it_is_of_the_old_week(
    ledger: Ledger,
) -> None:
    """Edge 7: nobody settles until after the reset."""
    reserve(ledger)
    ledger.settle("a", RESET_MS - 500, RESET_MS, shares={}, now_ms=RESET_MS + 10 * HOUR_MS)
    assert figures(ledger, RESET_MS + 10 * HOUR_MS)[0] == 0
    assert figures(ledger, RESET_MS - 1)[0] == 500


def test_a_charge_is_split_where_the_clocks_change(ledger: Ledger) -> None:
    # New York, Sunday 1 Nov 2026: reset at 01:30, which occurs twice; the first one counts.
    limit = weekly(30 * HOUR_MS, "sun", "01:30", "America/New_York")
    ledger.add_account(Account("ny", "machine", "local", (limit,)), NOW_MS)
    reset_ms = int(datetime(2026, 11, 1, 5, 30, tzinfo=UTC).timestamp()) * 1000
    start_ms = reset_ms - 10 * MINUTE_MS
    reserve(ledger, account="ny", now_ms=start_ms)
    ledger.settle("a", start_ms, reset_ms + 2 * HOUR_MS, shares={}, now_ms=reset_ms + 2 * HOUR_MS)
    assert figures(ledger, start_ms, "ny")[0] == 10 * MINUTE_MS
    assert figures(ledger, reset_ms + HOUR_MS, "ny")[0] == 2 * HOUR_MS


def test_what_is_released_is_free_again_and_kept_as_a_line_with_its_reason(
    ledger: Ledger,
) -> None:
    """Edge 24: released twice."""
    reserve(ledger)
    ledger.release("a", NOW_MS + 1, "submit refused: no such partition")
    ledger.release("a", NOW_MS + 2, "again")
    (line,) = ledger.charges()
    assert (line.kind, line.amount_ms, line.reserved_ms) == ("released", 0, 10 * HOUR_MS)
    assert (line.reason, line.at_ms) == ("submit refused: no such partition", NOW_MS + 1)
    assert figures(ledger, NOW_MS + 3) == (0, 0, 0, 30 * HOUR_MS)


def test_what_has_started_cannot_be_released(ledger: Ledger) -> None:
    reserve(ledger)
    ledger.start("a", NOW_MS)
    with pytest.raises(LedgerError, match="was started"):
        ledger.release("a", NOW_MS, "no")
    ledger.settle("a", NOW_MS, NOW_MS + 5, shares={}, now_ms=NOW_MS + 5)
    with pytest.raises(LedgerError, match="was charged"):
        ledger.release("a", NOW_MS, "no")
    assert figures(ledger, NOW_MS + 5)[0] == 5


def test_what_was_released_can_neither_start_nor_be_settled_in_silence(ledger: Ledger) -> None:
    """Edge 24: nothing is clamped, what cannot be is an error."""
    reserve(ledger)
    ledger.release("a", NOW_MS, "refused")
    with pytest.raises(LedgerError, match="cannot be started"):
        ledger.start("a", NOW_MS)
    with pytest.raises(LedgerError, match="cannot be settled"):
        ledger.settle("a", NOW_MS, NOW_MS + 5, shares={}, now_ms=NOW_MS)


def test_the_first_start_holds(ledger: Ledger) -> None:
    reserve(ledger)
    ledger.start("a", NOW_MS)
    ledger.start("a", NOW_MS + 1000)
    assert figures(ledger, NOW_MS + 1000)[1] == 1000
    ledger.settle("a", NOW_MS, NOW_MS + 5, shares={}, now_ms=NOW_MS)
    ledger.start("a", NOW_MS + 9)
    assert ledger.reservations(open_only=False)[0].start_ms == NOW_MS


def test_an_expired_start_is_charged_in_full_from_its_start_to_its_deadline(
    ledger: Ledger,
) -> None:
    reserve(ledger, devices=3, amount_ms=10 * HOUR_MS + 1, expires_ms=NOW_MS + HOUR_MS)
    ledger.start("a", NOW_MS)
    assert ledger.expire(NOW_MS + 2 * HOUR_MS) == ()
    later = NOW_MS + 4 * HOUR_MS
    (charge,) = ledger.expire(later)
    assert (charge.amount_ms, charge.estimated) == (10 * HOUR_MS + 1, True)
    assert (charge.start_ms, charge.end_ms) == (NOW_MS, NOW_MS + 10 * HOUR_MS // 3 + 1)
    assert ledger.expire(later) == ()
    assert figures(ledger, later) == (10 * HOUR_MS + 1, 0, 0, 20 * HOUR_MS - 1)
    assert ledger.settle("a", NOW_MS, NOW_MS + 5, shares={}, now_ms=later) == charge
    assert ledger.shares("a") == {"run-1/train": charge.amount_ms}


def test_expiry_never_frees_what_was_not_seen_to_start(ledger: Ledger) -> None:
    reserve(ledger, expires_ms=NOW_MS + HOUR_MS)
    reserve(ledger, "for ever", 1)
    next_week = RESET_MS + HOUR_MS
    before = ledger.balance("simulated", next_week).free_ms
    assert before == 19 * HOUR_MS
    (charge,) = ledger.expire(next_week)
    assert (charge.id, charge.amount_ms, charge.estimated) == ("a", 10 * HOUR_MS, True)
    assert ledger.balance("simulated", next_week).free_ms == before
    assert [row.id for row in ledger.reservations()] == ["for ever"]


def test_a_clock_that_steps_over_the_reset_and_back_forgives_nothing(ledger: Ledger) -> None:
    """Edge 4: the clock steps over the reset and back."""
    reserve(ledger)
    ledger.settle("a", NOW_MS, NOW_MS + HOUR_MS, shares={}, now_ms=NOW_MS + HOUR_MS)
    assert figures(ledger, RESET_MS + 1)[3] == 30 * HOUR_MS
    reserve(ledger, "b", 30, now_ms=RESET_MS + 1)
    assert figures(ledger, NOW_MS + HOUR_MS) == (HOUR_MS, 0, 30 * HOUR_MS, -HOUR_MS)


def test_an_account_is_added_once(ledger: Ledger) -> None:
    assert ledger.add_account(preset("kaggle-gpu"), NOW_MS) is True
    assert ledger.add_account(preset("kaggle-gpu"), NOW_MS + 1) is False
    assert [account.name for account in ledger.accounts()] == ["kaggle-gpu", "simulated"]
    with pytest.raises(LedgerError) as caught:
        ledger.add_account(preset("kaggle-tpu", called="kaggle-gpu"), NOW_MS)
    assert caught.value.got is not None and caught.value.wanted is not None
    assert f"amount_ms={20 * HOUR_MS}" in caught.value.got
    assert f"amount_ms={30 * HOUR_MS}" in caught.value.wanted
    assert "kind" not in caught.value.got
    assert ledger.account("kaggle-gpu") == preset("kaggle-gpu")


def test_a_run_of_no_time_costs_nothing(ledger: Ledger) -> None:
    """Edge 28: no time at all."""
    reserve(ledger)
    charge = ledger.settle("a", NOW_MS, NOW_MS, shares={"x": 1, "y": 1}, now_ms=NOW_MS)
    assert (charge.amount_ms, ledger.shares("a")) == (0, {"x": 0, "y": 0})
    assert figures(ledger, NOW_MS)[3] == 30 * HOUR_MS
