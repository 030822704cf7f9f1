"""Choosing what later runs are compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.baselines.book import Book
from orchestrator.commands import SetBaseline
from orchestrator.events import events as e
from orchestrator.state.state import RunState, State
from tests.orchestrator.worlds import World, kfold, training


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two runs on the same folds are over; a third was stopped in its first."""
    world = World(tmp_path, training)
    for number in (1, 2, 3):
        graph = kfold()
        jobs = [replace(j, static_key=f"{j.static_key}/{number * j.devices}") for j in graph.jobs]
        world.submit(replace(graph, jobs=tuple(jobs)), f"seedlings-{number}")
        if number == 3:
            world.until(lambda state: "train.fold0" in running(state, "seedlings-3"))
            world.stop("seedlings-3")
        world.until_settled(f"seedlings-{number}")
    return world


def running(state: State, run: str) -> list[str]:
    return [job.id for job in state.runs[run].running_jobs] if run in state.runs else []


def ask(world: World, run: str, *, on: bool = True) -> tuple[bool, str]:
    """The scheduler's reply."""
    id = world.store.ask(SetBaseline(run=run, on=on, by="anna"), world.clock.now_ms())
    world.scheduler.tick()
    world.clock.advance(1)
    reply = world.store.reply(id)
    assert reply is not None
    return reply.ok, reply.text


def baseline(state: State) -> str:
    run: RunState = state.runs["seedlings-3"]
    found = Book().update(state).comparison(run, run.graph.job("train.fold0"))
    assert found.baseline is not None
    return found.baseline.run


def test_the_newest_choice_counts_also_where_it_is_made_again(world: World) -> None:
    for run in ("seedlings-2", "seedlings-1", "seedlings-2"):
        assert ask(world, run) == (True, f"{run} is what later runs are compared with")
        assert baseline(world.scheduler.state) == run
    assert ask(world, "seedlings-2") == (True, "seedlings-2 is a baseline already")
    assert ask(world, "seedlings-2", on=False) == (True, "seedlings-2 is a baseline no more")
    assert baseline(world.scheduler.state) == "seedlings-1"

    chosen = [(event.run, event.on, event.by) for event in world.kept(e.BaselineSet)]
    assert chosen == [
        ("seedlings-2", True, "anna"),
        ("seedlings-1", True, "anna"),
        ("seedlings-2", True, "anna"),
        ("seedlings-2", False, "anna"),
    ]
    before = world.scheduler.state
    world.restart()
    assert world.scheduler.state == before


def test_what_cannot_be_a_baseline_is_refused_saying_why(world: World) -> None:
    assert ask(world, "seedlings-3") == (
        False,
        "seedlings-3 cannot be a baseline: 0 of 3 folds of train are done",
    )
    assert ask(world, "seedlings-9") == (False, "there is no run seedlings-9")
    assert ask(world, "seedlings-1", on=False) == (False, "seedlings-1 is no chosen baseline")
    assert world.kept(e.BaselineSet) == []
