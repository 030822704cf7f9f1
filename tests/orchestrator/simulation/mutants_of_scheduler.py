"""Bugs of the scheduler, and of what it writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from budget.ledger import LedgerError, OverBudget
from budget.ledger.line import Reservation
from orchestrator.events import events as e
from orchestrator.executors.base import Observation
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler import observations
from orchestrator.scheduler.accelerator_lane import accelerators
from orchestrator.scheduler.accelerator_lane.accelerators import Admission
from orchestrator.scheduler.accelerator_lane.room import Room
from orchestrator.scheduler.accelerator_lane.waiting import Waiting
from orchestrator.scheduler.books import Books
from orchestrator.scheduler.cpu_lane import waiting as cpu_pass
from orchestrator.scheduler.shell import Scheduler
from orchestrator.simulation.memory_store import MemoryStore
from orchestrator.state import records, sorts
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.store import rows, snapshot
from tests.orchestrator.simulation.mutants import Mutants, Patch

MUTANTS = Mutants()


@MUTANTS.note
def relaunches_on_silence(patch: Patch) -> None:
    """No answer: it is gone."""
    right = observations.ends

    def ends(run: Any, submission: str, seen: Observation, now_ms: int) -> Any:
        if seen.condition == "unknown":
            seen = Observation("lost", "no answer")
        return right(run, submission, seen, now_ms)

    patch.setattr(observations, "ends", ends)


@MUTANTS.note
def loses_read_offsets(patch: Patch) -> None:
    """A new scheduler reads from the start, and what it has read is new to it."""
    patch.setattr(MemoryStore, "cursors", lambda self: {})


@MUTANTS.note
def keeps_offsets_before_events(patch: Patch) -> None:
    """What was read is not read again, whether or not it was kept."""
    right = Scheduler._keep

    def keep(self: Scheduler, decided: i.Step, cursors: Mapping[str, int]) -> None:
        store: Any = self.store
        store._outside._cursors.update(cursors)
        right(self, decided, cursors)

    patch.setattr(Scheduler, "_keep", keep)


@MUTANTS.note
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


@MUTANTS.note
def admits_without_a_reservation(patch: Patch) -> None:
    """The ledger says no; it will fit somehow."""
    right = Books.reserve

    def reserve(self: Books, run: str, allocation: Any, *more: Any) -> Any:
        answers = tuple(right(self, run, allocation, *more))
        if any(isinstance(answer, i.Refused) for answer in answers) or not answers:
            return (i.Reserved(allocation.id),)
        return answers

    patch.setattr(Books, "reserve", reserve)


@MUTANTS.note
def requeues_twice(patch: Patch) -> None:
    """A job that an allocation carries already is given another one."""
    right = Waiting._note_allocations

    def note(self: Waiting, run: Any) -> None:
        right(self, run)
        self.carried.clear()

    patch.setattr(Waiting, "_note_allocations", note)


@MUTANTS.note
def gives_devices_twice(patch: Patch) -> None:
    """All devices are free, always."""
    patch.setattr(Room, "devices", lambda self, executor, usable: list(usable))


@MUTANTS.note
def forgets_a_kind_of_event(patch: Patch) -> None:
    """The store does not write down why a job waits."""
    right = MemoryStore.keep

    def keep(self: MemoryStore, events: Any, state: Any, **more: Any) -> None:
        right(self, [x for x in events if not isinstance(x, e.JobWaited)], state, **more)

    patch.setattr(MemoryStore, "keep", keep)


@MUTANTS.note
def forgets_a_field_of_an_event(patch: Patch) -> None:
    """The text of an event has no time until which a job waits."""
    right = e.to_json

    def to_json(event: e.Event) -> dict[str, Any]:
        data = right(event)
        if "until_ms" in data:
            data["until_ms"] = None
        return data

    patch.setattr(e, "to_json", to_json)


@MUTANTS.note
def forgets_a_field_of_a_snapshot(patch: Patch) -> None:
    """A job that is read again does not know which attempts it had."""
    right = snapshot.record

    def record(one: object) -> dict[str, Any]:
        return {name: value for name, value in right(one).items() if name != "attempts"}

    patch.setattr(snapshot, "record", record)


@MUTANTS.note
def forgets_to_write_what_changed(patch: Patch) -> None:
    """Of the jobs that a round has changed the last one keeps its old row."""
    right = records.differing

    def differing(before: Any, after: Any) -> list[tuple[int, Any]]:
        return list(right(before, after))[:-1]

    patch.setattr(rows, "differing", differing)


@MUTANTS.note
def lets_the_less_important_go_first(patch: Patch) -> None:
    """The order of the queue is upside down: what matters most starves."""
    right = vars(accelerators)["in_order"]

    def in_order(candidates: Any, cost_ms: Any) -> Any:
        return list(reversed(right(candidates, cost_ms)))

    patch.setattr(accelerators, "in_order", in_order)


@MUTANTS.note
def begins_groups_that_cannot_finish(patch: Patch) -> None:
    """The first fold fits, so the group begins."""
    patch.setattr(Admission, "_waits_for_its_group", lambda self, one, account, balance: False)


@MUTANTS.note
def waits_in_silence(patch: Patch) -> None:
    """A job that waits for hours says nothing."""
    patch.setattr(Waiting, "wait", lambda self, *given, **more: None)


@MUTANTS.note
def starts_before_the_reservation(patch: Patch) -> None:
    """Devices are given when an allocation is planned; the ledger hears of it afterwards."""
    right = Books.reserve

    def reserve(self: Books, run: str, allocation: Any, *more: Any) -> Any:
        try:
            return tuple(right(self, run, allocation, *more)) or (i.Reserved(allocation.id),)
        except (LedgerError, OverBudget):
            return (i.Reserved(allocation.id),)

    patch.setattr(Books, "reserve", reserve)


@MUTANTS.note
def takes_an_ended_attempt_for_a_live_one(patch: Patch) -> None:
    """What was killed may still run, so its job stays where it is."""
    patch.setattr(
        AttemptState,
        "live",
        property(lambda self: self.status != "ended" or self.outcome == "killed"),
    )


@MUTANTS.note
def forgets_the_other_devices(patch: Patch) -> None:
    """An hour is an hour, whatever it kept."""
    right = Reservation.used

    def used(self: Reservation, start_ms: int, end_ms: int) -> Any:
        return right(replace(self, rate_milli=min(self.rate_milli, 1000)), start_ms, end_ms)

    patch.setattr(Reservation, "used", used)


@MUTANTS.note
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


@MUTANTS.note
def forgets_holds_in_the_cpu_lane(patch: Patch) -> None:
    """CPU work costs nothing, so why should it wait?"""
    patch.setattr(cpu_pass, "holding", lambda holds, account, lane: None)


@MUTANTS.note
def starts_what_is_paused(patch: Patch) -> None:
    """It waits, and there is room."""
    right = sorts._of_waiting

    def of_waiting(run: Any, known: JobState, *more: Any) -> int:
        return right(run, replace(known, paused=""), *more)

    patch.setattr(sorts, "_of_waiting", of_waiting)
