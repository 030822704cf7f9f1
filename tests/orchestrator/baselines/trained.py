"""Runs with trained folds, made by hand: which pictures, which folds, which scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State

START_MS = 1_795_219_200_000
FOLD_MS = 600_000


def graph_of(
    *,
    folds: int = 3,
    only: Sequence[int] | None = None,
    source: str = "photos",
    size: int = 224,
    seed: int = 0,
    part: float | None = None,
    metric: str | None = None,
    rates: Sequence[float] = (),
    name: str = "seedlings",
    **train: Any,
) -> Graph:
    """scan → packed (→ part) → folds → train × folds; `rates` make a matrix, `only` are the folds
    that were asked for."""
    cpu = [
        Job("scan", "scan", uses="scan", params={"source": source}),
        Job("packed", "packed", uses="resize", params={"size": size}, needs=("scan",)),
    ]
    if part is not None:
        cpu.append(Job("part", "part", uses="subset", params={"part": part}, needs=("packed",)))
    split = {"k": folds, "seed": seed}
    cpu.append(Job("folds", "folds", uses="folds", params=split, needs=(cpu[-1].id,)))
    smoke = Job("train.smoke", "train.smoke", uses="train", fold=0, folds=folds, smoke=True)
    trained = [
        Job(
            f"train{f'.lr={rate}' if rates else ''}.fold{n}",
            "train",
            uses="train",
            params={**train, **({"lr": rate} if rates else {})},
            needs=("folds", "train.smoke"),
            fold=n,
            folds=folds,
            matrix={"lr": rate} if rates else {},
            devices=1,
            limit_s=3600,
            metric=metric,
        )
        for rate in (rates or (0.0,))
        for n in (range(folds) if only is None else only)
    ]
    return Graph(name, "lab", "/plans", (*cpu, replace(smoke, needs=("folds",)), *trained))


def digest_of(graph: Graph, job: Job) -> str:
    """As if the result depended on all parameters above, the folds but on which pictures."""
    above = [graph.job(name) for name in graph.ancestors(job.id)]
    if job.uses == "folds":
        above = [one for one in above if one.uses != "resize"]
    return str([(one.uses, sorted(one.params.items())) for one in (job, *above)])


def reports(
    scores: Sequence[float], *, metric: str = "val_acc", n: int = 100, **facts: Any
) -> tuple[Mapping[str, Any], ...]:
    """One an epoch, then the score: that of the last one. `facts` are said before."""
    told: list[dict[str, Any]] = [{**facts, "epochs": len(scores)}] if facts else []
    for epoch, score in enumerate(scores, 1):
        told.append({"epoch": epoch, "epochs": len(scores), metric: score})
    last = {"epoch": len(scores), "epochs": len(scores), "metric": metric, "score": scores[-1]}
    last["n"] = n
    return tuple({**one, "at_ms": START_MS + 60_000 * at} for at, one in enumerate([*told, last]))


def run_of(
    scores: Mapping[int, float] | Sequence[float] = (0.8, 0.8, 0.8),
    *,
    run: str = "seedlings-1",
    graph: Graph | None = None,
    at_ms: int = START_MS,
    reused: Mapping[str, str] | None = None,
    said: Mapping[str, Any] | None = None,
    **changes: Any,
) -> RunState:
    """Folds that have a score are done, those in `reused` (job: attempt) are another run's."""
    graph = graph or graph_of()
    by_fold = scores if isinstance(scores, Mapping) else dict(enumerate(scores))
    jobs: dict[str, JobState] = {}
    attempts: dict[str, AttemptState] = {}
    for job in graph.jobs:
        if job.fold is None or job.smoke:
            jobs[job.id] = JobState(job.id, status="done", digest=digest_of(graph, job))
        elif job.id in (reused or {}):
            name = (reused or {})[job.id]
            jobs[job.id] = JobState(job.id, status="reused", result_of=name, out=f"/{name}/out")
        elif job.fold in by_fold:
            score = by_fold[job.fold]
            name = f"{run}.{job.id}.1"
            attempts[name] = AttemptState(
                id=name,
                job=job.id,
                fence=1,
                key="",
                folder=f"/{name}",
                executor="local",
                cpus=1,
                mem_mb=0,
                status="ended",
                outcome="done",
                started_ms=START_MS,
                ended_ms=START_MS + FOLD_MS,
                reports=reports([0.1, score], **(said or {})),
            )
            jobs[job.id] = JobState(
                job.id, status="done", attempts=(name,), result_of=name, out=f"/{name}/out"
            )
        else:
            jobs[job.id] = JobState(job.id)
    return RunState(run, graph, at_ms, jobs=jobs, attempts=attempts, **changes)


def state_of(*runs: RunState) -> State:
    return State({run.name: run for run in runs})
