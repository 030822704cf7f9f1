"""A job in words: its title, what it does, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from budget.duration import format_clock
from orchestrator.events.holding import Hold, holding
from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState
from orchestrator.views.words.hold import held_why

NAMED = 3
"""Names in a sentence before the others are counted."""


def title_of(run: RunState, job: Job) -> str:
    """How a person calls the job."""
    if job.smoke:
        return f"smoke test of {job.id.removesuffix('.smoke')}"
    if job.fold is None or job.folds is None:
        return job.id
    of = f"fold {job.fold} ({job.fold + 1} of {job.folds})"
    cell = " ".join(f"{name}={value}" for name, value in job.matrix.items())
    group = job.group if run.graph.has_several_trainings else ""
    return " ".join(part for part in (group, cell, of) if part)


def status_of(run: RunState, job: Job, state: JobState, newest: AttemptState | None) -> str:
    """One of the words of `JobRow.status`."""
    stop = run.stop_of(job)
    parks = stop is not None and stop.then == "requeue"
    if state.status == "stopped" and parks:
        return "parked"
    if state.ended:
        return state.status
    if newest is not None and newest.live:
        if newest.unreachable:
            return "unreachable"
        if stop is not None:
            return "parking" if parks else "stopping"
        return "running" if newest.status == "running" else "starting"
    allocation = run.allocation_of(job.id)
    if allocation is None or not allocation.keeps_devices:
        return "paused" if state.paused else "waiting"
    return "reserving" if allocation.status == "planned" else "starting"


def why_of(
    run: RunState,
    job: Job,
    state: JobState,
    newest: AttemptState | None,
    holds: Sequence[Hold] = (),
) -> str:
    """Why it waits, stops or has ended so; empty when there is nothing to explain."""
    held = is_held(run, job, state, holds)
    if held is not None:
        return held_why(held)
    if state.reason == "deadline" and job.limit_s is not None:
        return f"its limit of {format_clock(round(job.limit_s * 1000))} was over"
    remark = state.remark or state.unready
    if state.ended or state.sentence:
        return (state.sentence or remark) + _standing_by(run, job)
    if newest is not None and newest.live:
        stop = run.stop_of(job)
        return newest.unreachable or (stop.sentence if stop else remark)
    missing = [need for need in job.needs if not run.jobs[need].has_result]
    return f"needs {_some_of(missing)}{_standing_by(run, job)}" if missing else ""


def _some_of(names: Sequence[str]) -> str:
    """The first ones: a job may need thousands."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED + 1 else ""
    return ", ".join(names if not more else names[:NAMED]) + more


def is_held(run: RunState, job: Job, state: JobState, holds: Sequence[Hold]) -> Hold | None:
    """The hold that keeps a job from starting which waits for nothing else."""
    if not holds or state.status != "waiting" or state.paused:
        return None
    if any(not run.jobs[need].has_result for need in job.needs):
        return None
    carried = run.allocation_of(job.id)
    if carried is not None and carried.keeps_devices:
        return None
    return holding(holds, run.graph.account, job.lane)


def _standing_by(run: RunState, job: Job) -> str:
    standby = run.standby_of(job.id)
    if standby is None:
        return ""
    return "; its worker is ready" if standby.status == "ready" else "; its worker gets ready"
