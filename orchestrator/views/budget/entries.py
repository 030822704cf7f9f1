"""What stands in the ledger, as rows of one shape: for the screen, for CSV and for JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from budget.accounts.account import Account
from budget.ledger.line import ADJUSTMENT, Charge, Reservation
from budget.ledger.lot import Lot
from budget.ledger.reading import Reading
from budget.ledger.saving import Saving

Cell = str | int | bool | None
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. Amounts are weighted milliseconds of the account: 3,600,000 are one hour or credit.

    Each column of amounts has one meaning, so that it may be added up: what was charged is the sum
    of `charged_ms`, whatever else was written down. None: the column says nothing of this kind.
    """

    kind: str
    """reservation (an open one), settled, estimated, released, adjustment, reading, lot, saving."""
    id: str
    account: str
    simulated: bool
    """The account's hours are pretended ones."""
    unit: str
    at_ms: int
    """When it was written, or when the provider's counter was read, or a lot granted."""
    owner: str = ""
    reserved_at_ms: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    machine: str = ""
    devices: int | None = None
    rate_milli: int | None = None
    reserved_ms: int | None = None
    charged_ms: int | None = None
    limit: str = ""
    provider_used_ms: int | None = None
    provider_reserved_ms: int | None = None
    provider_allowed_ms: int | None = None
    refresh_ms: int | None = None
    granted_ms: int | None = None
    expires_ms: int | None = None
    saved_ms: int | None = None
    source: str = ""
    """Where a reading is from, or what kind of hours was saved."""
    refunds: str = ""
    """The charge that an adjustment gives back."""
    reason: str = ""


COLUMNS = ("at", *(field.name for field in fields(Entry)))
"""Columns of an export: `at` is `at_ms` as ISO 8601 in UTC."""


def cells_of(entry: Entry) -> tuple[Cell, ...]:
    """One value for each of `COLUMNS`."""
    return (iso_instant(entry.at_ms), *(getattr(entry, name) for name in COLUMNS[1:]))


def iso_instant(at_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond: "2026-11-28T00:00:00.000Z"."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def entries_of(
    accounts: Sequence[Account],
    *,
    reservations: Iterable[Reservation] = (),
    charges: Iterable[Charge] = (),
    readings: Iterable[Reading] = (),
    lots: Iterable[Lot] = (),
    savings: Iterable[Saving] = (),
) -> tuple[Entry, ...]:
    """All of it in the order in which it was written; equal times in the order given.

    Of an allocation there is one entry: its reservation while that is open, then its charge.
    """
    known = {account.name: account for account in accounts}
    made = {row.id: row for row in reservations}
    found = [
        *(_of_reservation(row, known) for row in made.values() if row.is_open),
        *(_of_charge(charge, made.get(charge.id), known) for charge in charges),
        *(_of_reading(reading, known) for reading in readings),
        *(_of_lot(lot, known) for lot in lots),
        *(_of_saving(saving, known) for saving in savings),
    ]
    return tuple(sorted(found, key=lambda entry: entry.at_ms))


def _unit(known: Mapping[str, Account], name: str) -> str:
    return known[name].unit if name in known else "device"


def _simulated(known: Mapping[str, Account], name: str) -> bool:
    return name in known and known[name].kind == "simulated"


def _of_reservation(made: Reservation, known: Mapping[str, Account]) -> Entry:
    return Entry(
        kind="reservation",
        id=made.id,
        account=made.account,
        simulated=_simulated(known, made.account),
        unit=_unit(known, made.account),
        at_ms=made.reserved_at_ms,
        reserved_at_ms=made.reserved_at_ms,
        owner=made.owner,
        start_ms=made.start_ms,
        machine=made.machine,
        devices=made.devices,
        rate_milli=made.rate_milli,
        reserved_ms=made.amount_ms,
        expires_ms=made.expires_ms,
    )


def _of_charge(charge: Charge, made: Reservation | None, known: Mapping[str, Account]) -> Entry:
    allocated = charge.kind != ADJUSTMENT
    return Entry(
        kind=charge.kind,
        id=charge.id,
        account=charge.account,
        simulated=_simulated(known, charge.account),
        unit=_unit(known, charge.account),
        at_ms=charge.at_ms,
        owner=charge.owner,
        reserved_at_ms=made.reserved_at_ms if made else None,
        start_ms=charge.start_ms,
        end_ms=charge.end_ms,
        machine=charge.machine,
        devices=charge.devices if allocated else None,
        rate_milli=charge.rate_milli if allocated else None,
        reserved_ms=charge.reserved_ms if allocated else None,
        charged_ms=charge.amount_ms,
        expires_ms=made.expires_ms if made else None,
        refunds=charge.refunds or "",
        reason=charge.reason,
    )


def _of_reading(reading: Reading, known: Mapping[str, Account]) -> Entry:
    return Entry(
        kind="reading",
        id=reading.id,
        account=reading.account,
        simulated=_simulated(known, reading.account),
        unit=_unit(known, reading.account),
        at_ms=reading.at_ms,
        limit=reading.limit,
        provider_used_ms=reading.used_ms,
        provider_reserved_ms=reading.reserved_ms,
        provider_allowed_ms=reading.allowed_ms,
        refresh_ms=reading.refresh_ms,
        source=reading.source,
    )


def _of_lot(lot: Lot, known: Mapping[str, Account]) -> Entry:
    return Entry(
        kind="lot",
        id=lot.id,
        account=lot.account,
        simulated=_simulated(known, lot.account),
        unit=_unit(known, lot.account),
        at_ms=lot.granted_ms,
        granted_ms=lot.amount_ms,
        expires_ms=lot.expires_ms,
        reason=lot.reason,
    )


def _of_saving(saving: Saving, known: Mapping[str, Account]) -> Entry:
    return Entry(
        kind="saving",
        id=saving.id,
        account=saving.account,
        simulated=_simulated(known, saving.account),
        unit=_unit(known, saving.account),
        at_ms=saving.at_ms,
        owner=saving.owner,
        saved_ms=saving.amount_ms,
        source=saving.kind,
        reason=saving.derivation,
    )
