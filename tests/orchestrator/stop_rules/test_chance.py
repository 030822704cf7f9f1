"""`chance`: no better than the largest class, after a share of the first fold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.chance import chance
from tests.orchestrator.stop_rules.groups import done, finished, group, rising, running


def test_a_fold_at_the_level_of_the_largest_class_stops_the_group() -> None:
    verdict = chance(group(running(0, (0.19, 0.21, 0.2)), left_s=7200.0), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "chance")
    assert verdict.sentence == (
        "fold 0 at 30%: the best score is 21.0%; the largest class alone gives 20.0%, and up to "
        "24.0% may be luck over 400 pictures; stopping saves 2.0 h"
    )


def test_a_fold_that_is_above_it_goes_on() -> None:
    assert chance(group(running(0, (0.19, 0.25, 0.2))), {}) == GO_ON
    assert chance(group(running(0, (0.19, 0.25, 0.2))), {"margin": 3}).action == "stop"


def test_it_waits_for_a_share_of_the_fold_and_for_two_epochs() -> None:
    assert chance(group(running(0, (0.2, 0.2))), {}) == GO_ON
    assert chance(group(running(0, (0.2, 0.2))), {"from": 0.2}).action == "stop"
    assert chance(group(running(0, (0.2,), epochs=2)), {}) == GO_ON


@pytest.mark.parametrize(
    "more",
    [
        {"largest_class": None},
        {"items": None},
        {"is_share": False},
        {"baseline": finished("no better", (0.2, 0.21, 0.2, 0.2, 0.2))},
    ],
)
def test_without_a_level_to_compare_with_nothing_is_said(more: dict[str, object]) -> None:
    assert chance(group(running(0, (0.2,) * 5), **more), {}) == GO_ON


def test_later_folds_are_left_to_other_rules() -> None:
    assert chance(group(done(0, 0.8), running(1, (0.2,) * 5)), {}) == GO_ON


def test_warm_up_and_cycles_are_waited_for() -> None:
    view = running(0, (0.2,) * 5)
    assert chance(group(replace(view, warmup_epochs=5.0)), {}) == GO_ON
    assert chance(group(replace(view, cycle_ends=(4, 10))), {}) == GO_ON
    assert chance(group(replace(view, cycle_ends=(5, 10))), {}).action == "stop"


def test_an_error_rate_is_turned_round() -> None:
    wrong = {"larger_is_better": False}
    baseline = finished("good", (0.16, 0.15, 0.17, 0.14, 0.16))
    stuck = group(running(0, (0.8, 0.79, 0.81)), baseline=baseline, **wrong)
    verdict = chance(stuck, {})
    assert verdict.action == "stop"
    assert "the best score is 79.0%; the largest class alone gives 80.0%" in verdict.sentence
    learning = group(running(0, rising(0.2, start=0.7)[:5]), baseline=baseline, **wrong)
    assert chance(learning, {}) == GO_ON
