"""What stop rules said, where people and programs look for it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from orchestrator.cli.commands.show import render
from orchestrator.cli.printing.progress import Lines
from orchestrator.commands import AnswerVerdict, ResumeJobs
from orchestrator.graph import StopRule
from orchestrator.state.state import State
from orchestrator.views.run.view import run_view
from orchestrator.views.words.said import said_line
from tests.orchestrator.worlds import World, epochs, kfold, training

BROKEN = [float("nan"), *[0.5] * 20]


def asked(folder: Path) -> tuple[World, State]:
    """A world in which `broken` has asked about fold 1, and its state at that moment."""
    script = epochs(BROKEN, metric="train_loss")
    world = World(folder, lambda task: script if task.fold == 1 else training(task))
    world.submit(kfold(stop=(StopRule("broken", mode="ask", after_s=600),)))
    return world, world.until(lambda state: any(run.verdicts for run in state.runs.values()))


def test_a_question_and_its_answer_are_kept_in_the_view_of_a_run(tmp_path: Path) -> None:
    world, state = asked(tmp_path)
    (question,) = run_view(state.runs["seedlings-1"], world.clock.now_ms()).verdicts
    assert (question.rule, question.target, question.open) == ("broken", "train", True)
    assert (question.default, question.answer) == ("stop", None)
    assert question.until_ms == question.at_ms + 600_000
    assert json.loads(json.dumps(dataclasses.asdict(question)))["open"] is True

    answer = AnswerVerdict(run="seedlings-1", rule="broken", target="train", answer="let-run")
    world.store.ask(answer, world.clock.now_ms())
    run = world.until_settled().runs["seedlings-1"]
    (answered,) = run_view(run, world.clock.now_ms()).verdicts
    assert (answered.answer, answered.by, answered.open) == ("let-run", "cli", False)
    line = said_line(answered)
    assert line.startswith("broken asked about train: ")
    assert line.endswith("; let it run, said somebody at the command line")
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    assert f"stop rules         {line}" in shown


def test_where_nobody_answered_that_is_said(tmp_path: Path) -> None:
    world, _ = asked(tmp_path)
    run = world.until_settled().runs["seedlings-1"]
    (said,) = run_view(run, world.clock.now_ms()).verdicts
    assert said_line(said).endswith("; nobody in time: stop")


def test_what_was_saved_by_a_stop_that_was_undone_is_shown_no_more(tmp_path: Path) -> None:
    world, _ = asked(tmp_path)
    world.until_settled()
    shown = render(
        world.scheduler.state.runs["seedlings-1"],
        world.store.state(),
        world.ledger,
        world.clock.now_ms(),
    )
    assert "train.fold2 was stopped" in shown and "resumed " not in shown
    request = ResumeJobs(run="seedlings-1", scope="attempt", target="train.fold2")
    world.store.ask(request, world.clock.now_ms())
    run = world.until(lambda state: bool(state.runs["seedlings-1"].resumptions)).runs["seedlings-1"]
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    assert "train.fold2 was" not in shown
    assert "resumed            train.fold2 by somebody at the command line, " in shown


def test_whoever_follows_a_run_in_a_pipe_reads_the_question_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, state = asked(tmp_path)
    lines = Lines("seedlings-1")
    lines.tell(state)
    lines.tell(state)
    told = capsys.readouterr().out.splitlines()
    (question,) = [line for line in told if line.startswith("! seedlings-1 · broken asked about")]
    assert question.endswith(" · skint answer seedlings-1 --stop, or --let-run")
