"""Presses that come in become commands once, and whoever pressed in vain is told."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.commands import StopJobs
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import StopRule
from orchestrator.presses.desk import Desk
from orchestrator.presses.kept import Arrival
from skint.attempt import Task
from tests.orchestrator.presses.pressing import ANNA, BEN, RUN, STRANGER, Pressing, pressable
from tests.orchestrator.presses.test_meaning import training_fold0
from tests.orchestrator.worlds import epochs, kfold, statuses, training


@pytest.fixture
def pressing(tmp_path: Path) -> Pressing:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    return pressing


def stops(pressing: Pressing) -> list[tuple[str, str]]:
    return [(stop.target, stop.by) for stop in pressing.world.kept(e.StopAsked)]


def test_a_press_stops_the_fold_and_the_others_go_on(pressing: Pressing) -> None:
    pressing.press(pressing.button("abort-fold", "train.fold0"))
    run = pressing.world.until_settled().runs[RUN]
    assert stops(pressing) == [("train.fold0", f"slack:{ANNA}")]
    assert statuses(run)["train.fold0"] == "stopped"
    assert statuses(run)["train.fold1"] == "done"
    assert (pressing.answers, len(pressing.woken)) == ([], 1)


def test_a_press_that_is_delivered_again_counts_once_and_is_answered_once(
    pressing: Pressing,
) -> None:
    press = pressing.button("abort-run")
    for _ in range(3):
        pressing.press(press, key="the same")
    pressing.press("nonsense", key="another")
    pressing.press("nonsense", key="another")
    assert len(stops(pressing)) == 1
    assert len(pressing.answers) == 1


def test_whoever_presses_twice_is_told_that_it_is_on_its_way(pressing: Pressing) -> None:
    press = pressing.button("abort-run")
    pressing.press(press)
    pressing.press(press)
    assert len(stops(pressing)) == 1
    ((who, text),) = pressing.answers
    assert who == ANNA
    assert text.startswith(f"seedlings-1 is being stopped already, asked by slack:{ANNA}")


def test_of_two_who_press_at_once_the_second_is_told_who_was_faster(pressing: Pressing) -> None:
    press = pressing.button("abort-run")
    pressing.desk.take(pressing.arrival(press, ANNA))
    pressing.desk.take(pressing.arrival(press, BEN))
    assert pressing.desk.work()
    pressing.world.scheduler.tick()
    assert not pressing.desk.work()
    assert stops(pressing) == [(RUN, f"slack:{ANNA}")]
    assert pressing.answers == [
        (BEN, f"slack:{ANNA} was faster, and has asked for the same"),
    ]


def test_a_stranger_is_refused_told_and_logged(
    pressing: Pressing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pressing.press(pressing.button("abort-run"), STRANGER)
    assert stops(pressing) == []
    assert [who for who, _ in pressing.answers] == [STRANGER]
    assert (
        f"by slack:{STRANGER} in C0STANDIN01/1.000001: abort-run seedlings-1: refused (stranger)"
        in caplog.text
    )


@pytest.mark.parametrize("value", ["", "{}", "rm -rf", json.dumps({"v": 1, "run": RUN})])
def test_a_value_of_nobody_is_refused_told_and_logged(
    pressing: Pressing, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pressing.press(value)
    ((_, text),) = pressing.answers
    assert text.startswith("this button cannot be read")
    assert "refused (malformed)" in caplog.text


def test_a_press_that_cannot_be_dealt_with_holds_up_no_other(pressing: Pressing) -> None:
    def say(arrival: Arrival, text: str) -> None:
        raise OSError("no way to tell")

    pressing.desk.take(pressing.arrival("nonsense", STRANGER, key="stuck"))
    pressing.desk.take(pressing.arrival(pressing.button("abort-run")))
    desk = Desk(pressing.world.path / "store.db", pressing.world.clock, say)
    with pytest.raises(OSError, match="no way to tell"):
        desk.work()
    pressing.world.scheduler.tick()
    assert stops(pressing) == [(RUN, f"slack:{ANNA}")]
    assert "stuck" in [one.arrival.key for one in desk.kept.open()]


def test_what_the_scheduler_says_no_to_is_told(pressing: Pressing) -> None:
    arrival = pressing.arrival(pressing.button("abort-run"))
    pressing.desk.take(arrival)
    gone = StopJobs(run="gone", scope="run", target="gone")
    pressing.desk.kept.became(arrival.key, pressing.world.store.ask(gone, 0))
    pressing.world.scheduler.tick()
    assert not pressing.desk.work()
    assert pressing.answers == [(ANNA, "there is no run gone")]


def test_what_the_scheduler_has_refused_may_be_asked_for_again(tmp_path: Path) -> None:
    plain = pressable()
    jobs = tuple(replace(job, resumes=bool(job.devices)) for job in plain.jobs)
    pressing = Pressing.of(tmp_path, replace(plain, jobs=jobs))
    pressing.until(training_fold0)
    pressing.press(pressing.button("abort-run"))
    pressing.world.until_settled()
    resume = pressing.button("resume")
    account = pressing.world.ledger.account("lab")
    pressing.world.ledger.remove_account("lab", pressing.world.clock.now_ms())
    for _ in range(2):
        pressing.press(resume)
    assert ["the account lab is gone" in text for _, text in pressing.answers] == [True, True]
    pressing.world.ledger.add_account(account, pressing.world.clock.now_ms())
    pressing.press(resume)
    assert len(pressing.answers) == 2
    assert pressing.run.live


def test_a_press_that_was_kept_is_dealt_with_by_the_next_desk(pressing: Pressing) -> None:
    pressing.desk.take(pressing.arrival(pressing.button("abort-run")))
    pressing.restart()
    assert pressing.desk.work()
    pressing.restart()  # killed again, between the command and its reply
    pressing.world.scheduler.tick()
    assert not pressing.desk.work()
    assert len(stops(pressing)) == 1
    assert pressing.desk.kept.open() == []


class Killed(BaseException):
    """The process is gone at this point."""


@pytest.mark.parametrize("late", [False, True], ids=["desk first", "scheduler first"])
@pytest.mark.parametrize("moment", ["asked_by", "became", "close"])
def test_a_desk_that_is_killed_at_any_moment_stops_the_run_once(
    pressing: Pressing, monkeypatch: pytest.MonkeyPatch, moment: str, late: bool
) -> None:
    def die(*_: object) -> None:
        raise Killed

    pressing.desk.take(pressing.arrival(pressing.button("abort-run"), key="the press"))
    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr(pressing.desk.kept, moment, die)
        pressing.desk.work()
        pressing.world.scheduler.tick()
        pressing.desk.work()
    pressing.restart()
    if late:
        pressing.world.scheduler.tick()
    pressing.desk.work()
    pressing.world.scheduler.tick()
    assert not pressing.desk.work()
    assert stops(pressing) == [(RUN, f"slack:{ANNA}")]
    assert pressing.desk.kept.outcomes().keys() == {"the press"}
    assert pressing.answers == []  # nobody is told that they were too late for themselves


def asked(path: Path, after_s: float = 3600) -> Pressing:
    """A rule has asked about fold 0, whose loss is no number until its last epoch."""
    rule = StopRule("broken", mode="ask", after_s=after_s)
    pressing = Pressing.of(path, pressable(kfold(stop=(rule,))), broken_at_first)
    pressing.world.until(lambda state: bool(state.runs[RUN].verdicts), days=0.1)
    return pressing


def broken_at_first(task: Task) -> Script:
    return (
        training(task)
        if task.fold is None
        else epochs([float("nan")] * 9 + [0.5], metric="train_loss")
    )


def test_let_it_run_answers_the_rule_and_the_fold_goes_on(tmp_path: Path) -> None:
    pressing = asked(tmp_path)
    (question,) = pressing.run.verdicts
    pressing.press(pressing.button("let-run", question.target, question.rule))
    (answer,) = pressing.run.answers
    assert (answer.answer, answer.by) == ("let-run", f"slack:{ANNA}")
    pressing.until(lambda run: run.jobs["train.fold0"].ended)
    assert pressing.run.jobs["train.fold0"].status == "done"


def test_stop_answers_the_rule_and_the_fold_is_stopped(tmp_path: Path) -> None:
    pressing = asked(tmp_path)
    (question,) = pressing.run.verdicts
    pressing.press(pressing.button("stop", question.target, question.rule))
    pressing.until(lambda run: run.jobs["train.fold0"].ended)
    assert pressing.run.jobs["train.fold0"].status == "stopped"


def test_a_question_that_was_answered_is_said_to_be_with_who_and_when(tmp_path: Path) -> None:
    pressing = asked(tmp_path)
    (question,) = pressing.run.verdicts
    stop = pressing.button("stop", question.target, question.rule)
    pressing.press(pressing.button("let-run", question.target, question.rule))
    pressing.press(stop, BEN)
    ((who, text),) = pressing.answers
    assert who == BEN
    assert text.startswith(f"answered already, by slack:{ANNA}, Sat 21 Nov 2026 00:0")
    assert text.endswith("UTC: let it run")
    assert pressing.world.kept(e.StopAsked) == []


def test_an_answer_that_was_kept_in_time_comes_before_the_time_out_of_the_next_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressing = asked(tmp_path, after_s=60)
    (question,) = pressing.run.verdicts
    pressing.desk.take(pressing.arrival(pressing.button("let-run", question.target, question.rule)))
    pressing.world.clock.advance(90)  # the process is killed, and nobody listens for a while
    pressing.restart()
    monkeypatch.setattr(pressing.desk._thread, "start", lambda: None)  # it may be slow
    pressing.desk.start()
    pressing.world.scheduler.tick()
    assert [answer.by for answer in pressing.run.answers] == [f"slack:{ANNA}"]


def test_a_question_whose_time_is_over_has_its_default_for_an_answer(tmp_path: Path) -> None:
    pressing = asked(tmp_path, after_s=60)
    (question,) = pressing.run.verdicts
    late = pressing.button("let-run", question.target, question.rule)
    pressing.until(lambda run: bool(run.answers))
    pressing.press(late)
    ((_, text),) = pressing.answers
    assert text.startswith("answered already, by nobody else in time")


def test_a_stop_that_was_undone_can_be_asked_for_again_by_a_new_button(tmp_path: Path) -> None:
    pressing = Pressing.of(tmp_path)
    first = pressing.button("abort-run")
    pressing.press(first)
    pressing.until(lambda run: not run.live)
    resume = pressing.button("resume")
    pressing.press(resume)
    assert pressing.run.live
    again = pressing.button("abort-run")
    assert again.command != first.command
    pressing.press(resume, BEN)
    pressing.press(first, BEN)
    assert [text.split(",")[0].split(":")[0] for _, text in pressing.answers] == [
        f"{RUN} goes on already",
        "this message is old",
    ]
    pressing.press(again)
    pressing.until(lambda run: not run.live)
    assert len(stops(pressing)) == 2


def test_a_thread_works_until_it_is_stopped(pressing: Pressing) -> None:
    answered = threading.Event()
    pressing.desk._say = lambda arrival, text: answered.set()
    pressing.desk.start()
    pressing.desk.take(pressing.arrival("nonsense"))
    assert answered.wait(300)
    pressing.desk.stop(30)
    assert not pressing.desk._thread.is_alive()
