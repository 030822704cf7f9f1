"""A job in words: its title, what it does, and why. Pure."""

from __future__ import annotations

from budget.duration import format_clock
from orchestrator.graph import Job
from orchestrator.state import AttemptState, JobState, RunState


def title_of(run: RunState, job: Job) -> str:
    """How a person calls the job."""
    if job.smoke:
        return f"smoke test of {job.id.removesuffix('.smoke')}"
    if job.fold is None or job.folds is None:
        return job.id
    of = f"fold {job.fold} ({job.fold + 1} of {job.folds})"
    cell = " ".join(f"{name}={value}" for name, value in job.matrix.items())
    trained = {
        other.group for other in run.graph.jobs if other.fold is not None and not other.smoke
    }
    several = len(trained) > 1
    return " ".join(part for part in (job.group if several else "", cell, of) if part)


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
        return "waiting"
    return "reserving" if allocation.status == "planned" else "starting"


def why_of(run: RunState, job: Job, state: JobState, newest: AttemptState | None) -> str:
    """Why it waits, stops or has ended so; empty when there is nothing to explain."""
    if state.reason == "deadline" and job.limit_s is not None:
        return f"its limit of {format_clock(round(job.limit_s * 1000))} was over"
    remark = state.remark or state.unready
    if state.ended or state.sentence:
        return (state.sentence or remark) + _standing_by(run, job)
    if newest is not None and newest.live:
        stop = run.stop_of(job)
        return newest.unreachable or (stop.sentence if stop else remark)
    missing = [need for need in job.needs if not run.jobs[need].has_result]
    return f"needs {', '.join(missing)}" if missing else ""


def _standing_by(run: RunState, job: Job) -> str:
    standby = run.standby_of(job.id)
    if standby is None:
        return ""
    return "; its worker is ready" if standby.status == "ready" else "; its worker gets ready"
