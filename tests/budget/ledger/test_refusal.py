"""What the ledger refuses, and what it says then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import AccountNotFound, Ledger, LedgerError, OverBudget
from tests.budget.ledger.reserving import NOW_MS, RESET_MS, figures, reserve


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        opened.add_account(preset("simulated"), NOW_MS)
        yield opened


def test_what_does_not_fit_is_refused_with_numbers_and_the_reset(ledger: Ledger) -> None:
    reserve(ledger, "a", 28)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "b", amount_ms=2 * HOUR_MS + 1)
    error = caught.value
    assert (error.exit_code, error.account) == (5, "simulated")
    assert (error.needed_ms, error.free_ms) == (2 * HOUR_MS + 1, 2 * HOUR_MS)
    assert error.until_ms == RESET_MS
    assert str(error) == (
        "simulated has 2.00 h left of 30.00 h and this needs 2.00 h: 0.001 s too much;"
        " it resets Sat 14 Nov 2026 00:00 UTC\n"
        "  got     settled 0.00 h, in flight 0.00 h, reserved 28.00 h\n"
        "  next    ask for less, or wait for the reset"
    )
    assert [row.id for row in ledger.reservations()] == ["a"]
    reserve(ledger, "b", 2)
    assert figures(ledger, NOW_MS)[3] == 0


def test_what_never_fits_is_told_so(ledger: Ledger) -> None:
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, hours=31)
    assert caught.value.next == "ask for less: no reset helps, a whole window has 30.00 h"


def test_an_account_of_nothing_admits_nothing(ledger: Ledger) -> None:
    """Edge 30: an amount of zero."""
    ledger.add_account(Account("none", "machine", "local", (weekly(0),)), NOW_MS)
    with pytest.raises(OverBudget):
        reserve(ledger, account="none", amount_ms=1)


def test_every_limit_must_admit(ledger: Ledger) -> None:
    limits = (weekly(30 * HOUR_MS), weekly(4 * HOUR_MS, resets_on="fri", name="friday"))
    ledger.add_account(Account("two", "machine", "local", limits), NOW_MS)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, account="two", hours=5)
    assert caught.value.until_ms is None
    reserve(ledger, account="two", hours=1)
    with pytest.raises(OverBudget) as caught:
        reserve(ledger, "b", account="two", hours=4)
    assert caught.value.until_ms == RESET_MS - 24 * HOUR_MS
    reserve(ledger, "b", account="two", hours=3)
    assert [limit.free_ms for limit in ledger.balance("two", NOW_MS).limits] == [26 * HOUR_MS, 0]


@pytest.mark.parametrize(
    "changed", [{"amount_ms": 1}, {"owner": "other"}, {"devices": 2}, {"account": "kaggle-gpu"}]
)
def test_an_id_stands_for_one_reservation_only(ledger: Ledger, changed: dict[str, Any]) -> None:
    ledger.add_account(preset("kaggle-gpu"), NOW_MS)
    reserve(ledger)
    with pytest.raises(LedgerError, match="another reservation has the id a"):
        reserve(ledger, **changed)


def test_an_unknown_account_is_answered_with_the_nearest_names(ledger: Ledger) -> None:
    calls: list[Callable[[], object]] = [
        lambda: ledger.account("simulatd"),
        lambda: ledger.balance("simulatd", NOW_MS),
        lambda: reserve(ledger, account="simulatd"),
        lambda: ledger.adjust("simulatd", 1, "x", NOW_MS, "y"),
    ]
    for call in calls:
        with pytest.raises(AccountNotFound) as caught:
            call()
        assert caught.value.exit_code == 3
        assert caught.value.wanted == "simulated"
        assert caught.value.next == "did you mean simulated?"


def test_calls_about_unknown_reservations_are_refused(ledger: Ledger) -> None:
    calls: list[Callable[[], object]] = [
        lambda: ledger.start("no", NOW_MS),
        lambda: ledger.settle("no", NOW_MS, NOW_MS, shares={}, now_ms=NOW_MS),
        lambda: ledger.release("no", NOW_MS, "x"),
    ]
    for call in calls:
        with pytest.raises(LedgerError, match="no such reservation"):
            call()
    assert ledger.shares("no") == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_ms": 0},
        {"amount_ms": -HOUR_MS},
        {"amount_ms": 1.5},
        {"amount_ms": True},
        {"amount_ms": 10**18},
        {"devices": 0},
        {"id": ""},
        {"owner": ""},
        {"now_ms": float("nan")},
        {"now_ms": 10**18},
        {"expires_ms": -1},
    ],
)
def test_absurd_reservations_are_refused(ledger: Ledger, changed: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as caught:
        reserve(ledger, **changed)
    assert caught.value.what.startswith(next(iter(changed)))
    assert ledger.reservations(open_only=False) == ()


def test_absurd_settlements_are_refused_and_leave_the_reservation_open(ledger: Ledger) -> None:
    reserve(ledger)
    for start_ms, end_ms, shares in (
        (NOW_MS, NOW_MS - 1, {}),
        (-1, NOW_MS, {}),
        (0, 10**14, {}),
        (NOW_MS, NOW_MS + 1, {"x": -1}),
    ):
        with pytest.raises(LedgerError):
            ledger.settle("a", start_ms, end_ms, shares=shares, now_ms=NOW_MS)
    assert [row.id for row in ledger.reservations()] == ["a"]
    assert ledger.charges() == ()
