"""Jobs of a group side by side, in one allocation of all their devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph
from orchestrator.views.budget.charges import attempt_in_flight_ms
from orchestrator.views.run.stages import charges_by_stage
from skint.attempt import Task
from tests.orchestrator.worlds import (
    FOLD_MS,
    HOUR_MS,
    WALL_MS,
    World,
    epochs,
    graph,
    job,
    kfold,
    statuses,
)

CAN = Faults(capabilities=Capabilities(together=True))


def pairs(count: int = 2, **more: Any) -> Graph:
    """Folds that are trained so many at a time."""
    plan = kfold(**more)
    jobs = tuple(replace(one, together=count) if one.devices else one for one in plan.jobs)
    return replace(plan, jobs=jobs)


def uneven(task: Task) -> Script:
    """Fold 0 has twice as many epochs as the others."""
    if task.fold is None:
        return Script(seconds=5, outputs={task.job: b"1"})
    return epochs([0.5, 0.6, 0.7, 0.8] if task.fold == 0 else [0.5, 0.8])


def made(path: Path, **more: Any) -> World:
    return World(path, **{"script_of": uneven, "faults": CAN, "devices": 2, **more})


def test_two_folds_share_an_allocation_and_the_third_runs_alone(tmp_path: Path) -> None:
    world = made(tmp_path)
    run = world.settle(pairs())
    assert run.outcome == "done"
    first, second = run.allocations.values()
    assert first.together and len(first.devices) == 2 and first.amount_ms == 2 * WALL_MS
    assert first.attempts == ("seedlings-1.train.fold0.1", "seedlings-1.train.fold1.1")
    own = [run.attempts[name].devices for name in first.attempts]
    assert own == [first.devices[:1], first.devices[1:]] and own[0] != own[1]
    assert not second.together and len(second.devices) == 1
    started = [run.attempts[name].started_ms for name in first.attempts]
    assert started[0] == started[1]


def test_both_devices_are_charged_to_the_end_of_the_last_one_which_pays_for_the_idle_one(
    tmp_path: Path,
) -> None:
    world = made(tmp_path)
    run = world.settle(pairs(folds=2))
    (allocation,) = run.allocations.values()
    long, short = allocation.attempts
    wall_ms = FOLD_MS + 120_000
    assert allocation.charged_ms == 2 * wall_ms == world.settled_ms
    assert allocation.shares == {long: 2 * wall_ms - FOLD_MS, short: FOLD_MS}
    parts = charges_by_stage(run, long, allocation.shares[long])
    assert parts["idle"] == wall_ms - FOLD_MS and sum(parts.values()) == allocation.shares[long]
    assert "idle" not in charges_by_stage(run, short, allocation.shares[short])


def test_what_is_in_flight_is_the_part_of_each(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(pairs(folds=2))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    run = world.scheduler.state.runs["seedlings-1"]
    now_ms = world.clock.now_ms()
    parts = [attempt_in_flight_ms(run, a, now_ms) for a in run.live_attempts]
    (allocation,) = run.open_allocations
    assert allocation.start_ms is not None
    assert parts == [now_ms - allocation.start_ms] * 2


@pytest.mark.parametrize("how", ["step", "kill"])
def test_the_end_of_one_does_not_end_the_other(tmp_path: Path, how: str) -> None:
    world = made(tmp_path)
    world.submit(pairs(folds=2))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    world.stop(scope="attempt", target="train.fold0", how=how)
    run = world.until_settled().runs["seedlings-1"]
    assert statuses(run)["train.fold0"] == "stopped"
    assert statuses(run)["train.fold1"] == "done"
    (allocation,) = run.allocations.values()
    assert allocation.charged_ms == 2 * FOLD_MS
    assert sum(allocation.shares.values()) == allocation.charged_ms


def test_one_that_fails_leaves_the_other_and_its_retry_runs_alone(tmp_path: Path) -> None:
    def breaks(task: Task) -> Script:
        script = uneven(task)
        return replace(script, code=1, seconds=30) if task.attempt.endswith("fold1.1") else script

    world = made(tmp_path, script_of=breaks)
    run = world.settle(pairs(folds=2, retries=1))
    assert run.outcome == "done"
    assert run.attempts["seedlings-1.train.fold0.1"].outcome == "done"
    first, second = run.allocations.values()
    assert second.attempts == ("seedlings-1.train.fold1.2",) and not second.together
    assert first.end_ms is not None and second.start_ms is not None
    assert first.end_ms <= second.start_ms  # its device was kept until then


def test_where_one_device_or_the_hours_of_one_fold_are_all_there_is_they_run_alone(
    tmp_path: Path,
) -> None:
    alone: dict[str, dict[str, Any]] = {
        "device": {"devices": 1},
        "hours": {"week_ms": WALL_MS + FOLD_MS + 200_000},
        "engine": {"faults": Faults()},
    }
    for name, more in alone.items():
        (tmp_path / name).mkdir()
        world = made(tmp_path / name, **more)
        run = world.settle(pairs(folds=2))
        assert run.outcome == "done"
        assert [a.together for a in run.allocations.values() if a.charged_ms] == [False, False]


def test_a_scheduler_that_dies_at_any_moment_loses_neither(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(pairs())
    run = world.until_settled_with_restarts().runs["seedlings-1"]
    assert run.outcome == "done"
    starts = world.engine.starts
    assert len(set(starts)) == len(starts)
    assert world.settled_ms == 2 * (FOLD_MS + 120_000) + FOLD_MS


def test_a_lost_node_is_charged_in_full_for_both(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(pairs(folds=2))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    (allocation,) = world.scheduler.state.runs["seedlings-1"].open_allocations
    world.engine.lose(allocation.id)
    run = world.until_settled().runs["seedlings-1"]
    lost = run.allocations[allocation.id]
    assert lost.estimated and lost.charged_ms == lost.amount_ms == 2 * WALL_MS
    assert sum(lost.shares.values()) == lost.charged_ms


def test_a_job_of_several_devices_is_charged_for_each(tmp_path: Path) -> None:
    world = made(tmp_path, script_of=lambda task: Script(seconds=100, outputs={"x": b"1"}))
    run = world.settle(graph(job("train", devices=2, limit_s=600.0)))
    (attempt,) = run.attempts.values()
    assert len(attempt.devices) == 2
    assert world.settled_ms == 200_000 < HOUR_MS
    assert [event.charged_ms for event in world.kept(e.AllocationSettled)] == [200_000]
