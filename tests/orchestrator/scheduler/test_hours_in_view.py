"""What a stop rule is told of hours: those to come, those usual, and those that are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.executors.simulated import Script
from orchestrator.graph import StopRule
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from skint.attempt import Task
from tests.orchestrator.worlds import FOLD_MS, HOUR_MS, World, epochs, kfold

FOLD_S = FOLD_MS / 1000


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[GroupView]:
    """Every view that the rule `looks` was shown."""
    views: list[GroupView] = []

    def looks(group: GroupView, options: Mapping[str, Any]) -> Verdict:
        views.append(group)
        return GO_ON

    monkeypatch.setitem(RULES, "looks", looks)
    return views


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
    return epochs([0.5, 0.8], items=100, largest_class=0.25)


def test_hours_to_come_fall_and_those_of_earlier_groups_are_the_usual_ones(
    tmp_path: Path, seen: list[GroupView]
) -> None:
    world = World(tmp_path, script_of)
    graph = kfold(stop=(StopRule("looks"),))
    world.settle(graph)
    assert {view.usual_s for view in seen} == {None}  # nothing has finished before
    first = seen[:]
    seen.clear()
    again = tuple(
        replace(job, params={"lr": 0.1}, static_key=job.static_key + "b") if job.devices else job
        for job in graph.jobs
    )
    world.settle(replace(graph, jobs=again), "seedlings-2")
    ends = [view for view in seen if view.now.done]
    assert [view.now.job for view in ends] == ["train.fold0", "train.fold1", "train.fold2"]
    assert [round(view.left_s or 0) for view in ends] == [2 * FOLD_S, FOLD_S, 0]
    assert [view.left_of_fold_s for view in ends] == [0, 0, 0]
    assert {view.usual_s for view in ends} == {3 * FOLD_S}
    # Inside its first fold, of the others only a limit is known: they count as the baseline's.
    inside = next(view for view in seen if not view.now.ended)
    assert 0 < (inside.left_of_fold_s or 0) < FOLD_S
    assert (inside.left_s or 0) == pytest.approx((inside.left_of_fold_s or 0) + 2 * FOLD_S)
    assert first[0].left_s is None  # and nobody knows on a first run
    facts = {(view.metric, view.larger_is_better, view.items, view.largest_class) for view in first}
    assert facts == {("val_acc", True, 100, 0.25)}


def test_what_is_free_when_a_fold_ends_is_what_the_next_one_may_have(
    tmp_path: Path, seen: list[GroupView]
) -> None:
    world = World(tmp_path, script_of)
    world.settle(kfold(stop=(StopRule("looks"),)))
    known = [view.free_s for view in seen if view.now.done and view.free_s is not None]
    assert known
    assert known == sorted(known, reverse=True)
    assert 29 * HOUR_MS / 1000 < known[-1] < known[0] <= 30 * HOUR_MS / 1000


def test_a_rule_that_is_always_on_needs_no_history_and_is_shown_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[GroupView] = []
    broken = RULES["broken"]

    def looks(group: GroupView, options: Mapping[str, Any]) -> Verdict:
        views.append(group)
        return broken(group, options)

    monkeypatch.setitem(RULES, "broken", looks)
    World(tmp_path, script_of).settle(kfold())
    assert views
    assert {(view.left_s, view.baseline, tuple(view.history)) for view in views} == {
        (None, None, ())
    }
    assert {len(view.folds) for view in views} == {3}
