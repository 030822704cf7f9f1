"""Deliberate bugs, one at a time: what the checker of the weeks must find.

Each takes the place of a function of the ledger, of a window or of the scheduler, as somebody might
have written it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from budget.ledger import Ledger, LedgerError, OverBudget, allocations, reckoning, rows, versions
from budget.ledger.balance import LimitBalance
from budget.ledger.line import Charge, Reservation
from budget.ledger.reading import Reading
from budget.ledger.usage import InFlight
from budget.windows import Calendar, Window
from orchestrator import events as e
from orchestrator import snapshot
from orchestrator.executors.base import Observation
from orchestrator.scheduler import accelerators, observations
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.accelerators import Admission
from orchestrator.scheduler.books import Books
from orchestrator.scheduler.room import Room
from orchestrator.scheduler.shell import Scheduler
from orchestrator.scheduler.waiting import Waiting
from orchestrator.simulation.memory_store import MemoryStore
from orchestrator.state import AttemptState

DAY_MS = 86_400_000
Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]

MUTANTS: dict[str, Mutant] = {}


def mutant(apply: Mutant) -> Mutant:
    """Note a bug under its name."""
    MUTANTS[apply.__name__] = apply
    return apply


# --- the ledger -----------------------------------------------------------------------------------


@mutant
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


@mutant
def refunds_what_is_unknown(patch: Patch) -> None:
    """What was lost is charged for half of its time: it will not have run for all of it."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        if more.get("estimated"):
            end_ms = start_ms + (end_ms - start_ms) // 2
        return right(self, id, start_ms, end_ms, **more)

    patch.setattr(Ledger, "settle", settle)


@mutant
def settles_by_a_fresh_clock(patch: Patch) -> None:
    """The end is when the scheduler hears of it."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        return right(self, id, start_ms, max(start_ms, more["now_ms"]), **more)

    patch.setattr(Ledger, "settle", settle)


@mutant
def charges_each_attempt(patch: Patch) -> None:
    """An allocation that carries three attempts is charged three times."""
    right = Ledger.settle

    def settle(self: Ledger, id: str, start_ms: int, end_ms: int, **more: Any) -> Charge:
        end_ms = start_ms + (end_ms - start_ms) * max(1, len(more["shares"]))
        return right(self, id, start_ms, end_ms, **more)

    patch.setattr(Ledger, "settle", settle)


@mutant
def frees_at_expiry(patch: Patch) -> None:
    """A reservation that is overdue was forgotten, so it is given back."""

    def expire(connection: Any, now_ms: int, spare: Any = ()) -> tuple[Charge, ...]:
        for reservation in rows.open_reservations(connection):
            if reservation.expired(now_ms) and reservation.start_ms is None:
                allocations.release(connection, reservation.id, now_ms, "expired")
        return ()

    patch.setattr(allocations, "expire", expire)


@mutant
def never_expires(patch: Patch) -> None:
    """What nobody settles stays reserved for ever."""
    patch.setattr(Ledger, "expire", lambda self, now_ms, **more: ())


@mutant
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


@mutant
def forgets_what_is_in_flight(patch: Patch) -> None:
    """What runs counts when it has ended."""
    patch.setattr(InFlight, "between", lambda self, start_ms, end_ms: 0)


@mutant
def forgets_what_is_reserved(patch: Patch) -> None:
    """Only what was used counts."""
    patch.setattr(reckoning.Book, "reserved_ms", property(lambda self: 0))


@mutant
def ignores_foreign_use(patch: Patch) -> None:
    """The provider's counter is shown and not believed."""
    patch.setattr(Reading, "foreign_ms", lambda self, window, used: 0)


@mutant
def counts_no_children(patch: Patch) -> None:
    """A parent knows only what is charged to itself."""
    patch.setattr(versions, "subtree", lambda connection, name: (name,))


@mutant
def clamps_at_zero(patch: Patch) -> None:
    """A balance is never negative."""
    right: Callable[[LimitBalance], int] = vars(LimitBalance)["free_ms"].fget
    patch.setattr(LimitBalance, "free_ms", property(lambda self: max(0, right(self))))


@mutant
def admits_too_many_sessions(patch: Patch) -> None:
    """As many at once as there are devices."""

    def unlimited(account: Any) -> Any:
        return replace(account, session=replace(account.session, concurrent=None))

    known = reckoning.books

    def books(*given: Any, **more: Any) -> Any:
        return tuple(replace(b, account=unlimited(b.account)) for b in known(*given, **more))

    patch.setattr(reckoning, "books", books)
    patch.setattr(Room, "sessions", lambda self, account: 0)


@mutant
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


@mutant
def resets_twice_when_clocks_change(patch: Patch) -> None:
    """A week has 168 hours."""
    patch.setattr(Calendar, "window_at", _every_seven_days)


@mutant
def begins_windows_a_millisecond_late(patch: Patch) -> None:
    """After the reset, not at it."""

    def window_at(self: Calendar, now_ms: int, usage: Any = None) -> Window:
        window = _RIGHT_WINDOW(self, now_ms, usage)
        return Window(window.start_ms + 1, window.end_ms + 1)

    patch.setattr(Calendar, "window_at", window_at)


# --- the scheduler --------------------------------------------------------------------------------


@mutant
def relaunches_on_silence(patch: Patch) -> None:
    """No answer: it is gone."""
    right = observations.ends

    def ends(run: Any, submission: str, seen: Observation, now_ms: int) -> Any:
        if seen.condition == "unknown":
            seen = Observation("lost", "no answer")
        return right(run, submission, seen, now_ms)

    patch.setattr(observations, "ends", ends)


@mutant
def loses_read_offsets(patch: Patch) -> None:
    """A new scheduler reads from the start, and what it has read is new to it."""
    patch.setattr(MemoryStore, "cursors", lambda self: {})


@mutant
def keeps_offsets_before_events(patch: Patch) -> None:
    """What was read is not read again, whether or not it was kept."""
    right = Scheduler._keep

    def keep(self: Scheduler, decided: i.Step, cursors: Mapping[str, int]) -> None:
        store: Any = self.store
        store._outside._cursors.update(cursors)
        right(self, decided, cursors)

    patch.setattr(Scheduler, "_keep", keep)


@mutant
def accepts_lines_of_old_fences(patch: Patch) -> None:
    """A line is a line."""
    right = observations.from_lines

    def from_lines(state: Any, lines: tuple[i.Line, ...], now_ms: int) -> Any:
        fresh = []
        for line in lines:
            attempt = state.attempt(line.attempt)
            fresh.append(line._replace(fence=attempt.fence) if attempt else line)
        return right(state, tuple(fresh), now_ms)

    patch.setattr(observations, "from_lines", from_lines)


@mutant
def admits_without_a_reservation(patch: Patch) -> None:
    """The ledger says no; it will fit somehow."""
    right = Books.reserve

    def reserve(self: Books, run: str, allocation: Any, *more: Any) -> Any:
        answers = tuple(right(self, run, allocation, *more))
        if any(isinstance(answer, i.Refused) for answer in answers) or not answers:
            return (i.Reserved(allocation.id),)
        return answers

    patch.setattr(Books, "reserve", reserve)


@mutant
def requeues_twice(patch: Patch) -> None:
    """A job that an allocation carries already is given another one."""
    right = Waiting._note_allocations

    def note(self: Waiting, run: Any) -> None:
        right(self, run)
        self.carried.clear()

    patch.setattr(Waiting, "_note_allocations", note)


@mutant
def gives_devices_twice(patch: Patch) -> None:
    """All devices are free, always."""
    patch.setattr(Room, "devices", lambda self, executor, usable: list(usable))


@mutant
def forgets_a_kind_of_event(patch: Patch) -> None:
    """The store does not write down why a job waits."""
    right = MemoryStore.keep

    def keep(self: MemoryStore, events: Any, state: Any, **more: Any) -> None:
        right(self, [x for x in events if not isinstance(x, e.JobWaited)], state, **more)

    patch.setattr(MemoryStore, "keep", keep)


@mutant
def forgets_a_field_of_an_event(patch: Patch) -> None:
    """The text of an event has no time until which a job waits."""
    right = e.to_json

    def to_json(event: e.Event) -> dict[str, Any]:
        data = right(event)
        if "until_ms" in data:
            data["until_ms"] = None
        return data

    patch.setattr(e, "to_json", to_json)


@mutant
def forgets_a_field_of_a_snapshot(patch: Patch) -> None:
    """A run that is read again has no verdicts and stops."""
    right = snapshot.run_to_json

    def run_to_json(run: Any) -> dict[str, Any]:
        return {**right(run), "stops": []}

    patch.setattr(snapshot, "run_to_json", run_to_json)


@mutant
def lets_the_less_important_go_first(patch: Patch) -> None:
    """The order of the queue is upside down: what matters most starves."""
    right = vars(accelerators)["in_order"]

    def in_order(candidates: Any, cost_ms: Any) -> Any:
        return list(reversed(right(candidates, cost_ms)))

    patch.setattr(accelerators, "in_order", in_order)


@mutant
def begins_groups_that_cannot_finish(patch: Patch) -> None:
    """The first fold fits, so the group begins."""
    patch.setattr(Admission, "_waits_for_its_group", lambda self, one, account, balance: False)


@mutant
def waits_in_silence(patch: Patch) -> None:
    """A job that waits for hours says nothing."""
    patch.setattr(Waiting, "wait", lambda self, *given, **more: None)


@mutant
def starts_before_the_reservation(patch: Patch) -> None:
    """Devices are given when an allocation is planned; the ledger hears of it afterwards."""
    right = Books.reserve

    def reserve(self: Books, run: str, allocation: Any, *more: Any) -> Any:
        try:
            return tuple(right(self, run, allocation, *more)) or (i.Reserved(allocation.id),)
        except (LedgerError, OverBudget):
            return (i.Reserved(allocation.id),)

    patch.setattr(Books, "reserve", reserve)


@mutant
def takes_an_ended_attempt_for_a_live_one(patch: Patch) -> None:
    """What was killed may still run, so its job stays where it is."""
    patch.setattr(
        AttemptState,
        "live",
        property(lambda self: self.status != "ended" or self.outcome == "killed"),
    )


@mutant
def forgets_the_other_devices(patch: Patch) -> None:
    """An hour is an hour, whatever it kept."""
    right = Reservation.used

    def used(self: Reservation, start_ms: int, end_ms: int) -> Any:
        return right(replace(self, rate_milli=min(self.rate_milli, 1000)), start_ms, end_ms)

    patch.setattr(Reservation, "used", used)


@mutant
def runs_a_job_beside_itself(patch: Patch) -> None:
    """A retry need not wait for the end of the try before it."""
    right = observations.starts

    def starts(run: Any, submission: str, seen: Observation, now_ms: int) -> Any:
        yield from right(run, submission, seen, now_ms)
        if seen.condition == "running" and submission in run.attempts and not now_ms % 7:
            attempt = run.attempts[submission]
            yield e.JobWaited(
                at_ms=now_ms, run=run.name, job=attempt.job, reason="retry", sentence="again"
            )

    patch.setattr(observations, "starts", starts)
