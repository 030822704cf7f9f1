"""Rows of the ledger's tables as objects and back; each function works in an open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from operator import attrgetter

from budget.attribution import attribute
from budget.ledger import total
from budget.ledger.line import Charge, Reservation
from budget.ledger.saving import Saving
from budget.windows import Window

_RESERVATION = (
    "id, account, owner, devices, machine, rate_milli, step_ms, minimum_ms, amount_ms,"
    " reserved_at_ms, expires_ms, start_ms, closed_ms"
)
_LINE = (
    "id, kind, account, owner, start_ms, end_ms, devices, machine, rate_milli, reserved_ms,"
    " amount_ms, at_ms, reason, refunds"
)
_reservation_values = attrgetter(*Reservation.__slots__)
_line_values = attrgetter(*Charge.__slots__)
_SAVING = "id, account, owner, kind, amount_ms, derivation, at_ms, takes_back"


def reservation(connection: sqlite3.Connection, id: str) -> Reservation | None:
    row = connection.execute(
        f"SELECT {_RESERVATION} FROM reservation WHERE id = ?", (id,)
    ).fetchone()
    return None if row is None else Reservation(*row)


def all_reservations(connection: sqlite3.Connection) -> tuple[Reservation, ...]:
    """In the order they were made."""
    rows = connection.execute(f"SELECT {_RESERVATION} FROM reservation ORDER BY rowid")
    return tuple(Reservation(*row) for row in rows)


def open_reservations(connection: sqlite3.Connection) -> tuple[Reservation, ...]:
    """Those that are not closed, in the order they were made."""
    rows = connection.execute(
        f"SELECT {_RESERVATION} FROM reservation INDEXED BY reservation_open"
        " WHERE closed_ms IS NULL ORDER BY rowid"
    )
    return tuple(Reservation(*row) for row in rows)


def insert_reservation(connection: sqlite3.Connection, made: Reservation) -> None:
    connection.execute(
        f"INSERT INTO reservation ({_RESERVATION}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        _reservation_values(made),
    )


def set_start(connection: sqlite3.Connection, id: str, start_ms: int) -> None:
    connection.execute("UPDATE reservation SET start_ms = ? WHERE id = ?", (start_ms, id))


def line(connection: sqlite3.Connection, id: str) -> Charge | None:
    row = connection.execute(f"SELECT {_LINE} FROM line WHERE id = ?", (id,)).fetchone()
    return None if row is None else Charge(*row)


def refund_of(connection: sqlite3.Connection, id: str) -> Charge | None:
    """The adjustment that refunds the charge `id`."""
    row = connection.execute(f"SELECT {_LINE} FROM line WHERE refunds = ?", (id,)).fetchone()
    return None if row is None else Charge(*row)


def given_back_at(
    connection: sqlite3.Connection, accounts: Iterable[str], from_ms: int, until_ms: int
) -> list[int]:
    """The instants from `from_ms` to before `until_ms` at which plain corrections gave back."""
    found: list[int] = []
    for account in accounts:
        rows = connection.execute(
            "SELECT start_ms FROM line WHERE account = ? AND reach = 0 AND start_ms >= ?"
            " AND start_ms < ? AND amount_ms < 0 AND refunds IS NULL",
            (account, from_ms, until_ms),
        )
        found += [start_ms for (start_ms,) in rows]
    return found


def lines(connection: sqlite3.Connection, account: str | None = None) -> tuple[Charge, ...]:
    """Those of `account`, or of all, in the order they were written."""
    rows = connection.execute(
        f"SELECT {_LINE} FROM line WHERE ?1 IS NULL OR account = ?1 ORDER BY rowid", (account,)
    )
    return tuple(Charge(*row) for row in rows)


def insert_line(
    connection: sqlite3.Connection,
    charge: Charge,
    accounts: Iterable[str],
    shares: Mapping[str, int],
) -> None:
    """Write `charge`, the totals of `accounts` (its own and its parents) and whom it is of."""
    span = charge.span
    connection.execute(
        f"INSERT INTO line ({_LINE}, reach) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (*_line_values(charge), total.reach(span)),
    )
    total.add(connection, accounts, span)
    connection.executemany(
        "INSERT INTO share VALUES (?, ?, ?)",
        [(charge.id, attempt, part_ms) for attempt, part_ms in shares.items()],
    )


def close_reservation(
    connection: sqlite3.Connection,
    charge: Charge,
    accounts: Iterable[str],
    weights: Mapping[str, int],
) -> None:
    """Replace the reservation by `charge`, attributed by `weights`, or to its owner if empty.

    Raises ValueError for negative weights.
    """
    parts = attribute(charge.amount_ms, weights or {charge.owner: 1})
    insert_line(connection, charge, accounts, parts)
    connection.execute(
        "UPDATE reservation SET closed_ms = ? WHERE id = ?", (charge.at_ms, charge.id)
    )


def line_shares(connection: sqlite3.Connection, id: str, and_of: str = "") -> dict[str, int]:
    """Milliseconds by attempt of one line, or of two together."""
    rows = connection.execute(
        "SELECT attempt, sum(amount_ms) FROM share WHERE line IN (?, ?)"
        " GROUP BY attempt ORDER BY attempt",
        (id, and_of),
    )
    return dict(rows.fetchall())


def shares_by_owner(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """Milliseconds by attempt of all lines whose owner begins with `prefix`, less refunds."""
    rows = connection.execute(
        "SELECT share.attempt, sum(share.amount_ms) FROM share JOIN line ON line.id = share.line"
        " WHERE substr(line.owner, 1, length(?1)) = ?1 GROUP BY share.attempt",
        (prefix,),
    )
    return dict(rows.fetchall())


def saving(connection: sqlite3.Connection, id: str) -> Saving | None:
    row = connection.execute(f"SELECT {_SAVING} FROM saving WHERE id = ?", (id,)).fetchone()
    return None if row is None else Saving(*row)


def takes_back(connection: sqlite3.Connection, saving: str) -> bool:
    """Whether that saving was taken back."""
    query = "SELECT 1 FROM saving WHERE takes_back = ?"
    return connection.execute(query, (saving,)).fetchone() is not None


def insert_saving(connection: sqlite3.Connection, made: Saving) -> None:
    connection.execute(
        f"INSERT INTO saving ({_SAVING}) VALUES (?,?,?,?,?,?,?,?)",
        tuple(getattr(made, name) for name in Saving.__slots__),
    )


def savings(
    connection: sqlite3.Connection, account: str | None, since_ms: int
) -> tuple[Saving, ...]:
    """Those of `account`, or of all, from `since_ms` on, in the order they were booked."""
    rows = connection.execute(
        f"SELECT {_SAVING} FROM saving WHERE (?1 IS NULL OR account = ?1) AND at_ms >= ?2"
        " ORDER BY rowid",
        (account, since_ms),
    )
    return tuple(Saving(*row) for row in rows)


def saved(
    connection: sqlite3.Connection, accounts: Iterable[str], window: Window
) -> dict[str, int]:
    """Milliseconds saved by kind on `accounts` in `window`."""
    found: dict[str, int] = {}
    for account in accounts:
        rows = connection.execute(
            "SELECT kind, sum(amount_ms) FROM saving"
            " WHERE account = ? AND at_ms >= ? AND at_ms < ? GROUP BY kind ORDER BY kind",
            (account, window.start_ms, window.end_ms),
        )
        for kind, amount_ms in rows:
            found[kind] = found.get(kind, 0) + amount_ms
    return found
