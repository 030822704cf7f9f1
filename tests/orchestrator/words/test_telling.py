"""One line an event, in words that stand without the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from budget.accounts.account import Account, Machine
from budget.accounts.limit import weekly
from orchestrator.dashboard.questions.question import cancel_question
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.state.state import State
from orchestrator.views.run.view import run_view
from orchestrator.words.headline import spent
from orchestrator.words.telling import tell, tone
from skint.attempt import Task
from tests.orchestrator.worlds import HOUR_MS, World, epochs, graph, job, kfold

COLAB = Account(
    "colab",
    "simulated",
    "simulated",
    (weekly(100 * HOUR_MS),),
    unit="credit",
    machines=(Machine("T4", 1_190, 1),),
)


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
    return epochs([0.5, 0.8] if task.fold == 0 else [0.6, float("nan"), 0.7, 0.8])


def story(world: World) -> list[str]:
    state = world.store.state()
    told = (tell(event, state) for _, event in world.store.events())
    return [line for line in told if line is not None]


def test_a_run_is_told_from_its_queue_to_its_end(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=2, stop=()))
    world.stop(target="train.fold9", scope="attempt")
    world.until_settled()
    lines = story(world)
    assert lines[0] == "queued, 6 jobs"
    assert "refused: seedlings-1 has no train.fold9" in lines
    assert "scan started" in lines
    assert "scan done" in lines
    assert "fold 0 (1 of 2) · epoch 2/2 · val_acc 0.800" in lines
    assert "fold 1 (2 of 2) · epoch 2/4 · val_acc nan" in lines
    assert "fold 0 (1 of 2): 0.51 h of lab reserved" in lines
    assert "fold 0 (1 of 2): 0.04 h charged, 0.47 h of lab free again" in lines
    assert "fold 0 (1 of 2) done" in lines
    assert lines[-1].startswith("run done")
    assert len(lines) == len(set(lines)), "nothing is said twice"


def test_credits_are_called_credits(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.ledger.add_account(COLAB, world.clock.now_ms())
    world.submit(graph(job("train", devices=1, limit_s=3_600), account="colab"))
    run = world.until_settled().runs["seedlings-1"]
    asked_ms = world.clock.now_ms()
    world.submit(graph(job("again", devices=1, limit_s=3_600), account="colab"), run="small-2")
    world.until(lambda state: any(True for _ in state.live_attempts()))
    lines = story(world)
    assert "train: 1.20 credits of colab reserved" in lines
    assert any(
        re.fullmatch(r"train: 0\.\d\d credits charged, 1\.\d\d credits of colab free again", line)
        for line in lines
    )
    view = run_view(run, asked_ms)
    assert view.amounts_in == "credit" and " credits charged" in spent(view)
    question = cancel_question(world.scheduler.state.runs["small-2"], world.clock.now_ms())
    facts = dict(question.facts)
    assert facts["charged"].startswith("0.00 credits")
    assert facts["freed"].startswith("1.20 credits still reserved")


def test_a_stop_names_who_asked_and_what_became_of_it(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=2))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    world.stop(scope="attempt", target="train.fold0")
    world.stop(scope="group", target="train")
    world.stop()
    world.until_settled()
    lines = story(world)
    assert "fold 0 (1 of 2) is to stop: cancelled by cli" in lines
    assert "train is to stop: cancelled by cli" in lines
    assert "the run is to stop: cancelled by cli" in lines
    assert any(line.startswith("fold 0 (1 of 2) stopped") for line in lines)
    assert any(line.startswith("run cancelled") for line in lines)


def test_too_little_left_is_told_with_its_numbers(tmp_path: Path) -> None:
    world = World(tmp_path, script_of, week_ms=HOUR_MS * 52 // 100)
    world.submit(kfold(folds=2))
    world.until(
        lambda state: any(
            job.reason == "over-budget" for run in state.runs.values() for job in run.jobs.values()
        )
    )
    told = [line for line in story(world) if "lab has 0.48 h left of 0.52 h" in line]
    assert len(told) == 1
    assert told[0].startswith("fold 1 (2 of 2): ")


def test_what_failed_is_bad_and_what_is_done_is_good() -> None:
    ended = e.JobEnded(at_ms=0, run="r", job="scan", outcome="done", reason="", sentence="")
    assert tone(ended) == "good"
    assert tone(replace(ended, outcome="failed")) == "bad"
    assert tone(replace(ended, outcome="stopped")) == "attention"
    assert tone(replace(ended, outcome="reused")) == "plain"
    assert tone(e.AttemptReached(at_ms=0, run="r", attempt="r.scan.1")) == "plain"


def test_an_event_of_a_run_that_is_not_known_has_no_line() -> None:
    event = e.RunEnded(at_ms=0, run="gone-1", outcome="done", sentence="")
    assert tell(event, State()) is None


def test_an_attempt_that_is_tried_again_is_told(tmp_path: Path) -> None:
    tries: list[str] = []

    def fails_once(task: Task) -> Script:
        tries.append(task.attempt)
        return Script(seconds=5, code=1 if tries.count(task.attempt) and len(tries) == 4 else 0)

    world = World(tmp_path, fails_once)
    world.submit(kfold(folds=1, retries=1))
    world.until_settled()
    told = [line for line in story(world) if "tried again" in line]
    assert len(told) == 1
    assert told[0].startswith("fold 0 (1 of 1) failed, tried again")


def test_answers_and_resumptions_name_who_and_what(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=2))
    state = world.until_settled()
    answer = e.VerdictAnswered(
        at_ms=1, run="seedlings-1", rule="curve", target="train.fold0", answer="let-run",
        given_ms=0, by="slack:U0123456",
    )  # fmt: skip
    assert tell(answer, state) == (
        "fold 0 (1 of 2) goes on: answered by a person on Slack (U0123456)"
    )
    stop = replace(answer, answer="stop", by="time-out", target="train")
    assert tell(stop, state) == "train is to stop: answered by nobody in time"
    back = e.JobsResumed(
        at_ms=1, run="seedlings-1", scope="run", target="seedlings-1", jobs=("train.fold0",),
        by="cli",
    )  # fmt: skip
    assert tell(back, state) == "the run resumed by somebody at the command line"
