"""No hours are paid twice for one result, also where both runs are there at the same time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph
from orchestrator.state.state import RunState, State
from skint.attempt import Task
from tests.orchestrator.worlds import FOLD_MS, World, graph, job, kfold, statuses, training

FIRST, SECOND = "seedlings-1", "seedlings-2"
FIT = graph(job("fit", devices=1, limit_s=600))
TOGETHER = Faults(capabilities=Capabilities(together=True))


def minute(task: Task) -> Script:
    return Script(seconds=60, outputs={task.job: b"x"})


def both(world: World, plan: Graph, **second: bool) -> State:
    """Two runs of the same, submitted at once."""
    world.submit(plan, FIRST)
    world.submit(plan, SECOND, **second)
    return world.until(lambda state: SECOND in state.runs and _trains(state.runs[FIRST]))


def _trains(run: RunState) -> bool:
    return any(one.live and one.devices for one in run.attempts.values())


def test_two_runs_of_the_same_pay_for_each_fold_once(tmp_path: Path) -> None:
    world = World(tmp_path, training, devices=2)
    both(world, kfold())
    state = world.until_settled(SECOND)
    world.until_settled(FIRST)
    assert world.settled_ms == 3 * FOLD_MS
    trained = [a.job for run in state.runs.values() for a in run.attempts.values() if a.devices]
    assert sorted(trained) == ["train.fold0", "train.fold1", "train.fold2"]


def test_it_waits_beside_a_free_device_and_says_for_whom(tmp_path: Path) -> None:
    world = World(tmp_path, minute, devices=2)
    known = both(world, FIT).runs[SECOND].jobs["fit"]
    assert (known.status, known.reason) == ("waiting", "being-made")
    assert known.sentence == f"waits for fit of {FIRST}, which makes the same result"
    assert statuses(world.until_settled(SECOND).runs[SECOND]) == {"fit": "reused"}
    assert world.settled_ms == 60_000


def test_whoever_comes_behind_it_has_the_free_device(tmp_path: Path) -> None:
    world = World(tmp_path, minute, devices=2)
    both(world, FIT)
    world.submit(graph(job("other", devices=1, limit_s=600)), "other-1")
    state = world.until(lambda state: "other-1" in state.runs and _trains(state.runs["other-1"]))
    assert state.runs[SECOND].jobs["fit"].reason == "being-made"


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_where_nothing_comes_of_it_it_starts(how: str, tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        code = 1 if how == "fails" and task.run == FIRST else 0
        return Script(seconds=60, code=code, outputs={"it": b"x"})

    world = World(tmp_path, script_of, devices=2)
    assert both(world, FIT).runs[SECOND].jobs["fit"].reason == "being-made"
    if how == "is cancelled":
        world.stop(FIRST)
    run = world.until_settled(SECOND).runs[SECOND]
    assert statuses(run) == {"fit": "done"}


def test_a_run_that_is_to_do_it_again_waits_for_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, minute, devices=2)
    state = both(world, FIT, again=True)
    assert state.runs[SECOND].jobs["fit"].reason != "being-made"
    assert statuses(world.until_settled(SECOND).runs[SECOND]) == {"fit": "done"}


def test_side_by_side_only_those_start_that_nobody_makes(tmp_path: Path) -> None:
    plan = kfold(folds=4)
    plan = replace(
        plan, jobs=tuple(replace(one, together=2) if one.devices else one for one in plan.jobs)
    )
    world = World(tmp_path, training, faults=TOGETHER, devices=4)
    both(world, plan)
    state = world.until_settled(SECOND)
    world.until_settled(FIRST)
    trained = [a.job for run in state.runs.values() for a in run.attempts.values() if a.devices]
    assert sorted(trained) == [f"train.fold{n}" for n in range(4)]
