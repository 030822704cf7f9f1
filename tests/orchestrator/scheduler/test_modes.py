"""What comes of a verdict: by itself, after a question, as a warning, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph, StopRule
from orchestrator.state.questions import open_questions
from orchestrator.state.state import RunState
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from skint.attempt import Task
from tests.orchestrator.worlds import World, epochs, kfold, reasons, statuses, training

NAN = float("nan")
MINUTE_MS = 60_000


def broken_in_the_second(task: Task) -> Script:
    """Fold 1 reports a loss that is no number after a minute, and goes on for half an hour."""
    if task.fold == 1:
        return epochs([NAN, *[0.5] * 20], metric="train_loss")
    return training(task)


def rule(**how: Any) -> Graph:
    return kfold(stop=(StopRule("broken", **how),))


def folds(run: RunState) -> list[str]:
    return [statuses(run)[f"train.fold{n}"] for n in range(3)]


def test_a_rule_that_warns_says_so_once_and_stops_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, broken_in_the_second)
    run = world.settle(rule(mode="warn"))
    assert folds(run) == ["done", "done", "done"]
    (said,) = run.verdicts
    assert (said.action, said.would, said.target) == ("warn", "stop", "train")
    assert run.stops == ()


def test_a_rule_that_asks_stops_where_nobody_answers_in_time(tmp_path: Path) -> None:
    world = World(tmp_path, broken_in_the_second)
    world.submit(rule(mode="ask", after_s=600))
    asked = world.until(lambda state: any(run.verdicts for run in state.runs.values()))
    (question,) = open_questions(asked.runs["seedlings-1"])
    assert question.until_ms == question.at_ms + 600_000
    run = world.until_settled().runs["seedlings-1"]
    assert folds(run) == ["done", "stopped", "stopped"]
    (answer,) = run.answers
    assert (answer.answer, answer.by) == ("stop", "time-out")
    assert 0 <= answer.at_ms - (question.until_ms or 0) <= 5_000
    (stop,) = run.stops
    assert stop.reason == "broken"
    assert stop.sentence.endswith("; nobody answered within 10 min 00 s")
    assert open_questions(run) == ()


def test_a_question_whose_default_is_to_let_it_run_is_not_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path, broken_in_the_second)
    run = world.settle(rule(mode="ask", default="let-run", after_s=60))
    assert folds(run) == ["done", "done", "done"]
    assert len(run.verdicts) == 1
    assert [answer.answer for answer in run.answers] == ["let-run"]


def test_a_question_is_void_once_all_that_it_is_about_has_ended(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([NAN, 0.5], metric="train_loss"))
    run = world.settle(rule(mode="ask", after_s=3600))
    assert folds(run) == ["done", "done", "done"]
    assert open_questions(run) == ()
    assert run.answers == ()


def test_an_open_question_keeps_no_other_rule_from_acting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, "third-epoch", third_epoch)
    world = World(tmp_path, broken_in_the_second)
    rules = (StopRule("broken", mode="ask", after_s=3600), StopRule("third-epoch"))
    run = world.settle(kfold(stop=rules))
    assert folds(run) == ["done", "stopped", "stopped"]
    assert reasons(run)["train.fold1"] == "third"
    assert [said.action for said in run.verdicts] == ["ask", "stop"]


def third_epoch(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    if len(group.now.reports) < 3 or group.now.reports[2].get("epoch") is None:
        return GO_ON
    return Verdict("stop", "group", "third", "it has reported three epochs")


def first_fold_is_done(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    if not group.now.done:
        return GO_ON
    done = sum(fold.done for fold in group.folds)
    sentence = f"{group.now.job} came to {group.now.best}; {done} of {len(group.folds)} folds"
    return Verdict("stop", "group", "first", sentence)


def test_what_a_rule_says_at_the_end_of_a_fold_stops_the_folds_that_have_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, "first-fold", first_fold_is_done)
    world = World(tmp_path, training)
    run = world.settle(kfold(stop=(StopRule("first-fold"),)))
    assert folds(run) == ["done", "stopped", "stopped"]
    assert len(run.allocations) == 1
    assert run.verdicts[0].sentence == "train.fold0 came to 0.8; 1 of 3 folds"


def next_fold_is_short(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    return Verdict("park", "group", "quota", "too short") if group.now.done else GO_ON


@pytest.mark.parametrize("mode", ["auto", "ask"])
def test_a_fold_that_runs_is_not_parked_because_the_next_one_lacks_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    """Nor is anybody asked: the next one waits for its hours whatever the answer is."""
    monkeypatch.setitem(RULES, "short", next_fold_is_short)
    slow = {0: 5, 1: 20}
    world = World(
        tmp_path,
        lambda task: training(task) if task.fold is None else epochs([0.5] * slow[task.fold]),
        devices=2,
    )
    rule = StopRule("short", mode=mode, default="stop", after_s=1.0)
    run = world.settle(kfold(folds=2, stop=(rule,)))
    assert [statuses(run)[f"train.fold{n}"] for n in range(2)] == ["done", "done"]
    assert run.verdicts[0].action == "park"
    assert run.verdicts[0].at_ms < (run.attempts["seedlings-1.train.fold1.1"].ended_ms or 0)
    assert run.stops == ()


def test_a_run_that_explores_is_stopped_by_nothing_but_what_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, "first-fold", first_fold_is_done)
    graph = replace(kfold(stop=(StopRule("first-fold"), StopRule("broken"))), explore=True)
    assert folds(World(tmp_path / "well", training).settle(graph)) == ["done"] * 3
    broken = World(tmp_path / "broken", broken_in_the_second).settle(graph)
    assert folds(broken) == ["done", "stopped", "stopped"]


def test_a_rule_about_one_combination_leaves_the_others_alone(tmp_path: Path) -> None:
    plain = kfold()
    train = [
        replace(
            job,
            id=f"train.lr={lr}.fold{job.fold}",
            matrix={"lr": lr},
            static_key=f"{job.id} {lr}",
        )
        for lr in (1, 2)
        for job in plain.groups()["train"]
    ]
    graph = replace(plain, jobs=(*plain.jobs[:3], *train))

    def script_of(task: Task) -> Script:
        return broken_in_the_second(task) if "lr=1" in task.job else training(task)

    got = statuses(World(tmp_path, script_of).settle(graph))
    assert [got[f"train.lr=1.fold{n}"] for n in range(3)] == ["done", "stopped", "stopped"]
    assert [got[f"train.lr=2.fold{n}"] for n in range(3)] == ["done", "done", "done"]


def test_what_was_asked_and_answered_replays_and_survives_a_scheduler_that_dies_all_the_time(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, broken_in_the_second)
    world.submit(rule(mode="ask", after_s=300))
    run = world.until_settled_with_restarts().runs["seedlings-1"]
    assert folds(run) == ["done", "stopped", "stopped"]
    assert len(world.kept(e.VerdictGiven)) == len(world.kept(e.VerdictAnswered)) == 1
    assert world.store.replayed() == world.store.state()


# --- silence --------------------------------------------------------------------------------------


def silent(seconds: float) -> Any:
    """Fold 0 reports an epoch after a minute and no word more until it ends."""

    def script_of(task: Task) -> Script:
        if task.fold != 0:
            return training(task)
        report = {"kind": "report", "values": {"epoch": 1, "epochs": 9, "val_acc": 0.5}}
        return Script(seconds=seconds, lines=((60, report),), outputs={"model": b"weights"})

    return script_of


def test_a_fold_that_says_nothing_any_more_is_stopped_after_its_time(tmp_path: Path) -> None:
    rules = (StopRule("broken", {"quiet_min": 20}),)
    world = World(tmp_path, silent(7000))
    run = world.settle(kfold(stop=rules, limit_s=7200))
    assert folds(run)[0] == "stopped"
    (said,) = run.verdicts
    started_ms = run.attempts["seedlings-1.train.fold0.1"].started_ms or 0
    assert 21 * MINUTE_MS <= said.at_ms - started_ms <= 22 * MINUTE_MS


def test_time_in_which_nobody_looked_is_no_silence(tmp_path: Path) -> None:
    world = World(tmp_path, silent(3000))
    world.submit(kfold(stop=(StopRule("broken", {"quiet_min": 20}),), limit_s=7200))
    world.until(lambda state: bool(world.engine.starts) and _reported(state.runs["seedlings-1"]))
    world.clock.advance(1900, asleep=True)  # a laptop is shut
    world.scheduler.tick()
    run = world.until_settled().runs["seedlings-1"]
    assert folds(run) == ["done", "done", "done"]
    assert run.verdicts == ()


def _reported(run: RunState) -> bool:
    return any(attempt.reports for attempt in run.attempts.values())
