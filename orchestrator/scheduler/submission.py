"""From the state to what an executor is handed."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.events.standby import StandbyState
from orchestrator.executors.base import Submission
from orchestrator.scheduler.actions import attempts_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import changed
from orchestrator.state.state import RunState
from skint.attempt import Task
from skint.errors import SkintError


class MissingVariable(SkintError):
    """A job wants a variable passed on that the scheduler's environment does not have."""


def submission_of(run: RunState, name: str, environ: Mapping[str, str]) -> Submission:
    """The submission `name` of `run`. Values of variables are taken now and stored nowhere."""
    standby = run.standbys.get(name)
    allocation = run.allocations.get(name)
    attempts = [_as_attempt(standby)] if standby else attempts_of(run, name)
    wanted = {variable for a in attempts for variable in run.graph.job(a.job).env}
    missing = sorted(wanted - environ.keys())
    if missing:
        raise MissingVariable(
            f"the scheduler's environment has no {', '.join(missing)}",
            wanted="every name under `env:`",
            next="set it and start the scheduler again: skint scheduler stop",
        )
    return Submission(
        name=name,
        tasks=tuple(
            changed(task_of(run, attempt), standby_s=standby.wait_s if standby else None)
            for attempt in attempts
        ),
        folders=tuple(attempt.path for attempt in attempts),
        cpus=max(attempt.cpus for attempt in attempts),
        mem_mb=max(attempt.mem_mb for attempt in attempts),
        devices=allocation.devices if allocation else attempts[0].devices,
        together=allocation is not None and allocation.together,
        env={variable: environ[variable] for variable in wanted},
    )


def _as_attempt(standby: StandbyState) -> AttemptState:
    """What it may become, as far as that is known before it has devices."""
    return AttemptState(
        id=standby.id,
        job=standby.job,
        fence=standby.fence,
        key=standby.key,
        folder=standby.folder,
        executor=standby.executor,
        cpus=standby.cpus,
        mem_mb=standby.mem_mb,
        previous=standby.previous,
    )


def task_of(run: RunState, attempt: AttemptState) -> Task:
    job = run.graph.job(attempt.job)
    return Task(
        attempt=attempt.id,
        fence=attempt.fence,
        run=run.name,
        job=job.id,
        uses=job.uses,
        argv=job.argv,
        cwd=run.graph.base,
        params=job.params,
        inputs={
            entry: tuple(run.jobs[name].out for name in names)
            for entry, names in run.graph.inputs(job.id).items()
        },
        fold=job.fold,
        folds=job.folds,
        devices=attempt.devices,
        device_count=job.devices,
        cpus=attempt.cpus,
        limit_s=job.limit_s if attempt.limit_s is None else attempt.limit_s,
        grace_s=job.grace_s if attempt.grace_s is None else attempt.grace_s,
        smoke=job.smoke,
        previous=attempt.previous,
        python=job.python,
        caller=job.caller or None,
    )
