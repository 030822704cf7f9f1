"""Readings and lots as rows: noted once, never changed."""

from __future__ import annotations

import sqlite3

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.ledger.file import LedgerError
from budget.ledger.line import Reservation
from budget.ledger.lot import Lot
from budget.ledger.reading import Reading
from budget.ledger.refusal import IdTaken

_READING = (
    "id, account, limit_name, used_ms, at_ms, allowed_ms, reserved_ms, refresh_ms, source,"
    " others_reserved_ms, noted_ms"
)
_LOT = "id, account, amount_ms, granted_ms, expires_ms, reason, noted_ms"


def newest(
    connection: sqlite3.Connection, account: str, limit: str, until_ms: int
) -> Reading | None:
    """The reading of the limit with the latest time, `until_ms` at the latest."""
    row = connection.execute(
        f"SELECT {_READING} FROM reading WHERE account = ? AND limit_name = ? AND at_ms <= ?"
        " ORDER BY at_ms DESC, rowid DESC LIMIT 1",
        (account, limit, until_ms),
    ).fetchone()
    return None if row is None else Reading(*row)


def readings(connection: sqlite3.Connection, account: str | None = None) -> tuple[Reading, ...]:
    """Those of `account`, or of all, in the order they were noted."""
    rows = connection.execute(
        f"SELECT {_READING} FROM reading WHERE ?1 IS NULL OR account = ?1 ORDER BY rowid",
        (account,),
    )
    return tuple(Reading(*row) for row in rows)


def lots(connection: sqlite3.Connection, account: str | None = None) -> tuple[Lot, ...]:
    """Those of `account`, or of all, in the order they were noted."""
    rows = connection.execute(
        f"SELECT {_LOT} FROM lot WHERE ?1 IS NULL OR account = ?1 ORDER BY rowid", (account,)
    )
    return tuple(Lot(*row) for row in rows)


def note(connection: sqlite3.Connection, reading: Reading) -> Reading:
    """Keep `reading`, or return the one that stands there. Raises `IdTaken`."""
    row = connection.execute(
        f"SELECT {_READING} FROM reading WHERE id = ?", (reading.id,)
    ).fetchone()
    if row is not None:
        known = Reading(*row)
        names = ("account", "limit", "used_ms", "at_ms", "allowed_ms", "reserved_ms", "refresh_ms")
        _check_same(reading.id, known, reading, names)
        return known
    values = tuple(getattr(reading, name) for name in Reading.__slots__)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO reading ({_READING}) VALUES ({marks})", values)
    return reading


def grant(connection: sqlite3.Connection, account: Account, lot: Lot) -> bool:
    """Keep `lot`; False if it stands there. Raises `IdTaken`, and LedgerError for an account that
    has no lots."""
    if not any(limit.window.kind == "lots" for limit in account.limits):
        raise LedgerError(
            f"account {account.name} has no limit that counts lots",
            got=", ".join(f"{limit.name} {limit.window.kind}" for limit in account.limits),
            next=f"skint account show {account.name}",
        )
    row = connection.execute(f"SELECT {_LOT} FROM lot WHERE id = ?", (lot.id,)).fetchone()
    if row is not None:
        names = ("account", "amount_ms", "granted_ms", "expires_ms")
        _check_same(lot.id, Lot(*row), lot, names)
        return False
    values = tuple(getattr(lot, name) for name in Lot.__slots__)
    connection.execute(f"INSERT INTO lot ({_LOT}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    return True


def limit_read(account: Account, name: str, allowed_ms: int | None) -> str:
    """The name of the limit that a reading is of; "" is the first that sums up.

    Raises LedgerError for a limit that no reading can be of.
    """
    try:
        limit = account.limit(name) if name else None
    except AccountError as error:
        raise LedgerError(error.what, got=error.got, wanted=error.wanted) from error
    if limit is None:
        limit = next((one for one in account.limits if one.window.kind != "per-session"), None)
    if limit is None or limit.window.kind == "per-session":
        raise LedgerError(
            f"account {account.name} counts each session alone: there is nothing to read",
            got=name or "no limit that sums up",
        )
    if limit.window.kind == "lots" and allowed_ms is None:
        raise LedgerError(
            f"a reading of {limit.name} of account {account.name} must say what is allowed:"
            " its amount comes from lots",
            wanted="used and allowed, or what is left as allowed and 0 as used",
        )
    return limit.name


def others_reserved_ms(reserved_ms: int | None, at_ms: int, reservations: list[Reservation]) -> int:
    """The part of what the provider counts as reserved that is none of ours."""
    ours_ms = sum(row.amount_ms - row.in_flight_ms(at_ms) for row in reservations)
    return max(0, (reserved_ms or 0) - ours_ms)


def _check_same(id: str, known: object, asked: object, names: tuple[str, ...]) -> None:
    different = [name for name in names if getattr(known, name) != getattr(asked, name)]
    if different:
        raise IdTaken(
            f"the id {id} stands for something else in the ledger",
            got=", ".join(f"{name} {getattr(asked, name)}" for name in different),
            wanted=", ".join(f"{name} {getattr(known, name)}" for name in different),
        )
