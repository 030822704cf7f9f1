"""From events to state. `apply` is the only thing that changes a state, and it is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from budget.meters.log import Metered
from orchestrator.events import events as e
from orchestrator.events.holding import with_hold, with_wider, without_hold
from orchestrator.events.pausing import paused, unpaused
from orchestrator.events.retrying import retried
from orchestrator.events.standby import StandbyState
from orchestrator.forecasts.pace import with_mark
from orchestrator.graph import Graph
from orchestrator.resuming.resumption import resumed
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import changed
from orchestrator.state.job_state import JobState
from orchestrator.state.records import with_entry
from orchestrator.state.saving_state import SavingState
from orchestrator.state.selection import with_record
from orchestrator.state.state import Result, RunState, State
from orchestrator.state.together import reported, waited


def apply_all(state: State, events: Iterable[e.Event]) -> State:
    """The state after all `events`. Those of one run that stand together, as nearly all do, are
    taken at once: each alone would copy what is known of all runs."""
    same: list[e.Event] = []
    for event in events:
        alone = type(event) in _ALONE
        if same and (alone or event.run != same[0].run):
            state = _with_events(state, same)
            same = []
        if alone:
            state = apply(state, event)
        else:
            same.append(event)
    return _with_events(state, same) if same else state


def apply(state: State, event: e.Event) -> State:
    """The state after `event`. Facts that contradict what is known are refused by KeyError."""
    if isinstance(event, e.CommandAnswered):
        return state
    if isinstance(event, e.HoldSet):
        return changed(state, holds=with_hold(state.holds, event))
    if isinstance(event, e.HoldReleased):
        return changed(state, holds=without_hold(state.holds, event))
    if isinstance(event, e.HoldWidened):
        return changed(state, holds=with_wider(state.holds, event))
    if isinstance(event, e.RunSubmitted):
        graph = Graph.from_json(event.graph)
        new = RunState(
            name=event.run,
            graph=graph,
            submitted_ms=event.at_ms,
            uid=event.uid,
            cpu_only=event.cpu_only,
            again=event.again,
            priority=event.priority,
            park=event.park,
            by=event.by,
            jobs={job.id: JobState(job.id) for job in graph.jobs},
        )
        return state.with_run(new)
    return _with_events(state, (event,))


# About no known run.
_ALONE = (e.CommandAnswered, e.HoldSet, e.HoldWidened, e.HoldReleased, e.RunSubmitted)


def _with_events(state: State, events: Sequence[e.Event]) -> State:
    """The state after events of one run. Those of a kind that often come together, as reports of
    one attempt do at every look at it, are taken at once: each alone would copy the records."""
    run, results = state.runs[events[0].run], state.results
    for kind, same in groupby(events, type):
        if kind in _TOGETHER:
            run = _TOGETHER[kind](run, same)
            continue
        for event in same:
            run = _APPLY[kind](run, event)
            if isinstance(event, e.JobEnded) and event.outcome == "done":
                result = result_of(run, event.job)
                results = with_entry(results, result.key, result)
    if results is not state.results:
        state = changed(state, results=results)
    return state.with_run(run)


def result_of(run: RunState, job: str) -> Result:
    done = run.jobs[job]
    attempt = run.attempts[done.attempts[-1]]
    wall_ms = (attempt.ended_ms or 0) - (attempt.started_ms or 0)
    return Result(done.key, run.name, job, attempt.id, done.out, done.digest, wall_ms)


def _attempt(run: RunState, name: str, **changes: Any) -> RunState:
    return with_record(run, "attempts", changed(run.attempts[name], **changes))


def _allocation(run: RunState, name: str, **changes: Any) -> RunState:
    return with_record(run, "allocations", changed(run.allocations[name], **changes))


def _job(run: RunState, name: str, **changes: Any) -> RunState:
    return with_record(run, "jobs", changed(run.jobs[name], **changes))


def _job_reused(run: RunState, event: e.JobReused) -> RunState:
    return _job(
        run,
        event.job,
        key=event.key,
        result_of=event.attempt,
        out=event.out,
        digest=event.digest,
        saved_ms=event.saved_ms,
    )


def _attempt_planned(run: RunState, event: e.AttemptPlanned) -> RunState:
    standby = run.standbys.get(event.attempt)
    attempt = AttemptState(
        id=event.attempt,
        job=event.job,
        fence=event.fence,
        key=event.key,
        folder=event.folder,
        executor=event.executor,
        cpus=event.cpus,
        mem_mb=event.mem_mb,
        devices=event.devices,
        allocation=event.allocation,
        previous=event.previous,
        limit_s=event.limit_s,
        grace_s=event.grace_s,
        edge=event.edge,
        edge_until_ms=event.edge_until_ms,
        stood_by=standby is not None,
        prepared_ms=None if standby is None else standby.prepared_ms,
    )
    if attempt.stood_by:
        run = _without_standby(run, event.attempt)
    job = run.jobs[event.job]
    run = _job(
        run,
        event.job,
        status="running",
        key=event.key,
        attempts=(*job.attempts, event.attempt),
        ahead=job.ahead - attempt.stood_by,
        reason="",
        sentence="",
        until_ms=None,
        overtaken_ms=None,
    )
    return with_record(run, "attempts", attempt)


def _standby_planned(run: RunState, event: e.StandbyPlanned) -> RunState:
    standby = StandbyState(
        id=event.attempt,
        job=event.job,
        fence=event.fence,
        key=event.key,
        folder=event.folder,
        executor=event.executor,
        cpus=event.cpus,
        mem_mb=event.mem_mb,
        wait_s=event.wait_s,
        previous=event.previous,
    )
    run = _job(run, event.job, ahead=run.jobs[event.job].ahead + 1)
    return changed(run, standbys={**run.standbys, standby.id: standby})


def _standby(run: RunState, name: str, **changes: Any) -> RunState:
    standby = changed(run.standbys[name], **changes)
    return changed(run, standbys={**run.standbys, name: standby})


def _without_standby(run: RunState, name: str) -> RunState:
    return changed(run, standbys={id: s for id, s in run.standbys.items() if id != name})


def _standby_ended(run: RunState, event: e.StandbyEnded) -> RunState:
    if event.by_itself:
        run = _job(run, run.standbys[event.attempt].job, unready=event.sentence)
    return _without_standby(run, event.attempt)


def _stop_sent(run: RunState, event: e.StopSent) -> RunState:
    if event.attempt in run.standbys:
        return _standby(run, event.attempt, told=True)
    return _attempt(run, event.attempt, stop_sent=event.how, stop_sent_ms=event.at_ms)


def _stage_entered(run: RunState, event: e.StageEntered) -> RunState:
    stages = (*run.attempts[event.attempt].stages, (event.entered_ms, event.name))
    return _attempt(run, event.attempt, stages=stages)


def _progress_made(run: RunState, event: e.ProgressMade) -> RunState:
    known = run.attempts[event.attempt]
    same = known.progress is not None and known.progress[1] == event.total
    marks = with_mark(known.marks if same else (), event.told_ms or event.at_ms, event.done)
    return _attempt(run, event.attempt, progress=(event.done, event.total), marks=marks)


def _error_reported(run: RunState, event: e.ErrorReported) -> RunState:
    parts = {"what": event.what, "where": event.where, "got": event.got}
    parts |= {"wanted": event.wanted, "next": event.next}
    return _attempt(run, event.attempt, error={k: v for k, v in parts.items() if v or k == "what"})


def _attempt_ended(run: RunState, event: e.AttemptEnded) -> RunState:
    return _attempt(
        run,
        event.attempt,
        status="ended",
        outcome=event.outcome,
        reason=event.reason,
        sentence=event.sentence,
        started_ms=event.started_ms,
        ended_ms=event.ended_ms,
        digest=event.digest,
        unreachable="",
    )


def _job_ended(run: RunState, event: e.JobEnded) -> RunState:
    changes: dict[str, Any] = {}
    if event.outcome == "done":
        attempt = run.attempts[run.jobs[event.job].attempts[-1]]
        changes = {"digest": attempt.digest, "result_of": attempt.id, "out": attempt.out}
    return _job(
        run,
        event.job,
        status=event.outcome,
        reason=event.reason,
        sentence=event.sentence,
        until_ms=None,
        paused="",
        **changes,
    )


def _allocation_planned(run: RunState, event: e.AllocationPlanned) -> RunState:
    allocation = AllocationState(
        id=event.allocation,
        account=event.account,
        executor=event.executor,
        devices=event.devices,
        wall_ms=event.wall_ms,
        amount_ms=event.amount_ms,
        attempts=event.attempts,
        limits_s=event.limits_s,
        graces_s=event.graces_s,
        edge=event.edge,
        edge_until_ms=event.edge_until_ms,
        unit=event.unit,
        together=event.together,
    )
    return with_record(run, "allocations", allocation)


def _saving_found(run: RunState, event: e.SavingFound) -> RunState:
    saving = SavingState(
        id=event.saving,
        job=event.job,
        account=event.account,
        unit=event.unit,
        kind=event.kind,
        amount_ms=event.amount_ms,
        derivation=event.derivation,
        found_ms=event.at_ms,
        takes_back=event.takes_back,
    )
    return with_record(run, "savings", saving)


def _saving_booked(run: RunState, event: e.SavingBooked) -> RunState:
    return with_record(run, "savings", changed(run.savings[event.saving], booked=True))


_TOGETHER: dict[type[e.Event], Callable[[RunState, Any], RunState]] = {
    e.MetricsReported: reported,
    e.JobWaited: waited,
}
_APPLY: dict[type[e.Event], Callable[[RunState, Any], RunState]] = {
    e.JobReused: _job_reused,
    e.JobRemarked: lambda run, event: _job(run, event.job, remark=event.sentence),
    e.AllocationPlanned: _allocation_planned,
    e.AllocationReserved: lambda run, event: _allocation(
        run, event.allocation, status="reserved", reserved_at_ms=event.at_ms
    ),
    e.AllocationRefused: lambda run, event: _allocation(
        run,
        event.allocation,
        status="refused",
        reason=event.reason,
        sentence=event.sentence,
        until_ms=event.until_ms,
        again_ms=event.again_ms,
    ),
    e.AllocationStarted: lambda run, event: _allocation(
        run, event.allocation, status="running", start_ms=event.start_ms
    ),
    e.AllocationEnded: lambda run, event: _allocation(
        run,
        event.allocation,
        status="ended",
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        weights=event.shares,
        estimated=event.estimated,
    ),
    e.AllocationSettled: lambda run, event: _allocation(
        run,
        event.allocation,
        status="settled",
        charged_ms=event.charged_ms,
        shares=event.shares,
    ),
    e.AllocationReleased: lambda run, event: _allocation(
        run, event.allocation, status="released", reason=event.reason
    ),
    e.SavingFound: _saving_found,
    e.SavingBooked: _saving_booked,
    e.AttemptPlanned: _attempt_planned,
    e.AttemptAccepted: lambda run, event: _attempt(run, event.attempt, status="accepted"),
    e.AttemptStarted: lambda run, event: _attempt(
        run, event.attempt, status="running", started_ms=event.started_ms
    ),
    e.AttemptUnreachable: lambda run, event: _attempt(
        run, event.attempt, unreachable=event.sentence
    ),
    e.AttemptReached: lambda run, event: _attempt(run, event.attempt, unreachable=""),
    e.ProgressMade: _progress_made,
    e.NoteWritten: lambda run, event: _attempt(
        run, event.attempt, notes=(*run.attempts[event.attempt].notes, event.text)
    ),
    e.CheckpointKept: lambda run, event: _attempt(
        run, event.attempt, checkpoint=(event.epoch, event.step), checkpoint_ms=event.kept_ms
    ),
    e.JobOvertaken: lambda run, event: _job(run, event.job, overtaken_ms=event.at_ms),
    e.ErrorReported: _error_reported,
    e.VerdictGiven: lambda run, event: changed(run, verdicts=(*run.verdicts, event)),
    e.VerdictAnswered: lambda run, event: changed(run, answers=(*run.answers, event)),
    e.JobsResumed: resumed,
    e.JobsPaused: paused,
    e.JobsUnpaused: unpaused,
    e.JobsRetried: retried,
    e.BaselineSet: lambda run, event: changed(run, baseline_ms=event.at_ms if event.on else None),
    e.StopAsked: lambda run, event: changed(run, stops=(*run.stops, event)),
    e.StopSent: _stop_sent,
    e.StandbyPlanned: _standby_planned,
    e.StandbyAccepted: lambda run, event: _standby(run, event.attempt, status="accepted"),
    e.StandbyStarted: lambda run, event: _standby(
        run, event.attempt, status="running", started_ms=event.started_ms
    ),
    e.StandbyReady: lambda run, event: _standby(
        run, event.attempt, status="ready", ready_ms=event.ready_ms
    ),
    e.StandbyDropped: lambda run, event: _standby(run, event.attempt, dropped=event.reason),
    e.StandbyEnded: _standby_ended,
    e.StageEntered: _stage_entered,
    e.AttemptEnded: _attempt_ended,
    e.AttemptMetered: lambda run, event: _attempt(
        run, event.attempt, metered=Metered.from_json(event.metered)
    ),
    e.KeptIdle: lambda run, event: _attempt(run, event.attempt, kept_idle=event.sentence),
    e.JobEnded: _job_ended,
    e.RunEnded: lambda run, event: changed(
        run, outcome=event.outcome, sentence=event.sentence, ended_ms=event.at_ms
    ),
}
