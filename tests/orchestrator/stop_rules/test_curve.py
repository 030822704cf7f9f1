"""`curve`: below every good run at the same fold and epoch of the same schedule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.stop_rules.base import GO_ON, GroupView
from orchestrator.stop_rules.curve import curve
from tests.orchestrator.stop_rules.groups import done, finished, group, rising, running

HISTORY = tuple(finished(f"h{n}", (0.84, 0.85, 0.83, 0.86, 0.84)) for n in range(3))


def low(**more: object) -> GroupView:
    fields: dict[str, object] = {"history": HISTORY}
    return group(running(0, rising(0.50)[:5]), **(fields | more))


def test_a_curve_below_all_good_ones_stops_the_group() -> None:
    verdict = curve(low(), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "curve")
    start = f"fold 0 at 50%: the best score is {rising(0.50)[4]:.1%}; the lowest of 4 good runs on"
    assert verdict.sentence.startswith(start)
    assert f"had {rising(0.84)[4]:.1%} there" in verdict.sentence


def test_a_curve_within_the_margin_goes_on() -> None:
    near = group(running(0, rising(0.82)[:5]), history=HISTORY)
    assert curve(near, {}) == GO_ON
    assert curve(near, {"margin": 0}).action == "stop"


def test_it_takes_three_good_curves() -> None:
    assert curve(low(history=HISTORY[:2]), {}).action == "stop"
    assert curve(low(history=HISTORY[:1]), {}) == GO_ON
    assert curve(low(history=HISTORY[:1]), {"least": 2}).action == "stop"


def test_runs_that_ended_badly_are_no_measure() -> None:
    bad = [finished(f"bad{n}", (0.6, 0.6, 0.6, 0.6, 0.6)) for n in range(3)]
    assert curve(low(history=bad), {}) == GO_ON


@pytest.mark.parametrize("other", [{"schedule": "constant"}, {"epochs": 12}, {"schedule": ""}])
def test_another_schedule_is_no_measure(other: dict[str, object]) -> None:
    view = low()
    assert curve(replace(view, now=replace(view.now, **other)), {}) == GO_ON  # type: ignore[arg-type]


def test_it_waits_for_a_third_of_the_fold() -> None:
    view = group(running(0, (0.0,) * 3), history=HISTORY)
    assert curve(view, {}) == GO_ON
    assert curve(view, {"from": 0.3}).action == "stop"


def test_later_folds_are_left_to_other_rules() -> None:
    assert curve(group(done(0, 0.8), running(1, (0.0,) * 5), history=HISTORY), {}) == GO_ON


def test_a_loss_is_compared_downwards() -> None:
    loss = {"is_share": False, "larger_is_better": False}
    history = [
        finished(f"h{n}", (0.4, 0.41 + n / 100, 0.42, 0.4, 0.41), scores=rising(0.4, start=2.0))
        for n in range(3)
    ]
    baseline = finished("good", (0.4, 0.41, 0.42, 0.4, 0.41), scores=rising(0.4, start=2.0))
    high = running(0, rising(1.5, start=2.0)[:5])
    view = group(high, history=history, baseline=baseline, **loss)
    assert curve(view, {}).action == "stop"
    good = running(0, rising(0.4, start=2.0)[:5])
    assert curve(group(good, history=history, baseline=baseline, **loss), {}) == GO_ON
