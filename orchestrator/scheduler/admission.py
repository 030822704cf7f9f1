"""What may start now in the CPU lane, and what both lanes have in common: results that are known
stand in for jobs, attempts get their names. Whatever waits says why.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator import events as e
from orchestrator.changed import changed
from orchestrator.graph import Job
from orchestrator.holding import holding
from orchestrator.plans.keys import job_key
from orchestrator.scheduler import cpu_lane, earlier
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state import AttemptState, RunState, State, job_of, run_of

LOCAL = cpu_lane.LOCAL


def admit(state: State, run: RunState, inputs: Inputs, now_ms: int) -> Iterator[e.Event]:
    """The first thing of the CPU lane of `run` that may happen now; empty when nothing may.

    One decision at a time: the caller applies it and asks again, so that each decision sees the
    cores and results that the one before left.
    """
    if holding(state.holds, run.graph.account, "cpu") is not None:
        return
    for known in run.cpu_ready:
        job = run.graph.job(known.id)
        if run.stop_of(job) is not None:
            continue
        key = key_of(run, job)
        decided = tuple(reuse(state, run, job, key, inputs, now_ms)) or tuple(
            _start_on_cpu(state, run, job, key, inputs, now_ms)
        )
        if decided:
            yield from decided
            return


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


def _start_on_cpu(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    same = earlier.being_made(state, run, job, key)
    if same is not None:
        yield from _wait(run, job, "being-made", earlier.waits_for(run, same), now_ms)
        return
    capacity = inputs.capacity[LOCAL]
    used_cpus, used_mb = cpu_lane.used(state)
    cpus = capacity.cpus if job.cpus == 0 else job.cpus
    if cpus > capacity.cpus or job.mem_mb > capacity.mem_mb:
        text = (
            f"wants {cpus} cores and {job.mem_mb / 1024:.1f} GB, "
            f"this machine has {capacity.cpus} and {capacity.mem_mb / 1024:.1f} GB"
        )
        yield cannot_run(run, job, "too-big", text, now_ms)
    elif used_cpus + cpus > capacity.cpus or used_mb + job.mem_mb > capacity.mem_mb:
        reason, text = "memory", f"waits for {job.mem_mb / 1024:.1f} GB of memory"
        if used_cpus + cpus > capacity.cpus:
            reason, text = "cores", f"waits for {cpus} of {capacity.cpus} cores"
        if cpu_lane.has_room(state, inputs, cpus, job.mem_mb, standing_by=False):
            yield from cpu_lane.make_room(state, job, now_ms)
        yield from _wait(run, job, reason, text, now_ms)
    else:
        fence = run.jobs[job.id].next_fence
        yield from earlier.remarks(state, run, job, key, inputs, now_ms)
        before = earlier.previous_of(state, run, job, key, inputs)
        yield from _goes_on(run, job, before, now_ms)
        yield _attempt(run, job, fence, key, LOCAL, cpus, before, inputs, now_ms)


def _goes_on(
    run: RunState, job: Job, before: AttemptState | None, now_ms: int
) -> Iterator[e.Event]:
    if before is not None and run_of(before.id) != run.name:
        yield earlier.goes_on(run, job, before, now_ms)


def cannot_run(run: RunState, job: Job, reason: str, sentence: str, now_ms: int) -> e.Event:
    """The end of a job that could wait for ever."""
    return e.JobEnded(
        at_ms=now_ms, run=run.name, job=job.id, outcome="failed", reason=reason, sentence=sentence
    )


def _attempt(
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


def _wait(
    run: RunState, job: Job, reason: str, sentence: str, now_ms: int, until_ms: int | None = None
) -> Iterator[e.Event]:
    known = run.jobs[job.id]
    if (known.reason, known.sentence) != (reason, sentence):
        yield e.JobWaited(
            at_ms=now_ms,
            run=run.name,
            job=job.id,
            reason=reason,
            sentence=sentence,
            until_ms=until_ms,
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
        yield from _goes_on(run, job, before, now_ms)
        yield changed(
            _attempt(run, job, fence, key, kept.executor, cpus, before, inputs, now_ms),
            allocation=allocation,
            devices=kept.devices_of(number),
            limit_s=kept.limits_s[number] if kept.limits_s else None,
            grace_s=kept.graces_s[number] if kept.graces_s else None,
            edge=kept.edge,
            edge_until_ms=kept.edge_until_ms,
        )
