"""One line for each event that is worth one: what the dashboard lists. Pure.

The run's name stands beside the line, so it is not in it. `state` may be newer than the event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from budget.amount import format_amount
from orchestrator.events import events as e
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import RunState, State, job_of
from orchestrator.views.run.training import number, training_of
from orchestrator.views.words.hold import what_is_held, where_held
from orchestrator.views.words.job import title_of
from orchestrator.views.words.persons import by_whom, in_words

Tone = Literal["plain", "good", "attention", "bad"]
"""How to colour a line. The words say the same: nothing is told by colour alone."""


def tell(event: e.Event, state: State) -> str | None:
    """The line of `event`, or None if it is only of interest to the scheduler."""
    if isinstance(event, e.CommandAnswered):
        return None if event.ok else f"refused: {event.text}"
    if isinstance(event, e.HoldSet | e.HoldReleased):
        return _hold(event)
    run = state.runs.get(event.run)
    words = _WORDS.get(type(event))
    said = words(run, event) if run is not None and words is not None else None
    return None if said is None else in_words(said)


def tone(event: e.Event) -> Tone:
    """How serious `event` is for a person."""
    if isinstance(event, e.JobEnded | e.RunEnded):
        outcomes: dict[str, Tone] = {"done": "good", "reused": "plain", "failed": "bad"}
        return outcomes.get(event.outcome, "attention")
    if isinstance(event, e.ErrorReported):
        return "bad"
    if isinstance(event, e.CommandAnswered):
        return "plain" if event.ok else "attention"
    if isinstance(event, e.JobWaited):
        return "plain" if event.until_ms is None else "attention"
    if isinstance(event, e.HoldSet | e.JobsPaused):
        return "attention"
    if isinstance(event, e.StopAsked | e.VerdictGiven | e.AttemptUnreachable | e.AttemptEnded):
        return "attention"
    return "plain"


def _title(run: RunState, job: str) -> str:
    return title_of(run, run.graph.job(job))


def _with(words: str, *more: str) -> str:
    return ": ".join([words, *(part for part in more if part)])


def _submitted(run: RunState, event: e.RunSubmitted) -> str:
    count = len(run.graph.jobs)
    return f"queued, {count} job{'s' if count != 1 else ''}"


def _waited(run: RunState, event: e.JobWaited) -> str:
    return f"{_title(run, event.job)}: {event.sentence or f'waits ({event.reason})'}"


def _carried(run: RunState, allocation: AllocationState) -> str:
    return ", ".join(_title(run, job_of(name)) for name in allocation.attempts)


def _reserved(run: RunState, event: e.AllocationReserved) -> str:
    allocation = run.allocations[event.allocation]
    amount = format_amount(allocation.amount_ms, allocation.unit)
    return f"{_carried(run, allocation)}: {amount} of {allocation.account} reserved"


def _settled(run: RunState, event: e.AllocationSettled) -> str:
    allocation = run.allocations[event.allocation]
    back_ms = max(0, allocation.amount_ms - event.charged_ms)
    charged, back = (format_amount(ms, allocation.unit) for ms in (event.charged_ms, back_ms))
    return (
        f"{_carried(run, allocation)}: {charged} charged, {back} of {allocation.account} free again"
    )


def _released(run: RunState, event: e.AllocationReleased) -> str:
    allocation = run.allocations[event.allocation]
    return _with(f"{_carried(run, allocation)}: nothing charged", event.reason)


def _reported(run: RunState, event: e.MetricsReported) -> str | None:
    epoch, epochs = (number(event.values.get(name)) for name in ("epoch", "epochs"))
    if epoch is None:
        return None
    job = job_of(event.attempt)
    metric = training_of([run.attempts[event.attempt]], run.graph.job(job).metric).metric
    value = number(event.values.get(metric))
    of = f"/{epochs:g}" if epochs is not None else ""
    measured = f" · {metric} {value:.3f}" if value is not None else ""
    return f"{_title(run, job)} · epoch {epoch:g}{of}{measured}"


def _attempt_ended(run: RunState, event: e.AttemptEnded) -> str | None:
    job = job_of(event.attempt)
    if event.outcome == "done" or run.jobs[job].attempts[-1] == event.attempt:
        return None  # what follows for the job says it
    return _with(f"{_title(run, job)} {event.outcome}, tried again", event.sentence)


def _answered(run: RunState, event: e.VerdictAnswered) -> str:
    did = "goes on" if event.answer == "let-run" else "is to stop"
    return f"{_target(run, event.target)} {did}: answered by {by_whom(event.by)}"


def _resumed(run: RunState, event: e.JobsResumed) -> str:
    return f"{_target(run, event.target)} resumed by {by_whom(event.by)}"


def _paused(run: RunState, event: e.JobsPaused) -> str:
    return f"{_target(run, event.target)} paused by {by_whom(event.by)}"


def _unpaused(run: RunState, event: e.JobsUnpaused) -> str:
    count = len(event.jobs)
    jobs = _title(run, event.jobs[0]) if count == 1 else f"{count} jobs"
    return f"{jobs} paused no more: resumed by {by_whom(event.by)}"


def _retried(run: RunState, event: e.JobsRetried) -> str:
    return f"{_target(run, event.target)} tried again, asked by {by_whom(event.by)}"


def _hold(event: e.HoldSet | e.HoldReleased) -> str:
    if isinstance(event, e.HoldReleased):
        where = where_held(event.account, event.lane)
        return f"jobs start again {where}: released by {by_whom(event.by)}"
    what = what_is_held(event.account, event.lane)
    return _with(f"no new job starts {what}, held by {by_whom(event.by)}", event.reason)


def _target(run: RunState, target: str) -> str:
    if target == run.name:
        return "the run"
    return _title(run, target) if target in run.jobs else target


def _stop_asked(run: RunState, event: e.StopAsked) -> str:
    target = run.attempts[event.target].job if event.target in run.attempts else event.target
    jobs = {job.id for job in run.graph.jobs}
    what = "the run" if event.scope == "run" else event.target
    if event.scope != "run" and target in jobs:
        what = _title(run, target)
    verb = "park" if event.then == "requeue" else "stop"
    return _with(f"{what} is to {verb}", event.sentence)


_WORDS: Mapping[type[e.Event], Callable[[RunState, Any], str | None]] = {
    e.RunSubmitted: _submitted,
    e.JobWaited: _waited,
    e.AllocationReserved: _reserved,
    e.AllocationSettled: _settled,
    e.AllocationReleased: _released,
    e.AttemptStarted: lambda run, event: f"{_title(run, job_of(event.attempt))} started",
    e.AttemptUnreachable: lambda run, event: _with(
        f"{_title(run, job_of(event.attempt))} does not answer", event.sentence
    ),
    e.AttemptReached: lambda run, event: f"{_title(run, job_of(event.attempt))} answers again",
    e.MetricsReported: _reported,
    e.NoteWritten: lambda run, event: f"{_title(run, job_of(event.attempt))}: {event.text}",
    e.ErrorReported: lambda run, event: _with(
        f"{_title(run, job_of(event.attempt))} says", event.what, event.got and f"got {event.got}"
    ),
    e.VerdictGiven: lambda run, event: _with(f"stop rule {event.rule}", event.sentence),
    e.VerdictAnswered: _answered,
    e.JobsResumed: _resumed,
    e.JobsPaused: _paused,
    e.JobsUnpaused: _unpaused,
    e.JobsRetried: _retried,
    e.StopAsked: _stop_asked,
    e.AttemptEnded: _attempt_ended,
    e.JobEnded: lambda run, event: _with(
        f"{_title(run, event.job)} {event.outcome}", event.sentence
    ),
    e.RunEnded: lambda run, event: _with(f"run {event.outcome}", event.sentence),
}
