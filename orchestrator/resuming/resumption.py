"""Undoing a stop: which jobs go on, and what becomes of the stops that had ended them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.events.stop import StopAsked
from orchestrator.events.verdict import JobsResumed, StopScope
from orchestrator.graph import Job
from orchestrator.state.changed import changed
from orchestrator.state.questions import is_about, jobs_meant
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState


def stopped(run: RunState, scope: StopScope, target: str) -> list[Job]:
    """Those of `target` that a stop has ended, or is ending."""
    return [job for job in jobs_meant(run.graph, scope, target) if _is_stopped(run, job)]


def is_resumable(run: RunState) -> bool:
    """Whether it has ended because of a stop that can be undone. What began on an accelerator and
    has no checkpoints cannot go on."""
    jobs = [] if run.live else stopped(run, "run", run.name)
    return bool(jobs) and all(
        job.resumes or not job.devices or run.current(job.id) is None for job in jobs
    )


def _is_stopped(run: RunState, job: Job) -> bool:
    """A limit that is used up is no stop: there is nothing to go on with."""
    reasons = {stop.reason for stop in run.stops if stop.then == "end" and _means(run, stop, job)}
    known = run.jobs[job.id]
    if known.status == "stopped":
        return known.reason in reasons
    return bool(reasons) and not known.ended


def _means(run: RunState, stop: StopAsked, job: Job) -> bool:
    return is_about(job, stop.scope, stop.target) or stop.target in run.jobs[job.id].attempts


def skipped_with(run: RunState, jobs: list[Job], *, siblings: bool = False) -> list[Job]:
    """What was skipped because those had no result, and may wait for it again; with `siblings` what
    was skipped because one of its own group had failed, too."""
    open_again = {job.id for job in jobs}
    groups = {job.group for job in jobs} if siblings else set[str]()
    found = []
    for job in run.graph.jobs:  # in topological order
        known = run.jobs[job.id]
        if known.status != "skipped" or job.id in open_again:
            continue
        because_of_a_sibling = known.reason == "sibling-failed" and job.group in groups
        if known.reason != "needs-failed" and not because_of_a_sibling:
            continue
        needs = [run.jobs[need] for need in job.needs]
        if all(need.has_result or not need.ended or need.id in open_again for need in needs):
            open_again.add(job.id)
            found.append(job)
    return found


def resumed(run: RunState, event: JobsResumed) -> RunState:
    """The run after `event`: its jobs wait again, and nothing stops them any more."""
    names = set(event.jobs)
    stops = tuple(left for stop in run.stops for left in _left_of(run, stop, names))
    resumptions = (*run.resumptions, event)
    run = changed(
        run, stops=stops, resumptions=resumptions, outcome=None, sentence="", ended_ms=None
    )
    for name in event.jobs:
        known = run.jobs[name]
        if known.ended:
            again = changed(known, status="waiting", reason="", sentence="", until_ms=None)
            run = with_record(run, "jobs", again)
    return run


def _left_of(run: RunState, stop: StopAsked, names: set[str]) -> Iterator[StopAsked]:
    """What a stop still asks for: the end of the other jobs that it meant, and of those that go on
    that the attempt which it has reached comes to its end; it is the one that they go on from."""
    meant = [job for job in run.graph.jobs if _means(run, stop, job)]
    if stop.then != "end" or not any(job.id in names for job in meant):
        yield stop
        return
    for job in meant:
        if job.id not in names and not run.jobs[job.id].has_result:
            yield changed(stop, scope="attempt", target=job.id)
    reached = [run.current(job.id) for job in meant if job.id in names]
    attempts = tuple(attempt.id for attempt in reached if attempt is not None)
    if attempts:
        yield changed(stop, then="requeue", attempts=attempts)
