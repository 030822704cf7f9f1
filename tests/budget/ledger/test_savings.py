from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import AccountNotFound, IdTaken, Ledger, LedgerError, SavingNotFound

SATURDAY_MS = 1_795_219_200_000
NOW_MS = SATURDAY_MS + DAY_MS


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(preset("simulated"), SATURDAY_MS)
        yield opened


def book(ledger: Ledger, id: str, kind: str = "cache", ms: int = HOUR_MS, at: int = NOW_MS) -> bool:
    return ledger.book_saving(id, "simulated", "run-1/train", kind, ms, "5 folds x 12 min", at)


def test_a_saving_is_booked_once_with_its_derivation(ledger: Ledger) -> None:
    """Edge 35, the ledger's side: a cache hit charges nothing and is told."""
    assert book(ledger, "a") is True
    assert book(ledger, "a", ms=5) is False
    (saving,) = ledger.savings()
    assert (saving.kind, saving.amount_ms, saving.at_ms) == ("cache", HOUR_MS, NOW_MS)
    assert (saving.owner, saving.derivation) == ("run-1/train", "5 folds x 12 min")
    assert ledger.charges() == ()
    assert ledger.balance("simulated", NOW_MS).free_ms == 30 * HOUR_MS


def test_savings_are_summed_by_kind_in_the_window(ledger: Ledger) -> None:
    for id, kind in (("a", "cache"), ("b", "cache"), ("c", "early-stop"), ("d", "parked")):
        book(ledger, id, kind)
    book(ledger, "e", "refused", at=SATURDAY_MS - 1)
    assert ledger.balance("simulated", NOW_MS).saved == {
        "cache": 2 * HOUR_MS, "early-stop": HOUR_MS, "parked": HOUR_MS,
    }  # fmt: skip
    assert ledger.balance("simulated", SATURDAY_MS - 1).saved == {"refused": HOUR_MS}
    assert len(ledger.savings("simulated")) == 5
    assert len(ledger.savings(since_ms=SATURDAY_MS)) == 4
    assert ledger.savings("other") == ()


def test_absurd_savings_are_refused(ledger: Ledger) -> None:
    calls: list[Callable[[], object]] = [
        lambda: book(ledger, "a", kind="luck"),
        lambda: book(ledger, "a", ms=-1),
        lambda: book(ledger, ""),
        lambda: ledger.book_saving("a", "simulated", "run", "cache", 5, "", NOW_MS),
    ]
    for call in calls:
        with pytest.raises(LedgerError):
            call()
    with pytest.raises(AccountNotFound):
        ledger.book_saving("a", "nobody", "run", "cache", 5, "why", NOW_MS)
    assert ledger.savings() == ()


def test_a_saving_is_taken_back_once_and_counts_no_more_where_it_did(ledger: Ledger) -> None:
    """It is never changed: less than nothing stands beside it, in the window that it counted in."""
    book(ledger, "a", "early-stop", at=SATURDAY_MS - 1)
    book(ledger, "b", "early-stop")
    assert ledger.take_back_saving("a.back", "a", "train was resumed") is True
    assert ledger.take_back_saving("a.back", "a", "train was resumed") is False
    assert ledger.balance("simulated", SATURDAY_MS - 1).saved == {"early-stop": 0}
    assert ledger.balance("simulated", NOW_MS).saved == {"early-stop": HOUR_MS}
    told = [(saving.id, saving.amount_ms, saving.takes_back) for saving in ledger.savings()]
    assert told == [("a", HOUR_MS, None), ("b", HOUR_MS, None), ("a.back", -HOUR_MS, "a")]


def test_only_a_saving_that_is_there_is_taken_back(ledger: Ledger) -> None:
    book(ledger, "a")
    book(ledger, "b")
    ledger.take_back_saving("a.back", "a", "it was resumed")
    for saving in ("c", "a.back"):
        with pytest.raises(SavingNotFound, match="no such saving"):
            ledger.take_back_saving("d", saving, "it was resumed")
    with pytest.raises(IdTaken):
        ledger.take_back_saving("a", "b", "it was resumed")
    assert len(ledger.savings()) == 3
