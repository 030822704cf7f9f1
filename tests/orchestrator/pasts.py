"""States with a past, made by hand: who trained what, on which device, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State

START_MS = 1_795_219_200_000
GPU, LAPTOP = "GPU-8c1f", "simulated-0"
NAMES = {GPU: "Tesla T4", "GPU-77aa": "Tesla T4", LAPTOP: "simulated device"}
TRAIN = {"model": "resnet18", "epochs": 10, "batch_size": 32, "precision": "16-mixed", "lr": 0.01}


def folds_graph(
    *, folds: int = 3, size: int = 224, limit_s: float = 3600, name: str = "seedlings", **train: Any
) -> Graph:
    """packed → folds → train × folds, with the parameters that a plan would have given them."""
    cpu = (
        Job("packed", "packed", uses="resize", params={"size": size}, static_key=f"packed{size}"),
        Job("folds", "folds", uses="folds", needs=("packed",), params={"k": folds, "seed": 0}),
    )
    params: Mapping[str, Any] = {**TRAIN, **train}
    trained = tuple(
        Job(
            f"train.fold{n}",
            "train",
            uses="train",
            params=params,
            needs=("folds",),
            fold=n,
            folds=folds,
            devices=1,
            limit_s=limit_s,
            grace_s=28,  # with the 2 s of its end 30 s beside the limit
            resumes=True,
            at_edge="park",
            static_key=f"train{n}{sorted(params.items())}{size}",
        )
        for n in range(folds)
    )
    return Graph(name, "lab", "/plans", (*cpu, *trained))


def reports(
    first_ms: int, each_ms: int, count: int, *, epochs: int = 10, start_ms: int = START_MS
) -> tuple[Mapping[str, Any], ...]:
    """Of `count` epochs out of `epochs`."""
    return tuple(
        {"epoch": n, "epochs": epochs, "at_ms": start_ms + first_ms + (n - 1) * each_ms}
        for n in range(1, count + 1)
    )


def run_of(
    graph: Graph,
    attempts: Sequence[AttemptState] = (),
    *,
    name: str = "seedlings-1",
    allocations: Sequence[AllocationState] = (),
    over: bool = True,
) -> RunState:
    """A run whose jobs have these attempts; what they finished is done."""
    jobs = {
        job.id: JobState(job.id, status="done" if not job.devices else "waiting")
        for job in graph.jobs
    }
    for attempt in attempts:
        status = "running" if attempt.live else attempt.outcome
        jobs[attempt.job] = replace(
            jobs[attempt.job],
            status="waiting" if status == "stopped" else status,  # type: ignore[arg-type]
            attempts=(*jobs[attempt.job].attempts, attempt.id),
            result_of=attempt.id if status == "done" else "",
        )
    return RunState(
        name,
        graph,
        START_MS,
        uid="u",
        jobs=jobs,
        attempts={attempt.id: attempt for attempt in attempts},
        allocations={allocation.id: allocation for allocation in allocations},
        outcome="done" if over else None,
    )


def attempt_of(
    job: str,
    told: Sequence[Mapping[str, Any]] = (),
    *,
    run: str = "seedlings-1",
    fence: int = 1,
    device: str = GPU,
    start_ms: int = START_MS,
    wall_ms: int | None = None,
    outcome: Any = "done",
) -> AttemptState:
    """Running, or ended with `outcome` where `wall_ms` is given."""
    return AttemptState(
        id=f"{run}.{job}.{fence}",
        job=job,
        fence=fence,
        key="",
        folder="",
        executor="local",
        cpus=1,
        mem_mb=0,
        devices=(device,) if device else (),
        status="running" if wall_ms is None else "ended",
        started_ms=start_ms,
        ended_ms=None if wall_ms is None else start_ms + wall_ms,
        outcome=None if wall_ms is None else outcome,
        reports=tuple(told),
    )


def state_of(*runs: RunState) -> State:
    return State(runs={run.name: run for run in runs})


def done_fold(
    fold: int = 0, *, each_ms: int = 60_000, run: str = "seedlings-1", **more: Any
) -> AttemptState:
    """Ten epochs: the first takes 100 s more than the others; 20 s for the tail."""
    told = reports(100_000 + each_ms, each_ms, 10)
    wall_ms = 100_000 + 10 * each_ms + 20_000
    return attempt_of(f"train.fold{fold}", told, run=run, wall_ms=wall_ms, **more)


DONE_MS = 100_000 + 10 * 60_000 + 20_000
"""How long `done_fold` takes."""
