"""An accelerator job goes on from the checkpoint that another run has left of the very same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph, StopRule
from orchestrator.state.state import RunState
from skint.attempt import EXIT_UNSAVED, Task
from tests.orchestrator.worlds import World, graph, job

TRAINS = {"devices": 1, "limit_s": 600.0, "resumes": True}


def trains(task: Task, *, epochs: int = 6, loss: Any = 0.5) -> Script:
    lines: list[tuple[float, dict[str, Any]]] = []
    for n in range(1, epochs + 1):
        values = {"epoch": n, "epochs": epochs, "train_loss": loss}
        lines.append((n * 60.0, {"kind": "report", "values": values}))
        kept = {"kind": "checkpoint", "path": "checkpoints/last.ckpt", "epoch": n, "step": n}
        lines.append((n * 60.0, kept))
    seconds = epochs * 60.0 + 1
    return Script(seconds, tuple(lines), outputs={"checkpoints/last.ckpt": b"weights"})


def once(**more: Any) -> Graph:
    return graph(job("train", **{**TRAINS, **more}))


def cut(world: World, of: Graph | None = None, run: str = "one-1") -> RunState:
    """A run whose training is cancelled after its second epoch."""
    world.submit(of or once(), run)
    world.until(
        lambda state: (
            run in state.runs and any(len(a.reports) > 1 for a in state.runs[run].attempts.values())
        )
    )
    world.stop(run)
    return world.until_settled(run).runs[run]


def test_what_was_cancelled_goes_on_in_the_next_run(tmp_path: Path) -> None:
    world = World(tmp_path, trains)
    first = cut(world)
    second = world.settle(once(), "two-1")
    (attempt,) = second.attempts.values()
    assert attempt.previous == first.attempts["one-1.train.1"].out
    assert second.jobs["train"].remark == "goes on from what one-1 had done"
    assert second.outcome == "done"


def test_what_reached_its_limit_goes_on_in_the_next_run(tmp_path: Path) -> None:
    """The key is the same: a limit is nothing that a result depends on."""
    world = World(tmp_path, trains)
    first = world.settle(once(limit_s=150.0), "one-1")
    assert first.jobs["train"].reason == "deadline"
    second = world.settle(once(), "two-1")
    assert second.attempts["two-1.train.1"].previous == first.attempts["one-1.train.1"].out


@pytest.mark.parametrize("why", ["again", "other key", "does not resume", "no files"])
def test_where_that_makes_no_sense_it_starts_from_the_beginning(why: str, tmp_path: Path) -> None:
    world = World(tmp_path, trains)
    plan = once(resumes=why != "does not resume")
    first = cut(world, plan)
    if why == "other key":
        plan = replace(plan, jobs=tuple(replace(one, static_key="other") for one in plan.jobs))
    if why == "no files":
        shutil.rmtree(first.attempts["one-1.train.1"].out)
    second = world.settle(plan, "two-1", again=why == "again")
    assert second.attempts["two-1.train.1"].previous is None
    assert second.jobs["train"].remark == ""


def test_neither_what_failed_nor_what_a_rule_has_stopped_is_gone_on_from(tmp_path: Path) -> None:
    def breaks(task: Task) -> Script:
        if task.run == "one-1":
            return replace(trains(task, epochs=2), code=1)
        return trains(task, loss="nan" if task.run == "two-1" else 0.5)

    world = World(tmp_path, breaks)
    plan = once(stop=(StopRule("broken"),))
    assert world.settle(plan, "one-1").jobs["train"].status == "failed"
    assert world.settle(plan, "two-1").jobs["train"].reason == "broken"
    third = world.settle(plan, "three-1")
    assert third.attempts["three-1.train.1"].previous is None


def full(task: Task) -> Script:
    """The first attempt of a run finds no room for its third checkpoint."""
    if task.attempt == "one-1.train.1":
        return replace(trains(task, epochs=2), code=EXIT_UNSAVED)
    return trains(task)


def test_what_could_not_save_any_more_goes_on_in_the_next_run(tmp_path: Path) -> None:
    world = World(tmp_path, full)
    first = world.settle(once(), "one-1")
    assert (first.jobs["train"].status, first.jobs["train"].reason) == ("failed", "unsaved")
    second = world.settle(once(), "two-1")
    assert second.outcome == "done"
    assert second.attempts["two-1.train.1"].previous == first.attempts["one-1.train.1"].out


def test_what_could_not_save_any_more_is_tried_again(tmp_path: Path) -> None:
    """It is no mistake in the plan, although a sentence explains it."""
    run = World(tmp_path, full).settle(once(retries=1), "one-1")
    first, second = run.attempts.values()
    assert (run.outcome, second.previous) == ("done", first.out)


def test_only_one_goes_on_from_it_and_the_other_has_its_result(tmp_path: Path) -> None:
    world = World(tmp_path, trains, devices=2)
    first = cut(world)
    twin = replace(once().jobs[0], id="again", group="again")
    world.submit(replace(once(), jobs=(*once().jobs, twin)), "two-1")
    run = world.until_settled("two-1").runs["two-1"]
    had = [attempt.previous for attempt in run.attempts.values()]
    assert had == [first.attempts["one-1.train.1"].out]
    assert run.jobs["again"].status == "reused"


def test_a_worker_that_stands_by_reads_it_before_it_has_devices(tmp_path: Path) -> None:
    world = World(tmp_path, trains, Faults(capabilities=Capabilities(standby=True)))
    first = cut(world, once(standby=True))
    before = job("before", **{**TRAINS, "resumes": False})
    run = world.settle(graph(before, *once(standby=True).jobs), "two-1")
    (planned,) = (one for one in world.kept(e.StandbyPlanned) if one.run == "two-1")
    out = first.attempts["one-1.train.1"].out
    assert planned.previous == out
    assert run.attempts["two-1.train.1"].previous == out
    assert run.attempts["two-1.train.1"].stood_by
    assert run.jobs["train"].remark == "goes on from what one-1 had done"
