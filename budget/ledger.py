"""The ledger: reserve before it starts, settle once, never overdraw.

The order that is safe against a crash anywhere: note the intent, `reserve(id)`, submit, observe the
end, `settle(id, start, end)`. Every call may be made again with the same id and changes nothing
then. No clock is read here: `now_ms` is a parameter, in milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from budget import rows
from budget.account import Account
from budget.balance import Balance, LimitBalance
from budget.duration import LONGEST_MS, format_exact, format_hours
from budget.instant import LATEST_MS, format_instant
from budget.ledger_file import LedgerError, LedgerFile
from budget.line import ADJUSTMENT, ESTIMATED, RELEASED, SETTLED, Charge, Reservation, Span
from skint.errors import NOT_FOUND, OVER_BUDGET

__all__ = [
    "AccountNotFound",
    "IdTaken",
    "Ledger",
    "LedgerError",
    "OverBudget",
    "ReservationNotFound",
]


class AccountNotFound(LedgerError):
    """The ledger has no account of that name."""

    exit_code = NOT_FOUND

    def __init__(self, name: str, known: tuple[Account, ...]) -> None:
        from difflib import get_close_matches

        names = [account.name for account in known]
        super().__init__(
            "no such account",
            got=name,
            wanted=", ".join(get_close_matches(name, names) or names) or None,
            next=f"skint account add {name} --preset simulated",
        )


class IdTaken(LedgerError):
    """The id stands for something else in the ledger."""


class ReservationNotFound(LedgerError):
    """The ledger has no reservation of that id."""


class OverBudget(LedgerError):
    """It does not fit in what is left of an account's tightest limit, which resets next at
    `resets_ms`."""

    exit_code = OVER_BUDGET

    def __init__(self, account: str, needed_ms: int, tightest: LimitBalance) -> None:
        limit, free_ms = tightest.limit, tightest.free_ms
        reset = f"resets {format_instant(tightest.window.end_ms, limit.window.zone)}"
        whole = format_hours(limit.amount_ms)
        super().__init__(
            f"{account} has {format_hours(free_ms)} left of {whole} and this needs"
            f" {format_hours(needed_ms)}: {format_exact(needed_ms - free_ms)} too much; it {reset}",
            got=f"settled {format_hours(tightest.settled_ms)},"
            f" in flight {format_hours(tightest.in_flight_ms)},"
            f" reserved {format_hours(tightest.reserved_ms)}",
            next="ask for less, or wait for the reset"
            if needed_ms <= limit.amount_ms
            else f"ask for less: no reset helps, a whole window has {whole}",
        )
        self.account = account
        self.needed_ms = needed_ms
        self.free_ms = free_ms
        self.resets_ms = tightest.window.end_ms


class Ledger:
    """The ledger in the SQLite file `path`, made if it is missing; a context manager.

    Any number of threads and processes may have it open: who reserves first, wins. With
    `read_only` nothing is written and a missing file reads as empty. Every method raises
    `LedgerError` if the file cannot be used.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._file = LedgerFile(self.path, read_only=read_only)

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
        self._file.close()

    def add_account(self, account: Account, now_ms: int) -> bool:
        """Add `account`; True if it is new, False if it stands there already just so.

        Raises `LedgerError` if another account has its name.
        """
        _instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            known = rows.account_definition(connection, account.name)
            if known is None:
                rows.insert_account(connection, account, now_ms)
                return True
        if known != account:
            fields = [
                name
                for name in ("kind", "executor", "unit", "limits")
                if getattr(known, name) != getattr(account, name)
            ]
            raise LedgerError(
                f"there is another account called {account.name}",
                got=", ".join(f"{name} {getattr(account, name)}" for name in fields),
                wanted=", ".join(f"{name} {getattr(known, name)}" for name in fields),
                next="give the new one another name",
            )
        return False

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        with self._file.transaction(write=False) as connection:
            return rows.account_definitions(connection)

    def account(self, name: str) -> Account:
        """The account called `name`. Raises `AccountNotFound`."""
        with self._file.transaction(write=False) as connection:
            return _account(connection, name)

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
        _texts(id=id, owner=owner)
        _whole("devices", devices, 1)
        _whole("amount_ms", amount_ms, 1)
        _instants(now_ms=now_ms, expires_ms=now_ms if expires_ms is None else expires_ms)
        with self._file.transaction() as connection:
            known = rows.reservation(connection, id)
            if known is not None:
                asked = (account, owner, devices, amount_ms)
                stands = (known.account, known.owner, known.devices, known.amount_ms)
                if asked != stands:
                    raise IdTaken(
                        f"another reservation has the id {id}", got=asked, wanted=str(stands)
                    )
                return known
            if rows.line(connection, id) is not None:
                raise IdTaken(f"the id {id} stands for an adjustment already")
            definition = _account(connection, account)
            tightest = rows.balance_of(connection, definition, now_ms).tightest
            if amount_ms > tightest.free_ms:
                raise OverBudget(account, amount_ms, tightest)
            made = Reservation(
                id=id,
                account=account,
                owner=owner,
                devices=devices,
                rate=definition.rate_milli(devices) // 1_000,
                amount_ms=amount_ms,
                reserved_at_ms=now_ms,
                expires_ms=expires_ms,
                start_ms=None,
                closed_ms=None,
            )
            rows.insert_reservation(connection, made)
            return made

    def start(self, id: str, start_ms: int) -> None:
        """Note that the allocation `id` began at `start_ms`; what is in flight follows from it.

        The first call holds; a settled one stays as it is. Raises `LedgerError` if there is no
        such reservation or it was released as never started.
        """
        _instants(start_ms=start_ms)
        with self._file.transaction() as connection:
            reservation = _reservation(connection, id)
            _charge_unless_released(connection, id, "started")
            if reservation.is_open and reservation.start_ms is None:
                rows.set_start(connection, id, start_ms)

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
        _instants(start_ms=start_ms, end_ms=end_ms, now_ms=now_ms)
        if end_ms < start_ms:
            raise LedgerError(
                f"the allocation {id} cannot end before it starts",
                got=f"start {start_ms} ms, end {end_ms} ms",
            )
        for weight in shares.values():
            _whole("the weight of a share", weight, 0)
        with self._file.transaction() as connection:
            reservation = _reservation(connection, id)
            first = _charge_unless_released(connection, id, "settled")
            if first is not None:
                return first
            amount_ms = reservation.rate * (end_ms - start_ms)
            _whole("the charge", amount_ms, 0)
            span = Span(start_ms, end_ms, reservation.rate, amount_ms)
            kind = ESTIMATED if estimated else SETTLED
            charge = Charge.replacing(reservation, kind=kind, span=span, at_ms=now_ms)
            rows.close_reservation(connection, charge, shares)
            return charge

    def release(self, id: str, now_ms: int, reason: str) -> None:
        """Give back a reservation that provably never started; kept as a line of zero.

        Again: nothing. Raises `LedgerError` if it has started or is settled.
        """
        _texts(reason=reason)
        _instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            reservation = _reservation(connection, id)
            first = rows.line(connection, id)
            if first is not None and first.kind == RELEASED:
                return
            if first is not None or reservation.start_ms is not None:
                raise LedgerError(
                    f"the allocation {id} was {'charged' if first else 'started'}:"
                    " it cannot be released",
                    next="adjust the account if the charge is wrong" if first else "settle it",
                )
            span = Span(now_ms, now_ms, reservation.rate, 0)
            charge = Charge.replacing(
                reservation, kind=RELEASED, span=span, at_ms=now_ms, reason=reason
            )
            rows.close_reservation(connection, charge, {})

    def adjust(self, account: str, amount_ms: int, reason: str, now_ms: int, id: str) -> None:
        """Correct what `account` has used by `amount_ms`: positive is charged, negative given back.

        It counts at `now_ms`. The same id again: nothing. Raises `AccountNotFound`, and
        `LedgerError` if the id stands for something else.
        """
        _texts(id=id, reason=reason)
        _whole("amount_ms", amount_ms, -LONGEST_MS)
        _instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            _account(connection, account)
            known = rows.line(connection, id)
            if known is None and rows.reservation(connection, id) is None:
                rows.insert_line(
                    connection, Charge.adjusting(id, account, amount_ms, now_ms, reason)
                )
            elif known is None or (known.kind, known.account, known.amount_ms) != (
                ADJUSTMENT,
                account,
                amount_ms,
            ):
                raise LedgerError(f"the id {id} stands for something else in the ledger")

    def expire(self, now_ms: int) -> tuple[Charge, ...]:
        """Charge every open reservation past its expiry in full, as an estimate; free none.

        A started one counts from its start to its deadline. One that never was seen to start
        counts at `now_ms`, where it stood as reserved until now.
        """
        _instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            charges = tuple(
                Charge.expiring(reservation, now_ms)
                for reservation in rows.open_reservations(connection)
                if reservation.expired(now_ms)
            )
            for charge in charges:
                rows.close_reservation(connection, charge, {})
        return charges

    def reservations(self, open_only: bool = True) -> tuple[Reservation, ...]:
        """Reservations in the order they were made."""
        with self._file.transaction(write=False) as connection:
            if open_only:
                return rows.open_reservations(connection)
            return rows.all_reservations(connection)

    def charges(self, account: str | None = None) -> tuple[Charge, ...]:
        """Every line that counts, releases and adjustments included, in the order written."""
        with self._file.transaction(write=False) as connection:
            return rows.lines(connection, account)

    def shares(self, id: str) -> dict[str, int]:
        """Milliseconds by attempt of the charge `id`; empty while there is none."""
        with self._file.transaction(write=False) as connection:
            return rows.line_shares(connection, id)

    def charged_by(self, owner_prefix: str) -> dict[str, int]:
        """Milliseconds by attempt of all charges whose owner begins with `owner_prefix`."""
        with self._file.transaction(write=False) as connection:
            return rows.shares_by_owner(connection, owner_prefix)

    def balance(self, account: str, now_ms: int) -> Balance:
        """What `account` has used and left in the windows of `now_ms`. Raises `AccountNotFound`."""
        _instants(now_ms=now_ms)
        with self._file.transaction(write=False) as connection:
            return rows.balance_of(connection, _account(connection, account), now_ms)


def _account(connection: sqlite3.Connection, name: str) -> Account:
    known = rows.account_definition(connection, name)
    if known is None:
        raise AccountNotFound(name, rows.account_definitions(connection))
    return known


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


def _whole(name: str, value: object, least: int, most: int = LONGEST_MS) -> None:
    if type(value) is not int or not least <= value <= most:
        raise LedgerError(
            f"{name} is wrong", got=repr(value), wanted=f"a whole number, {least} to {most}"
        )


def _instants(**values: object) -> None:
    for name, value in values.items():
        _whole(name, value, 0, LATEST_MS)


def _texts(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise LedgerError(f"{name} is wrong", got=repr(value), wanted="text that is not empty")
