"""What has to be done, read off the state: whatever was cut short is simply due again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestrator.events import events as e
from orchestrator.executors.base import Handle
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.observations import is_absent
from orchestrator.scheduler.rules import own_rules
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State
from skint.attempt import StopRequest


def due(
    state: State, inputs: i.Inputs, decided: Collection[e.Event], now_ms: int
) -> Iterator[i.Action]:
    """All actions that the state calls for, money first. `decided` are the events of this step."""
    runs = state.busy
    for run in runs:
        yield from _closings(run)
    # After the closings of every run, as what they free may be what is missing; and in the order
    # of the decisions, as each of them counted on those before it.
    planned = [event for event in decided if isinstance(event, e.AllocationPlanned)]
    yield from (i.Reserve(event.run, event.allocation) for event in planned)
    fresh = {event.allocation for event in planned}
    for run in runs:
        for allocation in run.open_allocations:
            if allocation.status == "planned" and allocation.id not in fresh:
                yield i.Drop(run.name, allocation.id)
    for run in runs:
        yield from _starts(run, inputs)
        if run.stops:
            yield from _stops(run)
    yield from _orphans(state, inputs)
    yield from own_rules.asked(state, inputs, decided, now_ms)


def _closings(run: RunState) -> Iterator[i.Action]:
    for saving in run.unbooked:
        # What is taken back has to stand there before.
        if not saving.takes_back or run.savings[saving.takes_back].booked:
            yield i.BookSaving(run.name, saving.id)
    for allocation in run.open_allocations:
        if allocation.status == "ended":
            yield i.Settle(run.name, allocation.id)
        elif allocation.status == "reserved" and allocation.start_ms is None:
            attempts = [run.attempts.get(name) for name in allocation.attempts]
            if all(attempt is not None and not attempt.live for attempt in attempts):
                yield i.Release(run.name, allocation.id, "it never started")


def _starts(run: RunState, inputs: i.Inputs) -> Iterator[i.Action]:
    """Submissions that nobody has accepted, or that never arrived although somebody did."""
    seen = set()
    for attempt in run.live_attempts:
        submission = attempt.allocation or attempt.id
        sight = inputs.observations.get(submission)
        absent = sight is not None and is_absent(sight, attempt.id)
        due = attempt.status == "planned" or (attempt.status == "accepted" and absent)
        if due and submission not in seen and run.stop_of(run.graph.job(attempt.job)) is None:
            seen.add(submission)
            yield i.Submit(run.name, attempt.executor, submission)
    for standby in run.standbys.values():
        sight = inputs.observations.get(standby.id)
        absent = sight is not None and sight.condition == "absent"
        due = standby.status == "planned" or (standby.status == "accepted" and absent)
        if due and not standby.dropped:
            yield i.Submit(run.name, standby.executor, standby.id)
        elif standby.dropped and not standby.told:
            request = StopRequest("kill", "end", standby.dropped)
            yield i.Signal(run.name, standby.executor, standby.id, standby.id, request)


def _stops(run: RunState) -> Iterator[i.Action]:
    for attempt in run.live_attempts:
        stop = run.stop_of(run.graph.job(attempt.job))
        if stop is None or attempt.stop_sent == stop.how:
            continue
        yield i.Signal(
            run.name,
            attempt.executor,
            attempt.allocation or attempt.id,
            attempt.id,
            StopRequest(stop.how, stop.then, stop.reason, stop.sentence),
        )


def _orphans(state: State, inputs: i.Inputs) -> Iterator[i.Action]:
    """What an executor runs under our name although its attempts are over, or were never ours."""
    for executor, handles in inputs.orphans.items():
        for handle in handles:
            known = [state.attempt(name) for name in handle.attempts]
            standing_by = any(state.standby(name) is not None for name in handle.attempts)
            if not standing_by and not any(a is not None and a.live for a in known):
                yield i.Cancel(executor, handle)


def handle_of(run: RunState, submission: str) -> Handle:
    """The address of a submission, from the state alone."""
    standby = run.standbys.get(submission)
    if standby is not None:
        return Handle(submission, (submission,), (standby.path,))
    attempts = attempts_of(run, submission)
    return Handle(
        submission,
        tuple([attempt.id for attempt in attempts]),
        tuple([attempt.path for attempt in attempts]),
    )


def attempts_of(run: RunState, submission: str) -> list[AttemptState]:
    allocation = run.allocations.get(submission)
    names = allocation.attempts if allocation else (submission,)
    return [run.attempts[name] for name in names]
