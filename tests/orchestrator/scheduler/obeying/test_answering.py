"""A stop rule asks, or has spoken; a person answers, in time or too late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.commands import AnswerVerdict, ResumeJobs, SetBaseline, StopJobs
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import StopRule
from orchestrator.state.questions import open_questions
from orchestrator.views.words.question import question_lines
from skint.attempt import Task
from tests.orchestrator.scheduler.obeying.test_resuming import RUN, Living, epochs_told, folds
from tests.orchestrator.worlds import statuses

FOLDS = ("train.fold0", "train.fold1", "train.fold2")


class Asked(Living):
    """Fold 0 reports a loss that is no number with its second epoch, and goes on."""

    def script(self, task: Task) -> Script:
        if task.fold is None:
            return super().script(task)
        lines = []
        made = super().script(task)
        for at_s, line in made.lines:
            values = line.get("values")
            if values is not None and task.fold == 0 and values["epoch"] == 2:
                line = {**line, "values": {**values, "val_loss": "nan"}}
            lines.append((at_s, line))
        return Script(made.seconds, tuple(lines), stops_after_s=made.stops_after_s)

    def until_spoken(self) -> e.VerdictGiven:
        state = self.until(lambda state: any(run.verdicts for run in state.runs.values()))
        return state.runs[RUN].verdicts[0]


def asked(path: Path, **how: Any) -> Asked:
    world = Asked(path)
    how = {"mode": "ask", "after_s": 3600, **how}
    world.submit(folds(stop=(StopRule("broken", **how),)))
    world.until_spoken()
    return world


def say(answer: Any, rule: str = "broken", target: str = "train", by: str = "slack:U1") -> Any:
    return AnswerVerdict(run=RUN, rule=rule, target=target, answer=answer, by=by)


@pytest.mark.parametrize(("rule", "target"), [("broken", "train"), ("", "train"), ("", "")])
def test_who_answers_stop_stops_the_group_with_the_words_of_the_rule(
    rule: str, target: str, tmp_path: Path
) -> None:
    world = asked(tmp_path)
    ok, text = world.ask(say("stop", rule, target))
    assert ok
    assert text == "train is being stopped, as broken would; checkpoints are kept"
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["stopped"] * 3
    (stop,) = run.stops
    assert (stop.by, stop.reason) == ("slack:U1", "broken")
    assert stop.sentence.startswith("val_loss became nan")


def test_who_lets_it_run_is_not_asked_again(tmp_path: Path) -> None:
    world = asked(tmp_path)
    question = "broken asks about train: val_loss became nan"
    (line,) = question_lines(world.run, world.clock.now_ms())
    assert line.startswith(question)
    assert "without an answer it is stopped in 1 h 00 min" in line
    assert f"skint answer {RUN} --stop, or --let-run" in line
    assert world.ask(say("let-run")) == (True, "train goes on; broken says no more of it")
    assert question_lines(world.run, world.clock.now_ms()) == []
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["done"] * 3
    assert len(run.verdicts) == 1


def test_what_was_answered_before_is_not_answered_again(tmp_path: Path) -> None:
    world = asked(tmp_path)
    world.ask(say("let-run"))
    ok, text = world.ask(say("stop", by="cli"))
    assert not ok
    assert text.startswith("that was answered before: let-run, by slack:U1, Sat 21 Nov 2026")
    assert len(world.kept(e.VerdictAnswered)) == 1


def test_an_answer_that_comes_too_late_says_so(tmp_path: Path) -> None:
    world = asked(tmp_path, after_s=60, default="let-run")
    world.until(lambda state: bool(state.runs[RUN].answers))
    ok, text = world.ask(say("stop"))
    assert not ok
    assert "let-run, by nobody in time" in text
    assert text.endswith(f"; skint cancel {RUN}, or skint abort, still stops it")
    world.until_settled()
    assert world.ask(say("stop")) == (False, f"{RUN} has ended already: done")


def test_an_answer_counts_though_the_clock_was_set_back_before_it(tmp_path: Path) -> None:
    world = asked(tmp_path, after_s=3600)
    world.clock.advance(-600)
    assert world.ask(say("let-run"))[0]
    assert open_questions(world.run) == ()
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["done"] * 3
    assert [answer.by for answer in run.answers] == ["slack:U1"]


def test_it_is_refused_where_nothing_was_said(tmp_path: Path) -> None:
    world = asked(tmp_path)
    assert world.ask(say("stop", "chance")) == (False, "chance has said nothing of train")
    text = "no stop rule has said anything of train.fold9"
    assert world.ask(say("stop", "", "train.fold9")) == (False, text)
    nobody = AnswerVerdict(run="nobody-1", rule="", target="", answer="stop")
    assert world.ask(nobody) == (False, "there is no run nobody-1")


def test_a_stop_that_has_not_reached_anything_yet_is_held_back_by_letting_it_run(
    tmp_path: Path,
) -> None:
    world = Asked(tmp_path)
    world.submit(folds(stop=(StopRule("broken"),)))
    world.until(lambda state: world.engine.starts != [])
    # It is over before the executor hears of it.
    executor: Any = world.scheduler.executors["simulated"]
    executor.signal = _unreachable
    world.until_spoken()
    assert world.run.stops[0].then == "end"
    ok, text = world.ask(say("let-run"))
    assert ok, text
    world.restart()
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["done"] * 3
    assert epochs_told(run, "train.fold0")[-1] == 6
    assert world.store.replayed() == world.store.state()


def _unreachable(*_: Any) -> None:
    from orchestrator.executors.base import ExecutorUnreachable

    raise ExecutorUnreachable("nobody answers")


def test_a_stop_that_has_begun_is_undone_by_resuming_only(tmp_path: Path) -> None:
    world = Asked(tmp_path)
    world.course.stop_s = 60
    world.submit(folds(stop=(StopRule("broken"),)))
    world.until_spoken()
    ok, text = world.ask(say("let-run"))
    assert not ok
    assert text == f"broken is stopping train already; skint resume {RUN} undoes it"
    assert world.ask(ResumeJobs(run=RUN, scope="run", target=RUN))[0]
    resumed = "train goes on already: what broken had stopped was resumed"
    assert world.ask(say("let-run")) == (False, resumed)
    assert world.ask(say("stop")) == (False, resumed)
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["done"] * 3
    assert len(run.verdicts) == 1  # it says no more of what a person has resumed
    assert len(run.resumptions) == 1


def test_a_question_that_was_open_when_a_run_was_cancelled_does_not_stop_what_is_resumed(
    tmp_path: Path,
) -> None:
    world = asked(tmp_path, after_s=60)
    world.ask(StopJobs(run=RUN, scope="run", target=RUN))
    world.until_settled()
    assert open_questions(world.run) == ()
    world.clock.advance(3600)
    assert world.ask(ResumeJobs(run=RUN, scope="run", target=RUN))[0]
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["done"] * 3
    assert [answer.answer for answer in run.answers] == ["let-run"]


def test_a_baseline_is_a_run_that_has_finished_and_is_chosen_once(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.course.epoch_s = 60
    world.submit(folds())
    world.scheduler.tick()
    ok, text = world.ask(SetBaseline(run=RUN))
    assert not ok
    assert text.startswith(f"{RUN} cannot be a baseline: ")
    world.until_settled()
    assert world.ask(SetBaseline(run=RUN))[0]
    assert world.run.baseline_ms is not None
    assert world.ask(SetBaseline(run=RUN)) == (True, f"{RUN} is a baseline already")
    assert world.ask(SetBaseline(run=RUN, on=False)) == (True, f"{RUN} is a baseline no more")
    assert world.ask(SetBaseline(run=RUN, on=False)) == (False, f"{RUN} is no chosen baseline")
    assert len(world.kept(e.BaselineSet)) == 2
    assert world.store.replayed() == world.store.state()
