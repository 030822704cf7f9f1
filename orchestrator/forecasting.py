"""How long the jobs of a run will still take, read off the state. Pure."""

from __future__ import annotations

from budget.forecast import Forecast, unknown
from orchestrator.graph import Job
from orchestrator.state import RunState, State


def forecast_job(state: State, run: RunState, job: Job, now_ms: int) -> Forecast:
    """Wall milliseconds that `job` will still run."""
    if run.jobs[job.id].ended:
        return Forecast(0, 0, 0, "own-epochs", "it has ended")
    return unknown(job.wall_limit_ms)
