"""`target`: the wanted mean, with folds and curves judged by the baseline's."""

from __future__ import annotations

import pytest

from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.target import target
from tests.orchestrator.stop_rules.groups import done, finished, group, rising, running


def test_a_group_that_will_hardly_reach_it_is_stopped() -> None:
    view = group(done(0, 0.80), done(1, 0.81), left_s=7200.0)
    verdict = target(view, {"wanted": 0.95})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "target")
    assert verdict.sentence == (
        "after 2 of 5 folds: on course for 80.4%, wanted is 95.0%; "
        "0.02% chance to reach it (limit 2.0%); stopping saves 2.0 h"
    )


def test_a_group_on_course_goes_on_though_the_baseline_is_better() -> None:
    assert target(group(done(0, 0.80), done(1, 0.81)), {"wanted": 0.79}) == GO_ON


def test_inside_the_first_fold_it_is_projected_too() -> None:
    view = group(running(0, rising(0.5)[:6]))
    assert target(view, {"wanted": 0.9}).sentence.startswith("fold 0 at 60%: on course for")
    assert target(view, {"wanted": 0.9, "from": 0.7}) == GO_ON


def test_a_wanted_loss_is_reached_downwards() -> None:
    loss = {"is_share": False, "larger_is_better": False}
    baseline = finished("good", (0.41, 0.40, 0.42, 0.41, 0.40))
    view = group(done(0, 0.50), done(1, 0.49), baseline=baseline, **loss)
    assert target(view, {"wanted": 0.3}).action == "stop"
    assert target(view, {"wanted": 0.6}) == GO_ON


def test_it_has_to_be_said_what_is_wanted() -> None:
    with pytest.raises(ValueError, match="`wanted` is a number, not None"):
        target(group(done(0, 0.8)), {})


def test_percent_wanted_of_a_share_is_a_warning_and_stops_nothing() -> None:
    verdict = target(group(done(0, 0.80), done(1, 0.81)), {"wanted": 90})
    assert (verdict.action, verdict.reason) == ("warn", "target-no-share")
    assert verdict.sentence == "target cannot be judged: val_acc lies between 0 and 1, not at 90"
