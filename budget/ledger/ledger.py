"""The ledger: reserve before it starts, settle once, never overdraw.

The order that is safe against a crash anywhere: note the intent, `reserve(id)`, submit, observe the
end, `settle(id, start, end)`. Every call may be made again with the same id and changes nothing
then. No clock is read here: `now_ms` is a parameter, in milliseconds since 1970 UTC. All amounts
are weighted milliseconds: time x devices, x 1, or x credits an hour, as the account's unit says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from types import TracebackType

from budget.accounts.account import Account
from budget.duration import LONGEST_MS
from budget.ledger import allocations, audit, corrections, reckoning, rows, total, versions
from budget.ledger.allocations import overrun_id
from budget.ledger.balance import Balance
from budget.ledger.file import LedgerError, LedgerFile
from budget.ledger.line import Charge, Reservation
from budget.ledger.network_disk import Disk
from budget.ledger.notes import Notes
from budget.ledger.refusal import (
    AccountNotFound,
    IdTaken,
    OverBudget,
    ReservationNotFound,
    SavingNotFound,
    TooManySessions,
    check_instants,
    check_texts,
    check_whole,
)
from budget.ledger.versions import Version

__all__ = [
    "AccountNotFound",
    "IdTaken",
    "Ledger",
    "LedgerError",
    "OverBudget",
    "ReservationNotFound",
    "SavingNotFound",
    "TooManySessions",
]


class Ledger(Notes):
    """The ledger in the SQLite file `path`, made if it is missing; a context manager.

    Any number of threads and processes may have it open: who reserves first, wins. With
    `read_only` nothing is written and a missing file reads as empty. ":memory:" is a ledger that
    ends with this object. `disk` is what the file is on, looked up if it is not given. Every method
    raises `LedgerError` if the file cannot be used.
    """

    def __init__(
        self, path: Path | str, *, read_only: bool = False, disk: Disk | None = None
    ) -> None:
        self.path = Path(path)
        self._file = LedgerFile(self.path, read_only=read_only, disk=disk)

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

        Raises `LedgerError` if another account has its name, or its parent is of another nature.
        """
        check_instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            return versions.add(connection, account, now_ms)

    def change_account(self, account: Account, now_ms: int) -> bool:
        """From now on the account of that name is `account`; False if it is so already.

        What was charged stays, and a changed window is no reset. Raises `AccountNotFound`, and
        `LedgerError` for another kind, unit or parent.
        """
        check_instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            return versions.change(connection, account, now_ms)

    def remove_account(self, name: str, now_ms: int) -> None:
        """Nothing can be reserved there from now on; its lines stay.

        Raises `AccountNotFound`, and `LedgerError` while it has open reservations or sub-budgets.
        """
        check_instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            versions.remove(connection, name, now_ms)

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        with self._file.look() as connection:
            return versions.all_present(connection)

    def account(self, name: str) -> Account:
        """The account called `name`. Raises `AccountNotFound`."""
        with self._file.transaction(write=False) as connection:
            return versions.present(connection, name)

    def account_versions(self, name: str) -> tuple[Version, ...]:
        """What the account said from when on, the oldest first; none if it never was."""
        with self._file.look() as connection:
            return versions.of(connection, name)

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
        machine: str = "",
    ) -> Reservation:
        """Set `amount_ms` of `account` aside for the allocation `id`, before it starts.

        `amount_ms` is what the allocation may cost at most, grace included (`Account.cost_ms`); it
        counts on every parent too. The same id again returns the reservation as it stands now;
        `now_ms` and `expires_ms` of the first call hold. Raises `OverBudget` if it does not fit in
        every limit, `TooManySessions`, `AccountNotFound`, and `LedgerError` if the id stands for
        something else.
        """
        check_texts(id=id, owner=owner)
        check_whole("devices", devices, 1, 1_000_000)
        check_whole("amount_ms", amount_ms, 1)
        check_instants(now_ms=now_ms, expires_ms=now_ms if expires_ms is None else expires_ms)
        with self._file.transaction() as connection:
            return allocations.reserve(
                connection,
                id=id,
                account=account,
                owner=owner,
                devices=devices,
                machine=machine,
                amount_ms=amount_ms,
                now_ms=now_ms,
                expires_ms=expires_ms,
            )

    def start(self, id: str, start_ms: int) -> None:
        """Note that the allocation `id` began at `start_ms`; what is in flight follows from it.

        The first call holds; a settled one stays as it is. Raises `LedgerError` if there is no
        such reservation or it was released as never started.
        """
        check_instants(start_ms=start_ms)
        with self._file.transaction() as connection:
            allocations.start(connection, id, start_ms)

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
        or not, returns the first charge. Where that was an estimate (`expire` makes them) and the
        true end shows that more was used, the rest is charged, once, by an adjustment; what is
        returned includes it. Nothing is given back. Raises `LedgerError` if there is no such
        reservation, it was released, or it ends before it starts.
        """
        check_instants(start_ms=start_ms, end_ms=end_ms, now_ms=now_ms)
        if end_ms < start_ms:
            raise LedgerError(
                f"the allocation {id} cannot end before it starts",
                got=f"start {start_ms} ms, end {end_ms} ms",
            )
        for weight in shares.values():
            check_whole("the weight of a share", weight, 0)
        with self._file.transaction() as connection:
            return allocations.settle(
                connection,
                id,
                start_ms,
                end_ms,
                shares=shares,
                estimated=estimated,
                now_ms=now_ms,
            )

    def release(self, id: str, now_ms: int, reason: str) -> None:
        """Give back a reservation that provably never started; kept as a line of zero.

        Again: nothing. Raises `LedgerError` if it has started or is settled.
        """
        check_texts(reason=reason)
        check_instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            allocations.release(connection, id, now_ms, reason)

    def expire(self, now_ms: int, *, spare: Collection[str] = ()) -> tuple[Charge, ...]:
        """Charge every open reservation past its expiry in full, as an estimate; free none.

        Those in `spare` are not forgotten: somebody waits for their end and settles them.
        A started one counts from its start to its deadline. One that never was seen to start
        counts at `now_ms`, where it stood as reserved until now.
        """
        check_instants(now_ms=now_ms)
        with self._file.transaction() as connection:
            return allocations.expire(connection, now_ms, spare)

    def adjust(
        self,
        account: str,
        amount_ms: int,
        reason: str,
        now_ms: int,
        id: str,
        *,
        refunds: str | None = None,
        at_ms: int | None = None,
    ) -> None:
        """Correct what `account` has used by `amount_ms`: positive is charged, negative given back.

        It counts at `at_ms` (`now_ms` unless said); or, where it `refunds` a charge, in the windows
        of that charge and to its attempts, once and at most as much as was charged. The same id
        again: nothing. Raises `AccountNotFound`, and `LedgerError` if the id stands for something
        else, the instant is still to come, or less than that was used in its window.
        """
        check_texts(id=id, reason=reason)
        check_whole("amount_ms", amount_ms, -LONGEST_MS)
        check_instants(now_ms=now_ms)
        check_whole("at_ms", now_ms if at_ms is None else at_ms, 0, now_ms)
        if refunds is not None and at_ms is not None:
            raise LedgerError(
                "a refund counts when its charge does", got=f"at_ms {at_ms}", wanted="one of both"
            )
        with self._file.transaction() as connection:
            if refunds is None:
                counts_ms = now_ms if at_ms is None else at_ms
                made = Charge.adjusting(id, account, amount_ms, counts_ms, now_ms, reason)
                corrections.adjust(connection, made, same_instant=at_ms is not None)
                return
            corrections.refund(
                connection,
                id=id,
                account=account,
                refunds=refunds,
                amount_ms=amount_ms,
                reason=reason,
                now_ms=now_ms,
            )

    def reservations(self, open_only: bool = True) -> tuple[Reservation, ...]:
        """Reservations in the order they were made."""
        with self._file.look() as connection:
            if open_only:
                return rows.open_reservations(connection)
            return rows.all_reservations(connection)

    def charges(self, account: str | None = None) -> tuple[Charge, ...]:
        """Every line that counts, releases and adjustments included, in the order written."""
        with self._file.look() as connection:
            return rows.lines(connection, account)

    def shares(self, id: str) -> dict[str, int]:
        """Milliseconds by attempt of the charge `id`; empty while there is none.

        What it used beyond an estimate, and was charged later (`settle`), is included.
        """
        with self._file.look() as connection:
            return rows.line_shares(connection, id, overrun_id(id))

    def charged_by(self, owner_prefix: str) -> dict[str, int]:
        """Milliseconds by attempt of all charges whose owner begins with `owner_prefix`."""
        with self._file.look() as connection:
            return rows.shares_by_owner(connection, owner_prefix)

    def balance(self, account: str, now_ms: int) -> Balance:
        """What `account` has used and left in the windows of `now_ms`, and its parents have.

        Raises `AccountNotFound`.
        """
        check_instants(now_ms=now_ms)
        with self._file.transaction(write=False) as connection:
            return reckoning.balance_of(connection, account, now_ms)

    def charged_by_then(self, account: str, instants_ms: Sequence[int]) -> tuple[int, ...]:
        """What was charged to `account` and to all below it from the first instant to each of
        them, ascending. Raises `AccountNotFound`."""
        for at_ms in instants_ms:
            check_instants(at_ms=at_ms)
        with self._file.transaction(write=False) as connection:
            if not versions.of(connection, account):
                raise versions.not_found(connection, account)
            below = versions.subtree(connection, account)
            parts = (
                total.between(connection, account, below, start_ms, end_ms)
                for start_ms, end_ms in pairwise(instants_ms)
            )
            return tuple(accumulate(parts, initial=0))

    def open_reservations(self, account: str) -> tuple[Reservation, ...]:
        """The open ones that count on `account`: its own, and those of all below it."""
        with self._file.look() as connection:
            return tuple(reckoning.open_below(connection, account))

    def check(self) -> tuple[str, ...]:
        """Compute all that can be computed from the lines again: a sentence for each disagreement.

        Reads every line: for tests, for simulations, and for who doubts their file.
        """
        with self._file.transaction(write=False) as connection:
            return audit.disagreements(connection)
