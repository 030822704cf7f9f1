"""The attempts behind what a job has come to, also where another run made it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, job_of, run_of


def attempts_of(
    run: RunState, job: Job, runs: Mapping[str, RunState]
) -> tuple[AttemptState, ...] | None:
    """All attempts behind what a job has come to, in order.

    Of a reused result those up to the one that made it, which may be of another of `runs`; None
    where nobody knows them any more.
    """
    state = run.jobs[job.id]
    if state.status != "reused":
        return tuple(run.attempts[name] for name in state.attempts)
    origin = {**runs, run.name: run}.get(run_of(state.result_of))
    made = origin.jobs.get(job_of(state.result_of)) if origin is not None else None
    if origin is None or made is None or state.result_of not in made.attempts:
        return None
    names = made.attempts[: made.attempts.index(state.result_of) + 1]
    return tuple(origin.attempts[name] for name in names)
