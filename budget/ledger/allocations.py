"""What the ledger does with an allocation, from its reservation to its one line.

Each function is one transaction's work and is safe to be asked again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import replace

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.attribution import attribute
from budget.ledger import reckoning, rows, versions
from budget.ledger.file import LedgerError
from budget.ledger.line import (
    ESTIMATED,
    RELEASED,
    SETTLED,
    Charge,
    Reservation,
    Span,
)
from budget.ledger.refusal import (
    IdTaken,
    OverBudget,
    ReservationNotFound,
    TooManySessions,
    check_whole,
)


def reserve(
    connection: sqlite3.Connection,
    *,
    id: str,
    account: str,
    owner: str,
    devices: int,
    machine: str,
    amount_ms: int,
    now_ms: int,
    expires_ms: int | None,
) -> Reservation:
    """Set an amount aside on the account and, with it, on every parent."""
    known = rows.reservation(connection, id)
    if known is not None:
        asked = (account, owner, devices, machine, amount_ms)
        stands = (known.account, known.owner, known.devices, known.machine, known.amount_ms)
        if asked != stands:
            raise IdTaken(f"another reservation has the id {id}", got=asked, wanted=str(stands))
        return known
    if rows.line(connection, id) is not None:
        raise IdTaken(f"the id {id} stands for an adjustment already")
    books = reckoning.books(connection, account, now_ms)
    refusing = reckoning.admission_by(books).refusing(amount_ms)
    if refusing is not None:
        raise OverBudget(amount_ms, refusing)
    for book in books:
        concurrent, open_now = book.account.session.concurrent, len(book.reservations)
        if concurrent is not None and open_now >= concurrent:
            raise TooManySessions(book.account.name, open_now, concurrent)
    definition = books[0].account
    made = Reservation(
        id=id,
        account=account,
        owner=owner,
        devices=devices,
        machine=machine,
        rate_milli=_rate_milli(definition, devices, machine),
        step_ms=definition.metering.granularity_ms,
        minimum_ms=definition.metering.minimum_ms,
        amount_ms=amount_ms,
        reserved_at_ms=now_ms,
        expires_ms=expires_ms,
        start_ms=None,
        closed_ms=None,
    )
    expiring = reckoning.expires_before(books, made)
    if expiring is not None:
        raise OverBudget(amount_ms, expiring)
    rows.insert_reservation(connection, made)
    return made


def _rate_milli(definition: Account, devices: int, machine: str) -> int:
    try:
        return definition.rate_milli(devices, machine)
    except AccountError as error:
        raise LedgerError(error.what, got=error.got, wanted=error.wanted) from error


def start(connection: sqlite3.Connection, id: str, start_ms: int) -> None:
    """Note when the allocation began; the first call holds."""
    reservation = _reservation(connection, id)
    _charge_unless_released(connection, id, "started")
    if reservation.is_open and reservation.start_ms is None:
        rows.set_start(connection, id, start_ms)


def settle(
    connection: sqlite3.Connection,
    id: str,
    start_ms: int,
    end_ms: int,
    *,
    shares: Mapping[str, int],
    estimated: bool,
    now_ms: int,
) -> Charge:
    """Replace the reservation by what was used, once.

    Of one that was charged as an estimate only what it used beyond that is charged, once too.
    """
    reservation = _reservation(connection, id)
    first = _charge_unless_released(connection, id, "settled")
    if first is not None and (estimated or not first.estimated):
        return _with_overrun(connection, first)
    span = reservation.used(start_ms, end_ms)
    check_whole("the charge", span.amount_ms, 0)
    if first is not None:
        if span.amount_ms > first.amount_ms and rows.line(connection, overrun_id(id)) is None:
            made = first.overrun(overrun_id(id), span, now_ms)
            parts = attribute(made.amount_ms, shares or {made.owner: 1})
            accounts = versions.chain(connection, made.account)
            rows.insert_line(connection, made, accounts, parts)
        return _with_overrun(connection, first)
    kind = ESTIMATED if estimated else SETTLED
    charge = Charge.replacing(reservation, kind=kind, span=span, at_ms=now_ms)
    accounts = versions.chain(connection, charge.account)
    rows.close_reservation(connection, charge, accounts, shares)
    return charge


def overrun_id(id: str) -> str:
    """Of the adjustment that charges what the allocation `id` used beyond its estimate."""
    return f"{id}.overrun"


def _with_overrun(connection: sqlite3.Connection, first: Charge) -> Charge:
    rest = rows.line(connection, overrun_id(first.id)) if first.estimated else None
    return first if rest is None else replace(first, amount_ms=first.amount_ms + rest.amount_ms)


def release(connection: sqlite3.Connection, id: str, now_ms: int, reason: str) -> None:
    """Give back what provably never started; kept as a line of zero."""
    reservation = _reservation(connection, id)
    first = rows.line(connection, id)
    if first is not None and first.kind == RELEASED:
        return
    if first is not None or reservation.start_ms is not None:
        raise LedgerError(
            f"the allocation {id} was {'charged' if first else 'started'}: it cannot be released",
            next="adjust the account if the charge is wrong" if first else "settle it",
        )
    span = Span(now_ms, now_ms, reservation.rate_milli, 0)
    charge = Charge.replacing(reservation, kind=RELEASED, span=span, at_ms=now_ms, reason=reason)
    rows.close_reservation(connection, charge, (), {})


def expire(
    connection: sqlite3.Connection, now_ms: int, spare: Collection[str] = ()
) -> tuple[Charge, ...]:
    """Charge every open reservation past its expiry in full, but for those in `spare`."""
    charges = tuple(
        Charge.expiring(reservation, now_ms)
        for reservation in rows.open_reservations(connection)
        if reservation.expired(now_ms) and reservation.id not in spare
    )
    for charge in charges:
        accounts = versions.chain(connection, charge.account)
        rows.close_reservation(connection, charge, accounts, {})
    return charges


def _reservation(connection: sqlite3.Connection, id: str) -> Reservation:
    reservation = rows.reservation(connection, id)
    if reservation is None:
        raise ReservationNotFound("the ledger has no such reservation", got=id)
    return reservation


def _charge_unless_released(connection: sqlite3.Connection, id: str, verb: str) -> Charge | None:
    charge = rows.line(connection, id)
    if charge is not None and charge.kind == RELEASED:
        raise LedgerError(
            f"the allocation {id} was released as never started ({charge.reason}):"
            f" it cannot be {verb}",
            next="adjust the account by what was used after all",
        )
    return charge
