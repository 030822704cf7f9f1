"""Runs as the events that they would have left behind, written in large batches. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from orchestrator.events import events as e
from orchestrator.graph import Graph, Job, StopRule

EPOCHS = 12
EPOCH_MS = 120_000
DEVICES = tuple(f"GPU-{number:08d}" for number in range(64))


def graph(name: str, folds: int) -> Graph:
    """scan → packed → folds → train × folds."""
    names = ("scan", "packed", "folds")
    cpu = [
        Job(name, name, uses=name, needs=(before,) if before else (), static_key=name)
        for before, name in zip(("", *names), names, strict=False)
    ]
    train = Job(
        "train",
        "train",
        uses="train",
        needs=("folds",),
        folds=folds,
        devices=1,
        limit_s=5400,
        params={"model": "efficientnet_b0", "epochs": EPOCHS, "batch_size": 64, "lr": 0.003},
        stop=(StopRule("broken"),),
        metric="val_acc",
    )
    trained = [
        replace(train, id=f"train.fold{n}", fold=n, static_key=f"{name}{n}") for n in range(folds)
    ]
    return Graph(name, "lab", "/plans", (*cpu, *trained))


def submitted(run: str, made: Graph, at_ms: int) -> e.RunSubmitted:
    return e.RunSubmitted(at_ms=at_ms, run=run, graph=made.to_json(), uid=run)


def cpu_job(run: str, job: str, at_ms: int, runs_dir: str) -> Iterator[e.Event]:
    """A job of the CPU lane, from its plan to its end."""
    yield from _started(run, job, at_ms, runs_dir, ())
    attempt = f"{run}.{job}.1"
    yield e.ProgressMade(at_ms=at_ms, run=run, attempt=attempt, done=50, total=100)
    yield _attempt_ended(run, attempt, at_ms, at_ms + 5_000)
    yield e.JobEnded(at_ms=at_ms + 5_000, run=run, job=job, outcome="done", reason="", sentence="")


def fold_begun(
    run: str, job: str, at_ms: int, runs_dir: str, device: str, epochs: int
) -> Iterator[e.Event]:
    """A fold that has reported `epochs` of its epochs and goes on."""
    yield from _started(run, job, at_ms, runs_dir, (device,))
    for epoch in range(1, epochs + 1):
        yield from fold_epoch(run, job, at_ms + epoch * EPOCH_MS, epoch)


def fold_epoch(run: str, job: str, at_ms: int, epoch: int) -> Iterator[e.Event]:
    """What one epoch leaves behind."""
    attempt, seed = f"{run}.{job}.1", sum(map(ord, run + job))
    accuracy = 0.9 * (1 - 0.55 * math.exp(-epoch / 2.4)) + 0.01 * math.sin(seed + epoch)
    values = {
        "epoch": epoch,
        "epochs": EPOCHS,
        "train_loss": round(1.2 * math.exp(-epoch / 5), 4),
        "val_loss": round(1.5 - accuracy, 4),
        "val_acc": round(accuracy, 4),
        "seconds": EPOCH_MS / 1000,
    }
    yield e.ProgressMade(
        at_ms=at_ms, run=run, attempt=attempt, done=epoch, total=EPOCHS, told_ms=at_ms
    )
    yield e.MetricsReported(at_ms=at_ms, run=run, attempt=attempt, reported_ms=at_ms, values=values)


def fold_over(run: str, job: str, start_ms: int, at_ms: int) -> Iterator[e.Event]:
    """The end of a fold, charged."""
    attempt, allocation, spent_ms = f"{run}.{job}.1", f"{run}.{job}.1", at_ms - start_ms
    score = {"metric": "val_acc", "score": 0.9, "n": 1000}
    yield e.MetricsReported(at_ms=at_ms, run=run, attempt=attempt, reported_ms=at_ms, values=score)
    yield _attempt_ended(run, attempt, start_ms, at_ms)
    yield e.AllocationEnded(
        at_ms=at_ms, run=run, allocation=allocation, start_ms=start_ms, end_ms=at_ms,
        shares={attempt: 1},
    )  # fmt: skip
    yield e.AllocationSettled(
        at_ms=at_ms, run=run, allocation=allocation, charged_ms=spent_ms,
        shares={attempt: spent_ms},
    )  # fmt: skip
    yield e.JobEnded(at_ms=at_ms, run=run, job=job, outcome="done", reason="", sentence="")


def ended_run(run: str, made: Graph, at_ms: int, runs_dir: str) -> Iterator[e.Event]:
    """All of a run in which all went well."""
    yield submitted(run, made, at_ms)
    now_ms = at_ms
    for job in made.jobs:
        if job.fold is None:
            yield from cpu_job(run, job.id, now_ms, runs_dir)
            now_ms += 5_000
            continue
        yield from fold_begun(run, job.id, now_ms, runs_dir, DEVICES[0], EPOCHS)
        yield from fold_over(run, job.id, now_ms, now_ms + (EPOCHS + 1) * EPOCH_MS)
        now_ms += (EPOCHS + 1) * EPOCH_MS
    yield e.RunEnded(at_ms=now_ms, run=run, outcome="done", sentence="")


def _started(
    run: str, job: str, at_ms: int, runs_dir: str, devices: tuple[str, ...]
) -> Iterator[e.Event]:
    attempt = f"{run}.{job}.1"
    if devices:
        yield e.AllocationPlanned(
            at_ms=at_ms, run=run, allocation=attempt, account="lab", executor="local",
            devices=devices, wall_ms=5_432_000, amount_ms=5_432_000, attempts=(attempt,),
            limits_s=(5400,), graces_s=(30,),
        )  # fmt: skip
        yield e.AllocationReserved(at_ms=at_ms, run=run, allocation=attempt)
    yield e.AttemptPlanned(
        at_ms=at_ms, run=run, job=job, attempt=attempt, fence=1, key=f"{run}/{job}",
        folder=f"{runs_dir}/{run}/{job}/1", executor="local", cpus=1, mem_mb=0, devices=devices,
        allocation=attempt if devices else None,
    )  # fmt: skip
    yield e.AttemptAccepted(at_ms=at_ms, run=run, attempt=attempt)
    yield e.AttemptStarted(at_ms=at_ms, run=run, attempt=attempt, started_ms=at_ms)
    if devices:
        yield e.AllocationStarted(at_ms=at_ms, run=run, allocation=attempt, start_ms=at_ms)


def _attempt_ended(run: str, attempt: str, start_ms: int, end_ms: int) -> e.AttemptEnded:
    return e.AttemptEnded(
        at_ms=end_ms, run=run, attempt=attempt, outcome="done", code=0, reason="", sentence="",
        started_ms=start_ms, ended_ms=end_ms, digest="0" * 64,
    )  # fmt: skip
