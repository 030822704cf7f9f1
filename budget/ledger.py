"""The ledger: reserve before it starts, settle once, never overdraw.

The order that is safe against a crash anywhere: note the intent, `reserve(id)`, submit, observe the
end, `settle(id, start, end)`. Every call may be made again with the same id and changes nothing
then. No clock is read here: `now_ms` is a parameter, in milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from budget.account import Account
from budget.balance import Balance, LimitBalance, limit_balance
from budget.duration import LONGEST_MS, format_exact, format_hours
from budget.ledger_file import LedgerError, open_ledger_file, translated
from budget.line import (
    ADJUSTMENT,
    ESTIMATED,
    RELEASED,
    SETTLED,
    Charge,
    Reservation,
    Span,
    attribute,
)
from budget.window import format_instant, window_at
from skint.errors import NOT_FOUND, OVER_BUDGET

__all__ = ["AccountNotFound", "Ledger", "LedgerError", "OverBudget"]

_RESERVATION = (
    "id, account, owner, devices, rate, amount_ms, reserved_at_ms, expires_ms, start_ms, closed_ms"
)
_LINE = (
    "id, kind, account, owner, start_ms, end_ms, devices, rate, reserved_ms, amount_ms, at_ms,"
    " reason"
)


class AccountNotFound(LedgerError):
    """The ledger has no account of that name."""

    exit_code = NOT_FOUND


class OverBudget(LedgerError):
    """It does not fit in what is left of an account's tightest limit."""

    exit_code = OVER_BUDGET

    def __init__(self, account: str, needed_ms: int, tightest: LimitBalance) -> None:
        limit, free_ms = tightest.limit, tightest.free_ms
        resets = format_instant(tightest.window.end_ms, limit.zone)
        super().__init__(
            f"{account} has {format_hours(free_ms)} left of {format_hours(limit.amount_ms)} and"
            f" this needs {format_hours(needed_ms)}: {format_exact(needed_ms - free_ms)} too much",
            got=f"settled {format_hours(tightest.settled_ms)},"
            f" in flight {format_hours(tightest.in_flight_ms)},"
            f" reserved {format_hours(tightest.reserved_ms)}",
            next=f"it resets {resets}"
            if needed_ms <= limit.amount_ms
            else f"ask for less: a whole window has {format_hours(limit.amount_ms)}"
            f" (it resets {resets})",
        )
        self.account = account
        self.needed_ms = needed_ms
        self.free_ms = free_ms
        self.resets_ms = tightest.window.end_ms


class Ledger:
    """The ledger in the SQLite file `path`, made if it is missing; a context manager.

    Any number of threads and processes may have it open: who reserves first, wins. With
    `read_only` nothing is written and a missing file reads as empty. Raises `LedgerError`.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._missing = read_only and not self.path.exists()
        self._connection = open_ledger_file(self.path, read_only=read_only)
        self._lock = threading.RLock()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Twice is harmless."""
        self._connection.close()

    def add_account(self, account: Account, now_ms: int) -> bool:
        """Add `account`; True if it is new, False if it stands there already just so.

        Raises `LedgerError` if another account has its name.
        """
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT definition FROM account WHERE name = ?", (account.name,)
            ).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO account VALUES (?, ?, ?)",
                    (account.name, account.to_json(), now_ms),
                )
                return True
        known = Account.from_json(row[0])
        if known != account:
            raise LedgerError(
                f"there is another account called {account.name}",
                got=_differences(account, known, account),
                wanted=_differences(known, known, account),
                next="give the new one another name",
            )
        return False

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        with self._transaction(write=False) as connection:
            rows = connection.execute("SELECT definition FROM account ORDER BY name").fetchall()
        return tuple(Account.from_json(text) for (text,) in rows)

    def account(self, name: str) -> Account:
        """The account called `name`. Raises `AccountNotFound`."""
        with self._transaction(write=False) as connection:
            return self._account(connection, name)

    def reserve(
        self,
        *,
        id: str,
        account: str,
        owner: str,
        devices: int,
        amount_ms: int,
        now_ms: int,
        expires_ms: int | None = None,
    ) -> Reservation:
        """Set `amount_ms` of `account` aside for the allocation `id`, before it starts.

        `amount_ms` is what the allocation may cost at most, grace included (`Account.cost_ms`).
        The same id again returns the reservation as it stands now; `now_ms` and `expires_ms` of
        the first call hold. Raises `OverBudget` if it does not fit in every limit of the account,
        `AccountNotFound`, and `LedgerError` if the id stands for something else.
        """
        for name, value, least in (("devices", devices, 1), ("amount_ms", amount_ms, 1)):
            _whole(name, value, least)
        _text("id", id)
        with self._transaction() as connection:
            known = self._find(connection, id)
            if known is not None:
                if (known.account, known.owner, known.devices, known.amount_ms) != (
                    account,
                    owner,
                    devices,
                    amount_ms,
                ):
                    raise LedgerError(
                        f"another reservation has the id {id}",
                        got=f"{account} {owner} {devices} devices {format_exact(amount_ms)}",
                        wanted=f"{known.account} {known.owner} {known.devices} devices"
                        f" {format_exact(known.amount_ms)}",
                    )
                return known
            if self._charge(connection, id) is not None:
                raise LedgerError(f"the id {id} stands for an adjustment already")
            definition = self._account(connection, account)
            tightest = self._balance(connection, definition, now_ms).tightest
            if amount_ms > tightest.free_ms:
                raise OverBudget(account, amount_ms, tightest)
            made = Reservation(
                id=id,
                account=account,
                owner=owner,
                devices=devices,
                rate=definition.rate(devices),
                amount_ms=amount_ms,
                reserved_at_ms=now_ms,
                expires_ms=expires_ms,
                start_ms=None,
                closed_ms=None,
            )
            connection.execute(
                f"INSERT INTO reservation ({_RESERVATION}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                tuple(getattr(made, name.strip()) for name in _RESERVATION.split(",")),
            )
            return made

    def start(self, id: str, start_ms: int) -> None:
        """Note that the allocation `id` began at `start_ms`; what is in flight follows from it.

        The first call holds; a settled one stays as it is. Raises `LedgerError` if there is no
        such reservation or it was released as never started.
        """
        with self._transaction() as connection:
            reservation = self._reservation(connection, id)
            self._refuse_released(connection, id, "started")
            if reservation.is_open and reservation.start_ms is None:
                connection.execute(
                    "UPDATE reservation SET start_ms = ? WHERE id = ?", (start_ms, id)
                )

    def settle(
        self,
        id: str,
        start_ms: int,
        end_ms: int,
        *,
        shares: Mapping[str, int],
        estimated: bool = False,
        now_ms: int,
    ) -> Charge:
        """Replace the reservation `id` by what was used: rate x (end - start), overrun included.

        `shares` are weights by attempt id; the charge is attributed to them in whole milliseconds
        that add up to it (to the owner if there are none). Once only: a later call, other figures
        or not, returns the first charge, also one that `expire` made. Raises `LedgerError` if there
        is no such reservation, it was released, or it ends before it starts.
        """
        if end_ms < start_ms:
            raise LedgerError(
                f"the allocation {id} cannot end before it starts",
                got=f"start {start_ms} ms, end {end_ms} ms",
            )
        with self._transaction() as connection:
            reservation = self._reservation(connection, id)
            self._refuse_released(connection, id, "settled")
            first = self._charge(connection, id)
            if first is not None:
                return first
            amount_ms = reservation.rate * (end_ms - start_ms)
            _whole("the charge", amount_ms, 0)
            charge = _charge_for(
                reservation,
                kind=ESTIMATED if estimated else SETTLED,
                span=Span(start_ms, end_ms, reservation.rate, amount_ms),
                at_ms=now_ms,
            )
            self._close(connection, charge, shares)
            return charge

    def release(self, id: str, now_ms: int, reason: str) -> None:
        """Give back a reservation that provably never started; kept as a line of zero.

        Again: nothing. Raises `LedgerError` if it has started or is settled.
        """
        _text("reason", reason)
        with self._transaction() as connection:
            reservation = self._reservation(connection, id)
            charge = self._charge(connection, id)
            if charge is not None and charge.kind == RELEASED:
                return
            if charge is not None or reservation.start_ms is not None:
                raise LedgerError(
                    f"the allocation {id} was {'charged' if charge else 'started'}:"
                    " it cannot be released",
                    next="adjust the account if the charge is wrong" if charge else "settle it",
                )
            span = Span(now_ms, now_ms, reservation.rate, 0)
            self._close(
                connection,
                _charge_for(reservation, kind=RELEASED, span=span, at_ms=now_ms, reason=reason),
                {},
            )

    def adjust(self, account: str, amount_ms: int, reason: str, now_ms: int, id: str) -> None:
        """Correct what `account` has used by `amount_ms`: positive is charged, negative given back.

        It counts at `now_ms`. The same id again: nothing. Raises `LedgerError` if the id stands
        for something else.
        """
        _whole("amount_ms", amount_ms, -LONGEST_MS)
        _text("id", id)
        _text("reason", reason)
        with self._transaction() as connection:
            self._account(connection, account)
            known = self._charge(connection, id)
            if known is not None or self._find(connection, id) is not None:
                if known is not None and (known.kind, known.account, known.amount_ms) == (
                    ADJUSTMENT,
                    account,
                    amount_ms,
                ):
                    return
                raise LedgerError(f"the id {id} stands for something else in the ledger")
            charge = Charge(
                id, ADJUSTMENT, account, "", now_ms, now_ms, 0, 0, 0, amount_ms, now_ms, reason
            )
            _insert_line(connection, charge)

    def expire(self, now_ms: int) -> tuple[Charge, ...]:
        """Charge every open reservation past its expiry in full, as an estimate; free none.

        A started one counts from its start to its deadline. One that never was seen to start
        counts at `now_ms`, where it stood as reserved until now.
        """
        charges = []
        with self._transaction() as connection:
            for reservation in self._open(connection):
                if not reservation.expired(now_ms):
                    continue
                span = reservation.span()
                charge = _charge_for(
                    reservation,
                    kind=ESTIMATED,
                    span=span or Span(now_ms, now_ms, reservation.rate, reservation.amount_ms),
                    at_ms=now_ms,
                    reason="expired: no end was seen" if span else "expired: no start was seen",
                )
                self._close(connection, charge, {})
                charges.append(charge)
        return tuple(charges)

    def reservations(self, open_only: bool = True) -> tuple[Reservation, ...]:
        """Reservations in the order they were made."""
        with self._transaction(write=False) as connection:
            if open_only:
                return self._open(connection)
            rows = connection.execute(f"SELECT {_RESERVATION} FROM reservation ORDER BY rowid")
            return tuple(Reservation(*row) for row in rows)

    def charges(self, account: str | None = None) -> tuple[Charge, ...]:
        """Every line that counts, releases and adjustments included, in the order written."""
        where, values = ("WHERE account = ?", (account,)) if account is not None else ("", ())
        with self._transaction(write=False) as connection:
            rows = connection.execute(f"SELECT {_LINE} FROM line {where} ORDER BY rowid", values)
            return tuple(Charge(*row) for row in rows)

    def shares(self, id: str) -> dict[str, int]:
        """Milliseconds by attempt of the charge `id`; empty while there is none."""
        with self._transaction(write=False) as connection:
            rows = connection.execute(
                "SELECT attempt, amount_ms FROM share WHERE line = ? ORDER BY attempt", (id,)
            )
            return dict(rows.fetchall())

    def charged_by(self, owner_prefix: str) -> dict[str, int]:
        """Milliseconds by attempt of all charges whose owner begins with `owner_prefix`."""
        with self._transaction(write=False) as connection:
            rows = connection.execute(
                "SELECT share.attempt, sum(share.amount_ms) FROM share"
                " JOIN line ON line.id = share.line"
                " WHERE substr(line.owner, 1, length(?1)) = ?1 GROUP BY share.attempt",
                (owner_prefix,),
            )
            return dict(rows.fetchall())

    def balance(self, account: str, now_ms: int) -> Balance:
        """What `account` has used and left in the windows of `now_ms`. Raises `AccountNotFound`."""
        with self._transaction(write=False) as connection:
            return self._balance(connection, self._account(connection, account), now_ms)

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is durable when this ends, or none of it stands."""
        with self._lock, translated(self.path):
            if self._missing and self.path.exists():
                self._connection.close()
                self._connection = open_ledger_file(self.path, read_only=True)
                self._missing = False
            connection = self._connection
            # IMMEDIATE takes the one write lock before anything is read, so that nobody else can
            # reserve between our look at the balance and our row.
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _account(self, connection: sqlite3.Connection, name: str) -> Account:
        row = connection.execute(
            "SELECT definition FROM account WHERE name = ?", (name,)
        ).fetchone()
        if row is not None:
            return Account.from_json(row[0])
        raise _account_not_found(
            name, [known for (known,) in connection.execute("SELECT name FROM account")]
        )

    def _find(self, connection: sqlite3.Connection, id: str) -> Reservation | None:
        row = connection.execute(
            f"SELECT {_RESERVATION} FROM reservation WHERE id = ?", (id,)
        ).fetchone()
        return None if row is None else Reservation(*row)

    def _reservation(self, connection: sqlite3.Connection, id: str) -> Reservation:
        reservation = self._find(connection, id)
        if reservation is None:
            raise LedgerError("the ledger has no such reservation", got=id)
        return reservation

    def _charge(self, connection: sqlite3.Connection, id: str) -> Charge | None:
        row = connection.execute(f"SELECT {_LINE} FROM line WHERE id = ?", (id,)).fetchone()
        return None if row is None else Charge(*row)

    def _refuse_released(self, connection: sqlite3.Connection, id: str, verb: str) -> None:
        charge = self._charge(connection, id)
        if charge is not None and charge.kind == RELEASED:
            raise LedgerError(
                f"the allocation {id} was released as never started ({charge.reason}):"
                f" it cannot be {verb}",
                next="adjust the account by what was used after all",
            )

    def _open(
        self, connection: sqlite3.Connection, account: str | None = None
    ) -> tuple[Reservation, ...]:
        where, values = ("AND account = ?", (account,)) if account is not None else ("", ())
        rows = connection.execute(
            f"SELECT {_RESERVATION} FROM reservation WHERE closed_ms IS NULL {where} ORDER BY rowid",
            values,
        )
        return tuple(Reservation(*row) for row in rows)

    def _balance(self, connection: sqlite3.Connection, account: Account, now_ms: int) -> Balance:
        reservations = self._open(connection, account.name)
        limits = []
        for limit in account.limits:
            window = window_at(limit, now_ms)
            values = {"account": account.name, "a": window.start_ms, "b": window.end_ms}
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
        return Balance(account.name, tuple(limits))

    def _close(
        self, connection: sqlite3.Connection, charge: Charge, weights: Mapping[str, int]
    ) -> None:
        _insert_line(connection, charge)
        connection.execute(
            "UPDATE reservation SET closed_ms = ? WHERE id = ?", (charge.at_ms, charge.id)
        )
        try:
            parts = attribute(charge.amount_ms, weights or {charge.owner: 1})
        except ValueError as error:
            raise LedgerError("the weights of the shares are wrong", got=error) from error
        connection.executemany(
            "INSERT INTO share VALUES (?, ?, ?)",
            [(charge.id, attempt, part_ms) for attempt, part_ms in parts.items()],
        )


def _charge_for(
    reservation: Reservation, *, kind: str, span: Span, at_ms: int, reason: str = ""
) -> Charge:
    return Charge(
        id=reservation.id,
        kind=kind,
        account=reservation.account,
        owner=reservation.owner,
        start_ms=span.start_ms,
        end_ms=span.end_ms,
        devices=reservation.devices,
        rate=reservation.rate,
        reserved_ms=reservation.amount_ms,
        amount_ms=span.amount_ms,
        at_ms=at_ms,
        reason=reason,
    )


def _insert_line(connection: sqlite3.Connection, charge: Charge) -> None:
    connection.execute(
        f"INSERT INTO line ({_LINE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        tuple(getattr(charge, name.strip()) for name in _LINE.split(",")),
    )


def _account_not_found(name: str, known: list[str]) -> AccountNotFound:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3) or sorted(known)
    return AccountNotFound(
        "no such account",
        got=name,
        wanted=", ".join(near) or None,
        next=f"skint account add {name}",
    )


def _differences(shown: Account, one: Account, other: Account) -> str:
    names = ("kind", "executor", "charge_by", "limits")
    return ", ".join(
        f"{name} {getattr(shown, name)}"
        for name in names
        if getattr(one, name) != getattr(other, name)
    )


def _whole(name: str, value: object, least: int) -> None:
    if type(value) is not int or not least <= value <= LONGEST_MS:
        raise LedgerError(
            f"{name} is wrong", got=repr(value), wanted=f"a whole number, {least} to {LONGEST_MS}"
        )


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise LedgerError(f"{name} is wrong", got=repr(value), wanted="text that is not empty")
