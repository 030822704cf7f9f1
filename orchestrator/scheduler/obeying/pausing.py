"""A run, a group or a fold is paused: what has devices parks, and nothing of it starts any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from budget.instant import format_instant
from orchestrator.commands import PauseJobs, ResumeJobs
from orchestrator.events import events as e
from orchestrator.events.pausing import PAUSED
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.pieces import TEARDOWN_MS, left_ms, tail_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.questions import jobs_meant, open_in_spite
from orchestrator.state.state import RunState, State, job_of
from orchestrator.views.budget.charges import freed_ms, in_flight_ms, unit_of
from orchestrator.views.figures import amount
from orchestrator.views.words.undo import resume_command


def pause(state: State, command: str, request: PauseJobs, now_ms: int) -> Iterator[e.Event]:
    """The jobs that are kept from starting, the stop that parks what runs, and the reply."""
    run = state.runs.get(request.run)
    text, pausable = f"there is no run {request.run}", list[Job]()
    if run is not None:
        jobs = list(jobs_meant(run.graph, request.scope, request.target))
        pausable = [job for job in jobs if _may_pause(run, job)]
        text = _why_not(run, request, jobs, pausable)
    ok = not text
    if ok and run is not None:
        sentence = f"paused by {request.by} {format_instant(now_ms, 'UTC')}"
        live = [one for job in pausable if (one := _with_devices(run, job)) is not None]
        parks = [attempt for attempt in live if _may_park(run, attempt, now_ms)]
        yield e.JobsPaused(
            at_ms=now_ms,
            run=run.name,
            scope=request.scope,
            target=request.target,
            jobs=tuple(job.id for job in pausable),
            by=request.by,
            sentence=f"{sentence}; {resume_command(run, request.scope, request.target)}",
        )
        if parks:
            yield e.StopAsked(
                at_ms=now_ms,
                run=run.name,
                scope=request.scope,
                target=request.target,
                how="step",
                then="requeue",
                reason=PAUSED,
                sentence=sentence,
                by=request.by,
                attempts=tuple(attempt.id for attempt in parks),
            )
        text = _words(run, request, pausable, live, parks, now_ms)
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def unpaused(run: RunState, jobs: Sequence[Job], by: str, now_ms: int) -> e.JobsUnpaused:
    """That these jobs may start again."""
    names = tuple(job.id for job in jobs)
    return e.JobsUnpaused(at_ms=now_ms, run=run.name, jobs=names, by=by)


def paused_jobs(run: RunState, request: ResumeJobs) -> list[Job]:
    """Those of them that are paused."""
    meant = jobs_meant(run.graph, request.scope, request.target)
    return [job for job in meant if run.jobs[job.id].paused]


def _may_pause(run: RunState, job: Job) -> bool:
    known, stop = run.jobs[job.id], run.stop_of(job)
    return not known.ended and not known.paused and (stop is None or stop.then == "requeue")


def _why_not(run: RunState, request: PauseJobs, jobs: Sequence[Job], may: Sequence[Job]) -> str:
    """Empty where there is something to be paused."""
    if not jobs:
        return f"{run.name} has no {request.target}"
    if not run.live:
        return f"{run.name} has ended already: {run.outcome}"
    if may:
        return ""
    what = run.name if request.scope == "run" else f"{request.target} of {run.name}"
    left = [job for job in jobs if not run.jobs[job.id].ended]
    if not left:
        return f"{what} has ended already: {run.jobs[jobs[0].id].status}"
    if all(run.jobs[job.id].paused for job in left):
        return f"{what} is paused already; skint resume {run.name} goes on"
    return f"{what} is being stopped already; skint resume {run.name} undoes that"


def _with_devices(run: RunState, job: Job) -> AttemptState | None:
    """The attempt that has devices, or is about to get them."""
    attempt = run.current(job.id)
    return attempt if attempt is not None and attempt.live and job.devices else None


def _may_park(run: RunState, attempt: AttemptState, now_ms: int) -> bool:
    """Whether it can go on later: it keeps checkpoints, and enough of its limit is left."""
    job = run.graph.job(attempt.job)
    if attempt.started_ms is None:
        return True
    tail_ms = tail_of(run, run.graph.groups()[job.group]).ms
    ran_ms = max(0, now_ms - attempt.started_ms)
    return job.resumes and left_ms(run, job) - ran_ms > 2 * (tail_ms + TEARDOWN_MS)


def _words(
    run: RunState,
    request: PauseJobs,
    jobs: Sequence[Job],
    live: Sequence[AttemptState],
    parks: Sequence[AttemptState],
    now_ms: int,
) -> str:
    what = run.name if request.scope == "run" else f"{request.target} of {run.name}"
    parts = [f"{what} is paused"]
    if parks:
        names = ", ".join(attempt.job for attempt in parks)
        its = "its next step and keeps its checkpoint"
        their = "their next step and keep their checkpoints"
        parts.append(f"{names} {f'parks at {its}' if len(parks) == 1 else f'park at {their}'}")
    going = [attempt.job for attempt in live if attempt not in parks]
    if going:
        why = "cannot go on from a checkpoint" if len(going) == 1 else "cannot go on from one"
        why += " or is nearly over" if len(going) == 1 else " or are nearly over"
        goes = "runs to its end" if len(going) == 1 else "run to their end"
        parts.append(f"{', '.join(going)} {why}: {goes}")
    meant = list(jobs_meant(run.graph, request.scope, request.target))
    if any(job.devices for job in meant):
        parts.append(_hours(run, meant, jobs, now_ms))
    asked = [said for said in open_in_spite(run, jobs) if said.until_ms is not None]
    if asked:
        parts.append(f"{asked[0].rule} still waits for an answer about {asked[0].target}")
    parts.append(f"go on with {resume_command(run, request.scope, request.target)}")
    return "; ".join(parts)


def _hours(run: RunState, meant: Sequence[Job], paused: Sequence[Job], now_ms: int) -> str:
    """What all of them have spent, and what stays free on the account while some are paused."""
    names = {job.id for job in meant}
    spent_ms = 0
    for allocation in run.allocations.values():
        mine = [name for name in allocation.attempts if job_of(name) in names]
        if mine:
            spent_ms += sum(allocation.shares.get(name, 0) for name in mine)
            spent_ms += in_flight_ms(allocation, now_ms) * len(mine) // len(allocation.attempts)
    unit = unit_of(run)
    spent = f"{amount(spent_ms, unit)} spent" if spent_ms else "nothing spent"
    free_ms = freed_ms(run, paused, now_ms)
    return f"{spent}, up to {amount(free_ms, unit)} kept free on {run.graph.account}"
