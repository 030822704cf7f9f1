"""What stands in the ledger, as rows."""

from __future__ import annotations

from budget.duration import HOUR_MS
from budget.ledger import Ledger
from orchestrator.views.budget.entries import COLUMNS, Entry, cells_of, entries_of, iso_instant
from tests.orchestrator.views.balances import account
from tests.orchestrator.worlds import SATURDAY_MS


def everything() -> tuple[Ledger, tuple[Entry, ...]]:
    """One of each kind: an open and a settled reservation, one released, one refunded."""
    ledger = Ledger(":memory:")
    ledger.add_account(account(), SATURDAY_MS)
    for number, id in enumerate(("settled", "released", "open")):
        ledger.reserve(
            id=id,
            account="lab",
            owner="run-1/",
            devices=2,
            amount_ms=4 * HOUR_MS,
            now_ms=SATURDAY_MS + number,
        )
    ledger.settle(
        "settled", SATURDAY_MS + 10, SATURDAY_MS + 10 + HOUR_MS, shares={}, now_ms=SATURDAY_MS + 20
    )
    ledger.release("released", SATURDAY_MS + 21, "refused")
    ledger.adjust("lab", -HOUR_MS, "broken", SATURDAY_MS + 22, "refund", refunds="settled")
    ledger.reading(
        "lab", id="read", used_ms=3 * HOUR_MS, at_ms=SATURDAY_MS + 23, now_ms=SATURDAY_MS + 40
    )
    ledger.book_saving("s", "lab", "run-2/", "cache", HOUR_MS, "known", SATURDAY_MS + 24)
    return ledger, entries_of(
        ledger.accounts(),
        reservations=ledger.reservations(open_only=False),
        charges=ledger.charges(),
        readings=ledger.readings(),
        lots=ledger.lots(),
        savings=ledger.savings(),
    )


def test_an_allocation_is_one_row_open_or_closed_and_rows_are_in_order() -> None:
    _, entries = everything()
    assert [(entry.kind, entry.id) for entry in entries] == [
        ("reservation", "open"),
        ("settled", "settled"),
        ("released", "released"),
        ("adjustment", "refund"),
        ("reading", "read"),
        ("saving", "s"),
    ]
    settled = entries[1]
    assert (settled.reserved_at_ms, settled.devices) == (SATURDAY_MS, 2)


def test_columns_of_amounts_add_up_to_what_the_ledger_says() -> None:
    ledger, entries = everything()
    balance = ledger.balance("lab", SATURDAY_MS + 25)
    assert sum(entry.charged_ms or 0 for entry in entries) == balance.settled_ms == HOUR_MS
    still_open = [entry for entry in entries if entry.kind == "reservation"]
    assert sum(entry.reserved_ms or 0 for entry in still_open) == balance.reserved_ms
    assert sum(entry.saved_ms or 0 for entry in entries) == sum(balance.saved.values())
    assert sum(entry.provider_used_ms or 0 for entry in entries) == 3 * HOUR_MS


def test_every_row_has_a_cell_for_every_column_and_the_refund_names_its_charge() -> None:
    _, entries = everything()
    for entry in entries:
        cells = dict(zip(COLUMNS, cells_of(entry), strict=True))
        assert cells["at"] == iso_instant(entry.at_ms)
        assert cells["refunds"] == ("settled" if entry.id == "refund" else "")


def test_an_instant_is_written_in_utc_to_the_millisecond() -> None:
    assert iso_instant(SATURDAY_MS) == "2026-11-21T00:00:00.000Z"
    assert iso_instant(SATURDAY_MS + 1) == "2026-11-21T00:00:00.001Z"


def test_an_account_that_nobody_knows_any_more_is_no_trouble() -> None:
    ledger, _ = everything()
    assert {entry.unit for entry in entries_of((), charges=ledger.charges())} == {"device"}
