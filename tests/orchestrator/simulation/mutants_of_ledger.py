"""Bugs of the ledger and of its windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from budget.ledger import Ledger, allocations, reckoning, rows, versions
from budget.ledger.balance import LimitBalance
from budget.ledger.line import Charge
from budget.ledger.reading import Reading
from budget.ledger.usage import InFlight
from budget.windows import Calendar, Window
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.accelerator_lane.room import Room
from orchestrator.scheduler.books import Books
from tests.orchestrator.simulation.mutants import Mutants, Patch

DAY_MS = 86_400_000

MUTANTS = Mutants()


@MUTANTS.note
def settles_twice(patch: Patch) -> None:
    """The second call books the charge again, as an adjustment."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, *times: int, **more: Any) -> Charge:
        known = {charge.id for charge in self.charges()}
        charge = right(self, id, *times, **more)
        if id in known and charge.amount_ms:
            self.adjust(charge.account, charge.amount_ms, "again", more["now_ms"], f"{id}-again")
        return charge

    patch.setattr(Ledger, "settle", settle)


@MUTANTS.note
def refunds_what_is_unknown(patch: Patch) -> None:
    """What was lost is charged for half of its time: it will not have run for all of it."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        if more.get("estimated"):
            end_ms = start_ms + (end_ms - start_ms) // 2
        return right(self, id, start_ms, end_ms, **more)

    patch.setattr(Ledger, "settle", settle)


@MUTANTS.note
def settles_by_a_fresh_clock(patch: Patch) -> None:
    """The end is when the scheduler hears of it."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        return right(self, id, start_ms, max(start_ms, more["now_ms"]), **more)

    patch.setattr(Ledger, "settle", settle)


@MUTANTS.note
def charges_each_attempt(patch: Patch) -> None:
    """An allocation that carries three attempts is charged three times."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        end_ms = start_ms + (end_ms - start_ms) * max(1, len(more["shares"]))
        return right(self, id, start_ms, end_ms, **more)

    patch.setattr(Ledger, "settle", settle)


@MUTANTS.note
def frees_at_expiry(patch: Patch) -> None:
    """A reservation that is overdue was forgotten, so it is given back."""

    def expire(connection: Any, now_ms: int, spare: Any = ()) -> tuple[Charge, ...]:
        for reservation in rows.open_reservations(connection):
            if reservation.expired(now_ms) and reservation.start_ms is None:
                allocations.release(connection, reservation.id, now_ms, "expired")
        return ()

    patch.setattr(allocations, "expire", expire)


@MUTANTS.note
def never_expires(patch: Patch) -> None:
    """What nobody settles stays reserved for ever."""
    patch.setattr(Ledger, "expire", lambda self, now_ms, **more: ())


@MUTANTS.note
def releases_what_started(patch: Patch) -> None:
    """What ran for less than ten minutes is not worth a charge."""
    right = Books.settle
    patch.setattr(Ledger, "start", lambda self, id, start_ms: None)

    def settle(self: Books, allocation: Any) -> Any:
        if allocation.end_ms - allocation.start_ms < 600_000:
            self.ledger.release(allocation.id, self.clock.now_ms(), "it was short")
            return (i.Settled(allocation.id, 0, {}),)
        return right(self, allocation)

    patch.setattr(Books, "settle", settle)


@MUTANTS.note
def forgets_what_is_in_flight(patch: Patch) -> None:
    """What runs counts when it has ended."""
    patch.setattr(InFlight, "between", lambda self, start_ms, end_ms: 0)


@MUTANTS.note
def forgets_what_is_reserved(patch: Patch) -> None:
    """Only what was used counts."""
    patch.setattr(reckoning.Book, "reserved_ms", property(lambda self: 0))


@MUTANTS.note
def ignores_foreign_use(patch: Patch) -> None:
    """The provider's counter is shown and not believed."""
    patch.setattr(Reading, "foreign_ms", lambda self, window, used: 0)


@MUTANTS.note
def counts_no_children(patch: Patch) -> None:
    """A parent knows only what is charged to itself."""
    patch.setattr(versions, "subtree", lambda connection, name: (name,))


@MUTANTS.note
def clamps_at_zero(patch: Patch) -> None:
    """A balance is never negative."""
    right: Callable[[LimitBalance], int] = vars(LimitBalance)["free_ms"].fget
    patch.setattr(LimitBalance, "free_ms", property(lambda self: max(0, right(self))))


@MUTANTS.note
def admits_too_many_sessions(patch: Patch) -> None:
    """As many at once as there are devices."""

    def unlimited(account: Any) -> Any:
        return replace(account, session=replace(account.session, concurrent=None))

    known = reckoning.books

    def books(*given: Any, **more: Any) -> Any:
        return tuple(replace(b, account=unlimited(b.account)) for b in known(*given, **more))

    patch.setattr(reckoning, "books", books)
    patch.setattr(Room, "sessions", lambda self, account: 0)


@MUTANTS.note
def loses_remainders(patch: Patch) -> None:
    """Shares are rounded down, and nobody gets the rest."""

    def attribute(amount_ms: int, weights: Mapping[str, int]) -> dict[str, int]:
        total = sum(weights.values()) or 1
        return {name: amount_ms * weight // total for name, weight in weights.items()}

    patch.setattr(rows, "attribute", attribute)


# --- windows --------------------------------------------------------------------------------------


def _every_seven_days(self: Calendar, now_ms: int, usage: Any = None) -> Window:
    """As Slurm adds 86400 s for each day to the last local midnight."""
    window = _RIGHT_WINDOW(self, now_ms, usage)
    end_ms = window.start_ms + 7 * DAY_MS
    return Window(window.start_ms, end_ms) if now_ms < end_ms else Window(end_ms, window.end_ms)


_RIGHT_WINDOW = Calendar.window_at


@MUTANTS.note
def resets_twice_when_clocks_change(patch: Patch) -> None:
    """A week has 168 hours."""
    patch.setattr(Calendar, "window_at", _every_seven_days)


@MUTANTS.note
def begins_windows_a_millisecond_late(patch: Patch) -> None:
    """After the reset, not at it."""

    def window_at(self: Calendar, now_ms: int, usage: Any = None) -> Window:
        window = _RIGHT_WINDOW(self, now_ms, usage)
        return Window(window.start_ms + 1, window.end_ms + 1)

    patch.setattr(Calendar, "window_at", window_at)
