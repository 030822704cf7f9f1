"""Runs whose folds have been trained, made by hand: scores, hours, and who was stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.graph import Graph
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import RunState
from tests.orchestrator.pasts import START_MS, attempt_of, folds_graph, run_of

HOUR_MS = 3_600_000


def trained(
    name: str,
    *scores: float | None,
    graph: Graph | None = None,
    hours: float = 0.5,
    metric: str = "val_acc",
    items: int = 50,
    pictures: str = "same",
) -> RunState:
    """A run whose folds have these scores; None: it was stopped after one epoch with 0.6."""
    graph = graph or folds_graph(folds=len(scores))
    attempts, allocations = [], []
    for fold, score in enumerate(scores):
        id = f"{name}.train.fold{fold}.1"
        said: list[dict[str, Any]] = [
            {"epoch": n, "epochs": 10, metric: 0.1 * n, "at_ms": START_MS + n} for n in (1, 2)
        ]
        said[0] |= {"items": items, "metric": metric}
        if score is None:
            said = [{**said[0], metric: 0.6}]
        else:
            said.append({"metric": metric, "score": score, "n": items, "at_ms": START_MS + 9})
        outcome = "done" if score is not None else "stopped"
        made = attempt_of(f"train.fold{fold}", said, run=name, wall_ms=9, outcome=outcome)
        attempts.append(replace(made, allocation=id))
        share = round(hours * HOUR_MS)
        allocations.append(
            AllocationState(
                id,
                account="lab",
                executor="local",
                devices=("GPU-8c1f",),
                wall_ms=share,
                amount_ms=share,
                attempts=(id,),
                status="settled",
                charged_ms=share,
                shares={id: share},
            )
        )
    run = run_of(graph, attempts, name=name, allocations=allocations)
    jobs = {
        id: replace(job, digest=f"{id} {pictures}") if not graph.job(id).devices else job
        for id, job in run.jobs.items()
    }
    for id, job in jobs.items():
        if job.status == "waiting":
            jobs[id] = replace(job, status="stopped", sentence="too bad to go on")
    return replace(run, jobs=jobs)
