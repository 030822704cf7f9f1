"""What both lanes have in common: results that are known stand in for jobs, and attempts get their
names."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.plans.keys import job_key
from orchestrator.scheduler import earlier
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import changed
from orchestrator.state.state import RunState, State, job_of, run_of


def key_of(run: RunState, job: Job) -> str:
    """What the job's result depends on: its own description and its ancestors' contents."""
    return job_key(
        job.static_key,
        {
            name: run.jobs[name].digest
            for name in run.graph.ancestors(job.id)
            if not run.graph.job(name).smoke
        },
    )


def reuse(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """The end of a job whose result is known, unless it is to be paid for again."""
    result = state.results.get(key)
    if result is None or (run.again and run.graph.runs_again(job)):
        return
    if not inputs.has_output(result.out):
        return
    yield e.JobReused(
        at_ms=now_ms,
        run=run.name,
        job=job.id,
        key=key,
        attempt=result.attempt,
        out=result.out,
        digest=result.digest,
        saved_ms=result.wall_ms,
    )
    yield e.JobEnded(
        at_ms=now_ms,
        run=run.name,
        job=job.id,
        outcome="reused",
        reason="same-key",
        sentence=f"the same as {result.job} of {result.run}",
    )


def goes_on(run: RunState, job: Job, before: AttemptState | None, now_ms: int) -> Iterator[e.Event]:
    """What is said where it goes on from what another run had done."""
    if before is not None and run_of(before.id) != run.name:
        yield earlier.goes_on(run, job, before, now_ms)


def cannot_run(run: RunState, job: Job, reason: str, sentence: str, now_ms: int) -> e.Event:
    """The end of a job that could wait for ever."""
    return e.JobEnded(
        at_ms=now_ms, run=run.name, job=job.id, outcome="failed", reason=reason, sentence=sentence
    )


def attempt_planned(
    run: RunState,
    job: Job,
    fence: int,
    key: str,
    executor: str,
    cpus: int,
    before: AttemptState | None,
    inputs: Inputs,
    now_ms: int,
) -> e.AttemptPlanned:
    """The next attempt of a job has a name; `before` is what it goes on from."""
    return e.AttemptPlanned(
        at_ms=now_ms,
        run=run.name,
        job=job.id,
        attempt=f"{run.name}.{job.id}.{fence}",
        fence=fence,
        key=key,
        folder=f"{inputs.runs_dir}/{run.name}/{job.id}/{fence}",
        executor=executor,
        cpus=cpus,
        mem_mb=job.mem_mb,
        previous=before.out if before else None,
    )


def begin(
    state: State, run: RunState, allocation: str, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """An allocation is paid for: name its attempts, so that they can be submitted."""
    kept = run.allocations[allocation]
    yield e.AllocationReserved(at_ms=now_ms, run=run.name, allocation=allocation)
    for number, name in enumerate(kept.attempts):
        job = run.graph.job(job_of(name))
        cpus = job.cpus or inputs.capacity[kept.executor].cpus
        fence = int(name.rsplit(".", 1)[1])
        key, standby = key_of(run, job), run.standbys.get(name)
        if standby is None:
            before = earlier.previous_of(state, run, job, key, inputs)
        else:  # it has read that already
            before = earlier.maker_of(state, standby.previous or "")
        yield from goes_on(run, job, before, now_ms)
        yield changed(
            attempt_planned(run, job, fence, key, kept.executor, cpus, before, inputs, now_ms),
            allocation=allocation,
            devices=kept.devices_of(number),
            limit_s=kept.limits_s[number] if kept.limits_s else None,
            grace_s=kept.graces_s[number] if kept.graces_s else None,
            edge=kept.edge,
            edge_until_ms=kept.edge_until_ms,
        )
