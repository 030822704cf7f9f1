"""`broken` needs no other run: losses that are no numbers, that explode, and silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.state.losses import Losses
from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.broken import broken
from tests.orchestrator.stop_rules.groups import group, running


def reports(*losses: object) -> tuple[dict[str, object], ...]:
    return tuple({"epoch": n, "train_loss": loss} for n, loss in enumerate(losses, 1))


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_stops_a_first_run(word: str) -> None:
    view = running(0, (), reports=({"epoch": 3, "val_loss": word},))
    verdict = broken(group(view, baseline=None), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "broken")
    assert verdict.sentence == f"val_loss became {word} in epoch 3 of train.fold0"


def test_a_word_that_is_reported_as_a_loss_is_no_fault() -> None:
    view = running(0, (), reports=({"loss": "cross-entropy"},))
    assert broken(group(view), {}) == GO_ON


def test_a_loss_far_above_its_start_for_two_epochs_has_diverged() -> None:
    verdict = broken(group(running(0, (), reports=reports(2.3, 2.0, 7.5, 40.0))), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "diverged")
    assert verdict.sentence == (
        "the training loss of train.fold0 was 2.3 in its first epoch and is 40 now: "
        "more than 3 times that for 2 epochs"
    )


@pytest.mark.parametrize(
    "losses",
    [
        (2.3, 2.0, 40.0),  # one epoch only
        (2.3, 40.0, 6.0, 40.0),  # it came down between
        (2.3, 6.8, 6.8),  # high, but not that high
        (-2.0, 40.0, 41.0),  # times what? such losses have no start to be compared with
        (7.0,),
    ],
)
def test_a_loss_that_may_come_back_is_left_alone(losses: tuple[float, ...]) -> None:
    assert broken(group(running(0, (), reports=reports(*losses))), {}) == GO_ON


def test_several_reports_of_one_epoch_count_once() -> None:
    said = ({"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 9.0}, {"epoch": 2, "loss": 9.0})
    assert broken(group(running(0, (), reports=said)), {}) == GO_ON
    without = tuple({"loss": report["loss"]} for report in said)
    assert broken(group(running(0, (), reports=without)), {}).reason == "diverged"


def test_the_plan_may_ask_for_another_rise_and_other_epochs() -> None:
    view = running(0, (), reports=reports(1.0, 2.5))
    assert broken(group(view), {"rise": 2, "epochs": 1}).reason == "diverged"
    assert broken(group(view), {"rise": 3, "epochs": 1}) == GO_ON


def test_a_fold_that_says_nothing_is_stopped_alone() -> None:
    verdict = broken(group(running(0, (), quiet_s=5400.0), baseline=None), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "attempt", "stalled")
    assert verdict.sentence == "train.fold0 has said nothing for 1.5 h (limit 1.0 h)"
    assert broken(group(running(0, (), quiet_s=5400.0)), {"quiet_min": 120}) == GO_ON


def test_a_fold_that_has_ended_may_be_silent() -> None:
    assert broken(group(running(0, (), quiet_s=5400.0, ended=True)), {}) == GO_ON


def test_a_loss_of_hundreds_of_digits_is_taken_for_an_infinite_one() -> None:
    said = reports(10.0, -(10**400), 10**400, 10**400)
    verdict = broken(group(running(0, (), reports=said)), {})
    assert (verdict.reason, "is inf now" in verdict.sentence) == ("diverged", True)


def test_reports_that_were_added_up_one_by_one_mean_the_same() -> None:
    said: tuple[dict[str, float | str], ...] = (
        {"epoch": 1, "loss": 1.0},
        {"note": "x"},
        {"loss": 9.0},
        {"epoch": 1, "loss": 2.0},
    )
    said += tuple({"epoch": n, "loss": 9.0} for n in range(2, 400))
    added_up = Losses()
    for number, report in enumerate(said, 1):
        added_up = added_up.after([report])
        assert added_up == Losses().after(said[:number])
        view = running(0, (), reports=said[:number])
        known = replace(view, reports=(), added_up=added_up)
        assert broken(group(known), {}) == broken(group(view), {})
    assert (added_up.first, len(added_up.by_epoch)) == (2.0, 400)


def test_the_first_loss_that_was_no_number_is_told() -> None:
    said = ({"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": "inf"}, {"epoch": 3, "loss": "nan"})
    added_up = Losses().after(said[:2]).after(said[2:])
    verdict = broken(group(running(0, (), reports=said, added_up=added_up)), {})
    assert verdict.sentence == "loss became inf in epoch 2 of train.fold0"
