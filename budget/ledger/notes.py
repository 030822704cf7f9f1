"""What is noted beside the charges: the provider's readings, lots, and what was not spent."""

from __future__ import annotations

from dataclasses import replace

from budget.duration import LONGEST_MS
from budget.ledger import readings, reckoning, rows, versions
from budget.ledger.file import LedgerError, LedgerFile
from budget.ledger.lot import Lot
from budget.ledger.reading import Reading
from budget.ledger.refusal import (
    IdTaken,
    SavingNotFound,
    check_instants,
    check_texts,
    check_whole,
)
from budget.ledger.saving import KINDS, Saving


class Notes:
    """The part of the ledger that keeps them; see `budget.ledger.Ledger`."""

    _file: LedgerFile

    def reading(
        self,
        account: str,
        *,
        id: str,
        used_ms: int,
        at_ms: int,
        now_ms: int,
        limit: str = "",
        allowed_ms: int | None = None,
        reserved_ms: int | None = None,
        refresh_ms: int | None = None,
        source: str = "manual",
    ) -> Reading:
        """Note the provider's own counter of `limit` ("": the first that sums up) at `at_ms`.

        What it counts and the ledger does not is shown as foreign; charges after it are added. What
        it allows and when it resets beat the limit's own rule. A reading of a window that has ended
        is kept and not used, nor is one that is older than another. The same id again returns the
        first. Raises `AccountNotFound`, and `LedgerError` for a figure that cannot be.
        """
        check_texts(id=id, source=source)
        for name, value in (
            ("used_ms", used_ms),
            ("allowed_ms", 0 if allowed_ms is None else allowed_ms),
            ("reserved_ms", 0 if reserved_ms is None else reserved_ms),
        ):
            check_whole(name, value, 0)
        check_instants(now_ms=now_ms, at_ms=at_ms)
        check_whole("at_ms", at_ms, 0, now_ms)
        if refresh_ms is not None:
            check_whole("refresh_ms", refresh_ms, at_ms + 1, at_ms + LONGEST_MS)
        with self._file.transaction() as connection:
            definition = versions.present(connection, account)
            others_ms = readings.others_reserved_ms(
                reserved_ms, at_ms, reckoning.open_below(connection, account)
            )
            made = Reading(
                id=id,
                account=account,
                limit=readings.limit_read(definition, limit, allowed_ms),
                used_ms=used_ms,
                at_ms=at_ms,
                allowed_ms=allowed_ms,
                reserved_ms=reserved_ms,
                refresh_ms=refresh_ms,
                source=source,
                others_reserved_ms=others_ms,
                noted_ms=now_ms,
            )
            return readings.note(connection, made)

    def readings(self, account: str | None = None) -> tuple[Reading, ...]:
        """All readings of `account`, or of all, in the order they were noted."""
        with self._file.transaction(write=False) as connection:
            return readings.readings(connection, account)

    def newest_reading(self, account: str, limit: str, until_ms: int) -> Reading | None:
        """The reading of the limit with the latest time, `until_ms` at the latest."""
        with self._file.transaction(write=False) as connection:
            return readings.newest(connection, account, limit, until_ms)

    def grant(
        self,
        account: str,
        *,
        id: str,
        amount_ms: int,
        granted_ms: int,
        expires_ms: int | None,
        reason: str,
        now_ms: int,
    ) -> None:
        """Note a lot that can be used from `granted_ms` until `expires_ms` (None: for good).

        The same id again: nothing. Raises `AccountNotFound`, and `LedgerError` for an account
        whose limits count no lots.
        """
        check_texts(id=id, reason=reason)
        check_whole("amount_ms", amount_ms, 1)
        check_instants(granted_ms=granted_ms, now_ms=now_ms)
        if expires_ms is not None:
            check_instants(expires_ms=expires_ms)
            check_whole("expires_ms", expires_ms, granted_ms + 1, granted_ms + LONGEST_MS)
        made = Lot(id, account, amount_ms, granted_ms, expires_ms, reason, now_ms)
        with self._file.transaction() as connection:
            readings.grant(connection, versions.present(connection, account), made)

    def lots(self, account: str | None = None) -> tuple[Lot, ...]:
        """All lots of `account`, or of all, in the order they were noted."""
        with self._file.transaction(write=False) as connection:
            return readings.lots(connection, account)

    def book_saving(
        self,
        id: str,
        account: str,
        owner: str,
        kind: str,
        amount_ms: int,
        derivation: str,
        now_ms: int,
    ) -> bool:
        """Note what `owner` did not spend, and how that is known; False if `id` stands there.

        `kind` is "cache", "early-stop", "refused" or "parked". Raises `AccountNotFound`.
        """
        check_texts(id=id, owner=owner, derivation=derivation)
        check_whole("amount_ms", amount_ms, 0)
        check_instants(now_ms=now_ms)
        if kind not in KINDS:
            raise LedgerError("unknown kind of saving", got=kind, wanted=", ".join(KINDS))
        with self._file.transaction() as connection:
            versions.present(connection, account)
            if rows.saving(connection, id) is not None:
                return False
            made = Saving(id, account, owner, kind, amount_ms, derivation, now_ms)
            rows.insert_saving(connection, made)
            return True

    def take_back_saving(self, id: str, saving: str, derivation: str) -> bool:
        """Note that what `saving` stands for is spent after all; False if that was noted before.

        Raises `SavingNotFound`, and `IdTaken` where `id` stands for something else.
        """
        check_texts(id=id, saving=saving, derivation=derivation)
        with self._file.transaction() as connection:
            original = rows.saving(connection, saving)
            if original is None or original.takes_back is not None:
                raise SavingNotFound("the ledger has no such saving", got=saving)
            if rows.takes_back(connection, saving):
                return False
            if rows.saving(connection, id) is not None:
                raise IdTaken(f"the id {id} stands for something else in the ledger")
            made = replace(
                original,
                id=id,
                amount_ms=-original.amount_ms,
                derivation=derivation,
                takes_back=saving,
            )
            rows.insert_saving(connection, made)
            return True

    def savings(self, account: str | None = None, since_ms: int = 0) -> tuple[Saving, ...]:
        """What was saved on `account`, or on all, from `since_ms` on, in the order booked."""
        with self._file.transaction(write=False) as connection:
            return rows.savings(connection, account, since_ms)
