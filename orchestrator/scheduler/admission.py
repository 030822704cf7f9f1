"""What may start now: results that are known stand in, cores and devices are handed out.

First come, first served, and never two allocations on one device. Whatever waits says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from budget.duration import format_hours
from orchestrator import events as e
from orchestrator.executors.base import Device
from orchestrator.graph import Job
from orchestrator.plans.keys import job_key
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state import RunState, State, job_of

LOCAL = "local"
"""The executor of the CPU lane."""


def admit(state: State, run: RunState, inputs: Inputs, now_ms: int) -> Iterator[e.Event]:
    """The first thing of `run` that may happen now; empty when nothing may.

    One decision at a time: the caller applies it and asks again, so that each decision sees the
    cores, devices and results that the one before left.
    """
    for job in run.graph.jobs:
        if run.jobs[job.id].status != "waiting" or not _needs_are_met(run, job):
            continue
        if run.stop_of(job) is not None:
            continue
        key = key_of(run, job)
        reused = tuple(_reuse(state, run, job, key, inputs, now_ms))
        if reused:
            yield from reused
            return
        if job.lane == "cpu":
            decided = tuple(_start_on_cpu(state, run, job, key, inputs, now_ms))
        else:
            decided = tuple(_allocate(state, run, job, inputs, now_ms))
        if decided:
            yield from decided
            return


def _needs_are_met(run: RunState, job: Job) -> bool:
    return all(run.jobs[need].has_result for need in job.needs)


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


def _reuse(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
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
    capacity = inputs.capacity[LOCAL]
    used = [a for _, a in state.live_attempts() if a.executor == LOCAL and not a.devices]
    cpus = capacity.cpus if job.cpus == 0 else job.cpus
    if cpus > capacity.cpus or job.mem_mb > capacity.mem_mb:
        text = (
            f"wants {cpus} cores and {job.mem_mb / 1024:.1f} GB, "
            f"this machine has {capacity.cpus} and {capacity.mem_mb / 1024:.1f} GB"
        )
        yield _cannot_run(run, job, "too-big", text, now_ms)
    elif sum(a.cpus for a in used) + cpus > capacity.cpus:
        text = f"waits for {cpus} of {capacity.cpus} cores"
        yield from _wait(run, job, "cores", text, now_ms)
    elif sum(a.mem_mb for a in used) + job.mem_mb > capacity.mem_mb:
        text = f"waits for {job.mem_mb / 1024:.1f} GB of memory"
        yield from _wait(run, job, "memory", text, now_ms)
    else:
        fence = len(run.jobs[job.id].attempts) + 1
        yield _attempt(run, job, fence, key, LOCAL, cpus, inputs, now_ms)


def _cannot_run(run: RunState, job: Job, reason: str, sentence: str, now_ms: int) -> e.Event:
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
    inputs: Inputs,
    now_ms: int,
    allocation: str | None = None,
    devices: tuple[str, ...] = (),
) -> e.AttemptPlanned:
    before = run.jobs[job.id].attempts
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
        devices=devices,
        allocation=allocation,
        previous=run.attempts[before[-1]].out if before else None,
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


def _allocate(
    state: State, run: RunState, job: Job, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    if _is_being_allocated(run, job):
        return
    account = inputs.accounts.get(run.graph.account or "")
    if account is None or account.executor not in inputs.capacity:
        text = f"account {run.graph.account} cannot be used on this machine"
        yield _cannot_run(run, job, "account", text, now_ms)
        return
    if run.jobs[job.id].reason == "over-budget" and not _worth_asking_again(
        state, run, job, now_ms
    ):
        return
    whole_ms = min(limit.amount_ms for limit in account.limits)
    cost_ms = account.cost_ms(job.devices, job.wall_limit_ms)
    if cost_ms > whole_ms:
        text = (
            f"its limit and grace cost {format_hours(cost_ms)}, "
            f"{account.name} never has more than {format_hours(whole_ms)}"
        )
        yield _cannot_run(run, job, "too-big", text, now_ms)
        return
    capacity = inputs.capacity[account.executor]
    usable = [d for d in capacity.devices if d.simulated == (account.kind == "simulated")]
    if job.devices > len(usable):
        sort = "simulated " if account.kind == "simulated" else ""
        text = f"wants {job.devices} {sort}devices, {account.executor} has {len(usable)}"
        yield _cannot_run(run, job, "too-big", text, now_ms)
        return
    free = free_devices(state, account.executor, usable)
    if job.devices > len(free):
        holders = _holders(state, account.executor)
        text = f"waits for {job.devices} of {len(usable)} devices ({', '.join(holders)})"
        yield from _wait(run, job, "devices", text, now_ms)
        return
    several = inputs.capabilities[account.executor].attempts_per_allocation
    jobs = _carried_together(run, job, min(several, whole_ms // cost_ms))
    devices = tuple(device.uuid for device in free[: job.devices])
    wall_ms = sum(carried.wall_limit_ms for carried in jobs)
    yield e.AllocationPlanned(
        at_ms=now_ms,
        run=run.name,
        allocation=f"{run.name}.allocation-{len(run.allocations) + 1}.{run.uid[:8]}",
        account=account.name,
        executor=account.executor,
        devices=devices,
        wall_ms=wall_ms,
        amount_ms=account.cost_ms(len(devices), wall_ms),
        attempts=tuple(
            f"{run.name}.{carried.id}.{len(run.jobs[carried.id].attempts) + 1}" for carried in jobs
        ),
    )


def free_devices(state: State, executor: str, devices: Sequence[Device]) -> list[Device]:
    """Those that no allocation of any run keeps."""
    kept = {
        uuid
        for run in state.live_runs()
        for allocation in run.allocations.values()
        if allocation.executor == executor and allocation.keeps_devices
        for uuid in allocation.devices
    }
    return [device for device in devices if device.uuid not in kept]


def _holders(state: State, executor: str) -> list[str]:
    """The jobs that devices are kept for now."""
    return [
        name.rsplit(".", 1)[0]
        for run in state.live_runs()
        for allocation in run.allocations.values()
        if allocation.executor == executor and allocation.keeps_devices
        for name in allocation.attempts
    ]


def _is_being_allocated(run: RunState, job: Job) -> bool:
    allocation = run.allocation_of(job.id)
    return allocation is not None and allocation.open


def _worth_asking_again(state: State, run: RunState, job: Job, now_ms: int) -> bool:
    """After a refusal: once the window has turned, or the account has got something back."""
    refused = run.allocation_of(job.id)
    if refused is None or refused.status != "refused":
        return True
    return (
        now_ms >= (refused.until_ms or 0)
        or closed_on(state, refused.account) > refused.refused_after
    )


def closed_on(state: State, account: str) -> int:
    """How many allocations of an account are over and paid: with each one, hours may come back."""
    return sum(
        allocation.account == account and allocation.status in ("settled", "released")
        for run in state.runs.values()
        for allocation in run.allocations.values()
    )


def _carried_together(run: RunState, first: Job, several: int) -> list[Job]:
    """The jobs of the group that one allocation can carry in turn, `first` leading."""
    others = [
        job
        for job in run.graph.groups()[first.group]
        if job.id != first.id
        and run.jobs[job.id].status == "waiting"
        and _needs_are_met(run, job)
        and not _is_being_allocated(run, job)
        and run.stop_of(job) is None
    ]
    return [first, *others[: several - 1]]


def begin(run: RunState, allocation: str, inputs: Inputs, now_ms: int) -> Iterator[e.Event]:
    """An allocation is paid for: name its attempts, so that they can be submitted."""
    kept = run.allocations[allocation]
    yield e.AllocationReserved(at_ms=now_ms, run=run.name, allocation=allocation)
    for name in kept.attempts:
        job = run.graph.job(job_of(name))
        cpus = job.cpus or inputs.capacity[kept.executor].cpus
        yield _attempt(
            run,
            job,
            int(name.rsplit(".", 1)[1]),
            key_of(run, job),
            kept.executor,
            cpus,
            inputs,
            now_ms,
            allocation=allocation,
            devices=kept.devices,
        )
