"""Workers that are started ahead for several devices: of jobs side by side, and of jobs apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph
from orchestrator.state.state import State
from skint.attempt import Task
from tests.orchestrator.scheduler.accelerator_lane.test_standby import (
    COLD_MS,
    WARM_MS,
    ahead,
    behind_smoke,
    charges,
    prepared,
)
from tests.orchestrator.scheduler.test_together import pairs
from tests.orchestrator.worlds import World, kfold

CAN = Faults(capabilities=Capabilities(together=True, standby=True))


def made(path: Path, **more: Any) -> World:
    return World(path, **{"script_of": prepared, "faults": CAN, "devices": 2, **more})


def ahead_in_pairs(**more: Any) -> Graph:
    return ahead(pairs(**more))


def ready(state: State) -> set[str]:
    return {s.job for _, s in state.live_standbys() if s.status == "ready"}


def test_folds_that_run_side_by_side_prepare_side_by_side(tmp_path: Path) -> None:
    """The first ones beside devices that are free, the next ones while those train."""
    world = made(tmp_path)
    run = world.settle(ahead_in_pairs(folds=4))
    assert run.outcome == "done"
    assert [one.together for one in run.allocations.values()] == [True, True]
    assert charges(world) == [2 * WARM_MS] * 2
    assert all(attempt.stood_by for attempt in run.attempts.values() if attempt.devices)
    assert len(world.kept(e.StandbyPlanned)) == 4 and not world.kept(e.StandbyEnded)
    assert len(set(world.engine.starts)) == len(world.engine.starts)


def test_all_of_them_prepare_beside_the_smoke_test_and_no_more(tmp_path: Path) -> None:
    def scripts(task: Task) -> Script:
        return Script(seconds=60) if task.job == "train.smoke" else prepared(task)

    world = made(tmp_path, script_of=scripts)
    world.submit(behind_smoke(ahead_in_pairs()))
    state = world.until(lambda state: any(True for _ in state.live_standbys()))
    jobs = [standby.job for _, standby in state.live_standbys()]
    assert jobs == ["train.fold0", "train.fold1"]
    world.until_settled()
    assert charges(world) == [2 * WARM_MS, WARM_MS]


def test_one_that_cannot_prepare_does_not_keep_the_other_from_it(tmp_path: Path) -> None:
    def dies(task: Task) -> Script:
        script = prepared(task)
        ahead = task.standby_s is not None
        return replace(script, code=9, seconds=10) if task.fold == 1 and ahead else script

    world = made(tmp_path, script_of=dies)
    run = world.settle(ahead_in_pairs(folds=2))
    assert run.outcome == "done"
    (allocation,) = run.allocations.values()
    assert allocation.attempts == ("seedlings-1.train.fold0.1", "seedlings-1.train.fold1.2")
    assert charges(world) == [2 * COLD_MS]  # until the last one ends
    warm = run.attempts["seedlings-1.train.fold0.1"]
    assert warm.started_ms is not None and warm.ended_ms == warm.started_ms + WARM_MS


def test_where_one_has_ended_when_the_devices_come_neither_is_charged(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(ahead_in_pairs(folds=4))
    world.until(lambda state: ready(state) >= {"train.fold2", "train.fold3"})
    name = "seedlings-1.train.fold3.1"
    gone = world.engine.submissions[name].attempts[0]
    first = world.engine.submissions[world.engine.submission_of["seedlings-1.train.fold0.1"]]
    world.engine._end(gone, first.attempts[0].end_ms, "unused", 1)
    poll = type(world.scheduler.executors["simulated"]).poll

    def blind(self: Any, handles: Any) -> Any:
        return {k: v for k, v in poll(self, handles).items() if k != name}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.scheduler.executors["simulated"]), "poll", blind)
        run = world.until_settled().runs["seedlings-1"]
    assert [run.attempts[f"seedlings-1.train.fold{n}.1"].outcome for n in (2, 3)] == ["unused"] * 2
    assert run.outcome == "done"
    assert charges(world) == [2 * WARM_MS] * 2
    assert not world.ledger.reservations()


def test_a_restart_finds_all_of_them_again_at_every_moment(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(ahead_in_pairs(folds=4))
    run = world.until_settled_with_restarts().runs["seedlings-1"]
    assert run.outcome == "done"
    assert charges(world) == [2 * WARM_MS] * 2


def test_one_that_is_being_given_its_devices_is_not_given_up_for_another(tmp_path: Path) -> None:
    """The first fold has prepared beside the smoke test, so it never said that it waits."""

    def scripts(task: Task) -> Script:
        if task.run == "other-1" and task.fold is not None:
            return replace(prepared(task), seconds=1_000)
        return Script(seconds=60) if task.job == "train.smoke" else prepared(task)

    world = made(tmp_path, script_of=scripts)
    world.submit(kfold(folds=1), "other-1")  # on one of the two devices all the time
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    run = world.settle(behind_smoke(ahead(folds=2)), again=True)
    assert not world.kept(e.StandbyDropped)
    assert {attempt.fence for attempt in run.attempts.values()} == {1}
    assert sorted(charges(world))[:2] == [WARM_MS] * 2


def test_for_each_of_several_free_devices_one_prepares(tmp_path: Path) -> None:
    world = made(tmp_path)
    run = world.settle(ahead(folds=2))
    assert run.outcome == "done"
    assert charges(world) == [WARM_MS] * 2
    first, second = world.kept(e.AllocationStarted)
    assert first.start_ms == second.start_ms
