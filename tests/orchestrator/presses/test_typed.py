"""Words and reactions, and the buttons that they stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.events import events as e
from orchestrator.presses.meaning import Refusal
from orchestrator.presses.press import press_of
from orchestrator.presses.typed import REACTIONS, Wish, presses_for, wish_in
from orchestrator.state.projection import apply_all
from tests.orchestrator.presses.pressing import RUN, Pressing
from tests.orchestrator.presses.test_meaning import training_fold0


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("abort fold 3", Wish("abort-fold", "3")),
        ("  Abort   FOLD 3. ", Wish("abort-fold", "3")),
        ("<@U0BOT00001> abort fold 3!", Wish("abort-fold", "3")),
        ("abort train.fold3", Wish("abort-fold", "train.fold3")),
        ("abort fold", Wish("abort-fold")),
        ("abort", Wish("abort-fold")),
        ("abort run", Wish("abort-run")),
        ("let it run", Wish("let-run")),
        ("let run", Wish("let-run")),
        ("stop", Wish("stop")),
        ("resume", Wish("resume")),
        ("resume run", Wish("resume")),
        ("resume fold 0", Wish("resume", "0")),
    ],
)
def test_words_that_ask_for_something(text: str, wish: Wish) -> None:
    assert wish_in(text) == wish


@pytest.mark.parametrize(
    "text",
    ["", "should we abort fold 3?", "abort fold 3 and fold 4", "runs!", "x" * 400, "do not stop"],
)
def test_talk_asks_for_nothing(text: str) -> None:
    assert wish_in(text) is None


@pytest.fixture
def pressing(tmp_path: Path) -> Pressing:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    return pressing


def test_a_fold_is_found_by_its_number_its_id_or_as_the_one_that_runs(pressing: Pressing) -> None:
    run = pressing.run
    abort = [press_of(run, "abort-fold", "train.fold0")]
    for which in ("0", "train.fold0", ""):
        assert presses_for(Wish("abort-fold", which), run) == abort
    assert presses_for(Wish("abort-fold", "7"), run) == Refusal(
        "nothing", f"{RUN} has no fold 7 to abort"
    )


def test_where_no_fold_runs_none_is_meant(tmp_path: Path) -> None:
    run = Pressing.of(tmp_path).run
    assert presses_for(REACTIONS["octagonal_sign"], run) == Refusal(
        "nothing", f"{RUN} has no fold that runs to abort"
    )


def test_a_fold_that_two_entries_have_has_to_be_named(pressing: Pressing) -> None:
    run = pressing.run
    twin = replace(run.graph.job("train.fold0"), id="other.fold0", group="other")
    run = replace(run, graph=replace(run.graph, jobs=(*run.graph.jobs, twin)))
    refusal = presses_for(Wish("abort-fold", "0"), run)
    assert isinstance(refusal, Refusal)
    assert refusal.sentence.endswith("reply `abort train.fold0` or `abort other.fold0`")


def test_arrow_forward_answers_what_was_asked_and_resumes_else(pressing: Pressing) -> None:
    go_on, run = REACTIONS["arrow_forward"], pressing.run
    assert presses_for(go_on, run) == [press_of(run, "resume")]
    asked = [
        e.VerdictGiven(
            at_ms=1, run=RUN, rule=rule, action="ask", scope="attempt", target="train.fold0",
            reason=rule, sentence="looks bad",
        )
        for rule in ("curve", "plateau")
    ]  # fmt: skip
    run = apply_all(pressing.world.scheduler.state, asked).runs[RUN]
    assert presses_for(go_on, run) == [
        press_of(run, "let-run", "train.fold0", "curve"),
        press_of(run, "let-run", "train.fold0", "plateau"),
    ]
    assert presses_for(Wish("stop"), run) == [
        press_of(run, "stop", "train.fold0", "curve"),
        press_of(run, "stop", "train.fold0", "plateau"),
    ]


def test_an_answer_needs_a_question(pressing: Pressing) -> None:
    assert presses_for(Wish("let-run"), pressing.run) == Refusal(
        "nothing", f"no stop rule waits for an answer about {RUN}"
    )
