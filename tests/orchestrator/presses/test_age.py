from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.events import events as e
from orchestrator.presses.age import CLOCKS_MS, early_reply, since_ms, words_of
from orchestrator.presses.press import press_of
from orchestrator.presses.typed import REACTIONS, Wish, presses_for, wish_in
from orchestrator.state.projection import apply_all
from tests.orchestrator.presses.pressing import RUN, Pressing, pressable
from tests.orchestrator.presses.test_meaning import training_fold0


@pytest.fixture
def pressing(tmp_path: Path) -> Pressing:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    return pressing


@pytest.mark.parametrize(
    "said",
    [
        "abort run",
        "abort fold 3",
        "abort train.fold3",
        "let it run",
        "stop",
        "resume",
        "abort fold",
    ],
)
def test_what_an_answer_says_to_reply_is_understood_as_the_same(said: str) -> None:
    wish = wish_in(said)
    assert wish is not None
    assert wish_in(words_of(wish)) == wish


def test_what_stands_for_a_reaction_is_a_reply_that_is_understood() -> None:
    for wish in REACTIONS.values():
        assert wish_in(words_of(wish)) is not None


def began_ms(pressing: Pressing, said: str) -> int:
    """Since when a reply has meant what it means now."""
    wish = wish_in(said)
    assert wish is not None
    presses = presses_for(wish, pressing.run)
    assert isinstance(presses, list)
    return since_ms(wish, presses[0], pressing.run)


def test_the_fold_that_runs_is_another_one_since_the_last_has_ended(pressing: Pressing) -> None:
    assert began_ms(pressing, "abort fold") == 0
    pressing.until(lambda run: run.jobs["train.fold1"].status == "running")
    ended = pressing.run.current("train.fold0")
    assert ended is not None
    assert began_ms(pressing, "abort fold") == ended.ended_ms
    assert began_ms(pressing, "abort fold 1") == 0  # whenever it was said, it meant this one
    assert began_ms(pressing, "abort run") == 0


def test_a_stop_is_undone_by_words_since_it_was_asked_and_made_again_since_then(
    tmp_path: Path,
) -> None:
    plain = pressable()
    jobs = tuple(replace(job, resumes=bool(job.devices)) for job in plain.jobs)
    pressing = Pressing.of(tmp_path, replace(plain, jobs=jobs))
    pressing.until(training_fold0)
    pressing.press(pressing.button("abort-run"))
    pressing.until(lambda run: run.settled)
    assert began_ms(pressing, "resume") == pressing.run.stops[-1].at_ms
    pressing.press(pressing.button("resume"))
    (again,) = pressing.run.resumptions
    assert began_ms(pressing, "abort run") == again.at_ms


def test_clocks_that_differ_a_little_make_no_reply_too_early(pressing: Pressing) -> None:
    pressing.until(lambda run: run.jobs["train.fold1"].status == "running")
    wish, at_ms = Wish("abort-fold"), began_ms(pressing, "abort fold")
    press = press_of(pressing.run, "abort-fold", "train.fold1")
    assert early_reply(wish, press, pressing.run, at_ms - CLOCKS_MS) is None
    assert early_reply(wish, press, pressing.run, at_ms - CLOCKS_MS - 1) is not None


def test_stop_answers_no_question_that_was_asked_after_it(pressing: Pressing) -> None:
    asked = e.VerdictGiven(
        at_ms=60_000, run=RUN, rule="curve", action="ask", scope="attempt", target="train.fold0",
        reason="curve", sentence="below", default="stop", until_ms=None, would="stop",
    )  # fmt: skip
    run = apply_all(pressing.world.scheduler.state, [asked]).runs[RUN]
    wish, press = Wish("stop"), press_of(run, "stop", "train.fold0", "curve")
    refusal = early_reply(wish, press, run, 50_000)
    assert refusal is not None
    assert "written before that question was asked" in refusal.sentence
    assert early_reply(wish, press, run, 60_000) is None
