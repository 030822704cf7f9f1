"""What the scheduler says to a run that somebody wants to have judged before it is queued."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.commands import SubmitRun
from orchestrator.graph import Graph
from orchestrator.store.inbox import Reply
from tests.orchestrator.worlds import FOLD_MS, WALL_MS, World, kfold, training


def asked(world: World, graph: Graph, run: str, *, judge: bool = True, **more: Any) -> Reply:
    request = SubmitRun(run=run, graph=graph.to_json(), judge=judge, **more)
    command = world.store.ask(request, world.clock.now_ms())
    world.scheduler.tick()
    reply = world.store.reply(command)
    assert reply is not None
    return reply


def test_what_fits_and_is_new_is_queued(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    assert asked(world, kfold(), "first") == Reply(
        True, "baseline: no baseline yet\nrun first queued"
    )
    assert world.until_settled("first").runs["first"].outcome == "done"


def test_what_is_known_whole_is_not_queued_unless_it_is_wanted_again(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold(), "first")
    refused = asked(world, kfold(), "second")
    assert refused == Reply(False, "all of its results are known already")
    assert "second" not in world.scheduler.state.runs
    assert asked(world, kfold(), "second", judge=False).ok, "who has not asked for it is queued"
    world.until_settled("second")
    assert asked(world, kfold(), "third", again=True).ok


def test_of_what_is_known_in_part_the_answer_says_what_is_not_paid_again(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold(), "first")
    whole = kfold()
    other = replace(whole.job("train.fold2"), static_key="another")
    jobs = tuple(other if job.id == other.id else job for job in whole.jobs)
    reply = asked(world, replace(whole, jobs=jobs), "second")
    known, *_, last = reply.text.split("\n")
    assert reply.ok and last == "run second queued"
    assert "2 of 3 accelerator jobs from first" in known
    assert f"{2 * FOLD_MS // 60_000} min 00 s are not spent again" in known


def test_what_would_use_more_than_is_left_is_not_queued_unless_it_may_park(tmp_path: Path) -> None:
    world = World(tmp_path, training, week_ms=2 * WALL_MS)
    refused = asked(world, kfold(), "first")
    assert not refused.ok and "too much" in refused.text
    assert not world.scheduler.state.runs
    assert asked(world, kfold(), "first", park=True).ok
    assert asked(world, kfold(), "free", cpu_only=True).ok, "the free work needs no hours"


@pytest.mark.parametrize("devices", [0, 1])
def test_an_account_that_cannot_be_charged_is_told(tmp_path: Path, devices: int) -> None:
    world = World(tmp_path, training, devices=devices)
    graph = kfold() if devices == 0 else replace(kfold(), account="nobody")
    refused = asked(world, graph, "first")
    assert not refused.ok
    assert ("no such account" if devices else "has no accelerator") in refused.text
