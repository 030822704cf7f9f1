"""What a press comes to, while a run goes on and after it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.commands import StopJobs
from orchestrator.presses.meaning import Refusal, understand
from orchestrator.presses.press import TRIAL_RUN, Do, Press, press_of
from orchestrator.state.state import RunState, State
from tests.orchestrator.presses.pressing import RUN, Pressing
from tests.orchestrator.worlds import World, kfold, training

BY = "slack:U0ANNA0001"
ALLOW = {BY}


def training_fold0(run: RunState) -> bool:
    return run.jobs["train.fold0"].status == "running"


@pytest.fixture
def pressing(tmp_path: Path) -> Pressing:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    return pressing


def refused(press: Press, state: State, by: str = BY, allow: set[str] = ALLOW) -> Refusal:
    meant = understand(press, state, by, allow)
    assert isinstance(meant, Refusal), meant
    return meant


def test_abort_fold_asks_for_the_end_of_that_fold(pressing: Pressing) -> None:
    meant = understand(
        pressing.button("abort-fold", "train.fold0"), pressing.world.scheduler.state, BY, ALLOW
    )
    assert meant == StopJobs(
        run=RUN, scope="attempt", target="train.fold0", reason="aborted", by=BY
    )


def test_abort_run_asks_for_the_end_of_the_run(pressing: Pressing) -> None:
    meant = understand(pressing.button("abort-run"), pressing.world.scheduler.state, BY, ALLOW)
    assert meant == StopJobs(run=RUN, scope="run", target=RUN, by=BY)


@pytest.mark.parametrize("do", ["abort-fold", "abort-run", "let-run", "stop", "resume"])
def test_a_stranger_is_told_so_whatever_is_pressed(pressing: Pressing, do: Do) -> None:
    press = pressing.button(do, "train.fold0" if do == "abort-fold" else "")
    refusal = refused(press, pressing.world.scheduler.state, by="slack:U0STRANGER")
    assert refusal == Refusal(
        "stranger", "you are not among those who may do this to seedlings-1 (`allow` in its plan)"
    )


def test_an_empty_list_lets_nobody_press(pressing: Pressing) -> None:
    refusal = refused(pressing.button("abort-run"), pressing.world.scheduler.state, allow=set())
    assert refusal.why == "stranger"
    assert refusal.sentence.startswith("nobody may do this to seedlings-1")


def test_a_run_that_is_not_known_here_is_said_to_be_none_of_this_machine(
    pressing: Pressing,
) -> None:
    refusal = refused(pressing.button("abort-run"), State())
    assert refusal == Refusal(
        "unknown-run", "there is no run seedlings-1 on the machine that listens"
    )


def test_the_button_of_a_trial_says_that_it_was_heard_and_who_pressed() -> None:
    assert refused(Press(TRIAL_RUN, "let-run"), State(), allow=set()) == Refusal(
        "trial", "presses arrive here; your member ID, for `allow`, is U0ANNA0001"
    )


def test_a_button_of_an_earlier_run_of_that_name_is_old(pressing: Pressing, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other", training)
    other.submit(kfold())
    earlier = other.until(lambda state: RUN in state.runs).runs[RUN]
    refusal = refused(press_of(earlier, "abort-run"), pressing.world.scheduler.state)
    assert refusal == Refusal("old", "this message is about an earlier run called seedlings-1")


def test_a_button_from_before_the_fold_began_is_old(tmp_path: Path) -> None:
    pressing = Pressing.of(tmp_path)
    press = pressing.button("abort-fold", "train.fold0")
    pressing.until(training_fold0)
    refusal = refused(press, pressing.world.scheduler.state)
    assert refusal.why == "old"
    assert "fold 0 (1 of 3) has been started again since" in refusal.sentence


def test_a_fold_that_is_over_is_said_to_be_with_its_time(pressing: Pressing) -> None:
    press = pressing.button("abort-fold", "train.fold0")
    pressing.until(lambda run: run.jobs["train.fold0"].ended)
    refusal = refused(press, pressing.world.scheduler.state)
    assert refusal == Refusal("over", "fold 0 (1 of 3) ended Sat 21 Nov 2026 00:02 UTC: done")


def test_times_are_on_the_clock_of_the_place(pressing: Pressing) -> None:
    press = pressing.button("abort-run")
    pressing.world.until_settled()
    state = pressing.world.scheduler.state
    meant = understand(press, state, BY, ALLOW, "Asia/Tokyo")
    assert isinstance(meant, Refusal)
    assert meant.why == "over"
    assert meant.sentence.startswith("seedlings-1 ended Sat 21 Nov 2026 09:")


def test_what_is_being_stopped_already_is_said_to_be_with_who_asked(pressing: Pressing) -> None:
    run, fold = pressing.button("abort-run"), pressing.button("abort-fold", "train.fold0")
    pressing.world.stop(by="slack:U0BEN00001")
    pressing.world.scheduler.tick()
    state = pressing.world.scheduler.state
    asked = "is being stopped already, asked by slack:U0BEN00001 Sat 21 Nov 2026 00:0"
    assert refused(run, state).sentence.startswith(f"seedlings-1 {asked}")
    assert refused(fold, state).sentence.startswith(f"fold 0 (1 of 3) {asked}")


def test_what_is_only_parked_may_still_be_ended(pressing: Pressing) -> None:
    press = pressing.button("abort-run")
    pressing.world.stop(then="requeue", reason="parked")
    pressing.world.scheduler.tick()
    assert isinstance(understand(press, pressing.world.scheduler.state, BY, ALLOW), StopJobs)


def test_a_fold_that_the_run_does_not_have_is_refused(pressing: Pressing) -> None:
    refusal = refused(pressing.button("abort-fold", "train.fold9"), pressing.world.scheduler.state)
    assert refusal == Refusal("old", "seedlings-1 has no train.fold9")


def test_there_is_nothing_to_resume_where_nothing_is_stopped(pressing: Pressing) -> None:
    for target, name in (("", RUN), ("train.fold0", "fold 0 (1 of 3)"), ("train", "train")):
        refusal = refused(pressing.button("resume", target), pressing.world.scheduler.state)
        assert refusal.why == "nothing"
        assert refusal.sentence.startswith(f"nothing of {name} is stopped")


def test_an_answer_to_what_no_rule_has_asked_is_old(pressing: Pressing) -> None:
    press = pressing.button("let-run", "train.fold0", "curve")
    assert refused(press, pressing.world.scheduler.state).why == "old"
