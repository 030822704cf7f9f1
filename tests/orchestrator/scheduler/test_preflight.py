"""What is found out on a CPU before a device is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph, Job
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import parkable
from tests.orchestrator.worlds import World, graph, job, kfold, reasons, statuses, training


def rehearsed() -> Graph:
    """Three folds behind a smoke test on the CPU, as a plan makes them."""
    plan = kfold()
    smoke = Job(
        "train.smoke", "train.smoke", uses="train", needs=("folds",), smoke=True, static_key="smoke"
    )
    jobs = [
        replace(job, needs=(*job.needs, smoke.id)) if job.group == "train" else job
        for job in plan.jobs
    ]
    place = next(at for at, job in enumerate(jobs) if job.group == "train")
    return replace(plan, jobs=(*jobs[:place], smoke, *jobs[place:]))


def test_code_that_fails_its_smoke_test_reserves_and_costs_nothing(tmp_path: Path) -> None:
    """Edge 46: the code cannot even be imported."""

    def script_of(task: Task) -> Script:
        return Script(seconds=5, code=1) if task.job == "train.smoke" else training(task)

    world = World(tmp_path, script_of)
    run = world.settle(rehearsed())
    assert statuses(run)["train.smoke"] == "failed"
    assert {reasons(run)[f"train.fold{n}"] for n in range(3)} == {"needs-failed"}
    assert world.ledger.reservations(open_only=False) == ()
    assert world.ledger.charges() == ()


def test_code_that_passes_its_smoke_test_is_paid_for_once_it_trains(tmp_path: Path) -> None:
    world = World(
        tmp_path, lambda task: Script(seconds=5) if task.job[-1] == "e" else training(task)
    )
    run = world.settle(rehearsed())
    assert run.outcome == "done"
    assert len(world.ledger.charges()) == 3


def test_a_rehearsal_that_fails_costs_no_hour(tmp_path: Path) -> None:
    """Edge 46: the preflight runs on a CPU."""
    world = World(tmp_path, lambda task: Script(5, code=1 if task.smoke else 0))
    rehearsed = replace(parkable(), needs=("train.smoke",))
    run = world.settle(graph(job("train.smoke", smoke=True), rehearsed))
    assert reasons(run) == {"train.smoke": "failed", "train": "needs-failed"}
    assert not run.allocations and world.ledger.charges() == ()
