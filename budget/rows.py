"""Rows of the ledger's tables as objects and back; each function works in an open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from budget.account import Account
from budget.account_json import account_from_json, account_to_json
from budget.balance import Balance, limit_balance
from budget.line import Charge, Reservation, Span, attribute
from budget.windows.base import NoUsage

_RESERVATION = (
    "id, account, owner, devices, rate, amount_ms, reserved_at_ms, expires_ms, start_ms, closed_ms"
)
_LINE = (
    "id, kind, account, owner, start_ms, end_ms, devices, rate, reserved_ms, amount_ms, at_ms,"
    " reason"
)


def account_definition(connection: sqlite3.Connection, name: str) -> Account | None:
    """The account called `name`."""
    row = connection.execute("SELECT definition FROM account WHERE name = ?", (name,)).fetchone()
    return None if row is None else account_from_json(row[0])


def account_definitions(connection: sqlite3.Connection) -> tuple[Account, ...]:
    """All accounts, by name."""
    rows = connection.execute("SELECT definition FROM account ORDER BY name")
    return tuple(account_from_json(text) for (text,) in rows)


def insert_account(connection: sqlite3.Connection, account: Account, now_ms: int) -> None:
    connection.execute(
        "INSERT INTO account VALUES (?, ?, ?)", (account.name, account_to_json(account), now_ms)
    )


def reservation(connection: sqlite3.Connection, id: str) -> Reservation | None:
    row = connection.execute(
        f"SELECT {_RESERVATION} FROM reservation WHERE id = ?", (id,)
    ).fetchone()
    return None if row is None else Reservation(*row)


def all_reservations(connection: sqlite3.Connection) -> tuple[Reservation, ...]:
    """In the order they were made."""
    rows = connection.execute(f"SELECT {_RESERVATION} FROM reservation ORDER BY rowid")
    return tuple(Reservation(*row) for row in rows)


def open_reservations(
    connection: sqlite3.Connection, account: str | None = None
) -> tuple[Reservation, ...]:
    """Those of `account`, or of all, that are not closed, in the order they were made."""
    rows = connection.execute(
        f"SELECT {_RESERVATION} FROM reservation"
        " WHERE closed_ms IS NULL AND (?1 IS NULL OR account = ?1) ORDER BY rowid",
        (account,),
    )
    return tuple(Reservation(*row) for row in rows)


def insert_reservation(connection: sqlite3.Connection, made: Reservation) -> None:
    connection.execute(
        f"INSERT INTO reservation ({_RESERVATION}) VALUES (?,?,?,?,?,?,?,?,?,?)",
        tuple(getattr(made, name.strip()) for name in _RESERVATION.split(",")),
    )


def set_start(connection: sqlite3.Connection, id: str, start_ms: int) -> None:
    connection.execute("UPDATE reservation SET start_ms = ? WHERE id = ?", (start_ms, id))


def line(connection: sqlite3.Connection, id: str) -> Charge | None:
    row = connection.execute(f"SELECT {_LINE} FROM line WHERE id = ?", (id,)).fetchone()
    return None if row is None else Charge(*row)


def lines(connection: sqlite3.Connection, account: str | None = None) -> tuple[Charge, ...]:
    """Those of `account`, or of all, in the order they were written."""
    rows = connection.execute(
        f"SELECT {_LINE} FROM line WHERE ?1 IS NULL OR account = ?1 ORDER BY rowid", (account,)
    )
    return tuple(Charge(*row) for row in rows)


def insert_line(connection: sqlite3.Connection, charge: Charge) -> None:
    connection.execute(
        f"INSERT INTO line ({_LINE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        tuple(getattr(charge, name.strip()) for name in _LINE.split(",")),
    )


def close_reservation(
    connection: sqlite3.Connection, charge: Charge, weights: Mapping[str, int]
) -> None:
    """Replace the reservation by `charge`, attributed by `weights`, or to its owner if empty.

    Raises ValueError for negative weights.
    """
    parts = attribute(charge.amount_ms, weights or {charge.owner: 1})
    insert_line(connection, charge)
    connection.execute(
        "UPDATE reservation SET closed_ms = ? WHERE id = ?", (charge.at_ms, charge.id)
    )
    connection.executemany(
        "INSERT INTO share VALUES (?, ?, ?)",
        [(charge.id, attempt, part_ms) for attempt, part_ms in parts.items()],
    )


def line_shares(connection: sqlite3.Connection, id: str) -> dict[str, int]:
    """Milliseconds by attempt of one line."""
    rows = connection.execute(
        "SELECT attempt, amount_ms FROM share WHERE line = ? ORDER BY attempt", (id,)
    )
    return dict(rows.fetchall())


def shares_by_owner(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """Milliseconds by attempt of all lines whose owner begins with `prefix`."""
    rows = connection.execute(
        "SELECT share.attempt, sum(share.amount_ms) FROM share JOIN line ON line.id = share.line"
        " WHERE substr(line.owner, 1, length(?1)) = ?1 GROUP BY share.attempt",
        (prefix,),
    )
    return dict(rows.fetchall())


def balance_of(connection: sqlite3.Connection, account: Account, now_ms: int) -> Balance:
    """The balance of `account` in the windows of `now_ms`."""
    reservations = open_reservations(connection, account.name)
    limits = []
    for limit in account.limits:
        window = limit.window.window_at(now_ms, NoUsage())
        values = {"account": account.name, "a": window.start_ms, "b": window.end_ms}
        # What was booked at the very instant of a reset belongs to the window that begins there.
        (inside_ms,) = connection.execute(
            "SELECT coalesce(sum(amount_ms), 0) FROM line WHERE account = :account"
            " AND end_ms >= :a AND end_ms <= :b AND start_ms >= :a AND start_ms < :b",
            values,
        ).fetchone()
        crossing = connection.execute(
            "SELECT start_ms, end_ms, rate, amount_ms FROM line WHERE account = :account"
            " AND end_ms > :a AND start_ms < :b AND (start_ms < :a OR end_ms > :b)",
            values,
        ).fetchall()
        limits.append(
            limit_balance(
                limit,
                window,
                now_ms,
                inside_ms=inside_ms,
                crossing=[Span(*row) for row in crossing],
                reservations=reservations,
            )
        )
    return Balance(account.name, tuple(limits), account.kind == "simulated")
