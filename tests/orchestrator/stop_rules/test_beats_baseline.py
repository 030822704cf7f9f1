"""`beats-baseline`: at the end of a fold, inside the first one, and by arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.beats_baseline import beats_baseline
from tests.orchestrator.stop_rules.groups import (
    BASELINE,
    done,
    finished,
    group,
    rising,
    running,
    waiting,
)


def test_a_first_fold_that_is_far_below_the_same_fold_stops_the_group() -> None:
    verdict = beats_baseline(group(done(0, 0.60), left_s=14_760.0), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "group", "beats-baseline")
    assert verdict.sentence == (
        "after 1 of 5 folds: on course for 60.4%, the baseline has 84.4%; "
        "0.16% chance to beat it (limit 5.0%); stopping saves 4.1 h"
    )


@pytest.mark.parametrize("best", [0.82, 0.84, 0.90])
def test_a_first_fold_that_is_near_or_above_goes_on(best: float) -> None:
    assert beats_baseline(group(done(0, best)), {}) == GO_ON


def test_a_difficult_fold_is_no_fault_of_the_run() -> None:
    """Of two runs with the same score after one fold, the one on the difficult fold goes on."""
    uneven = finished("uneven", (0.70, 0.90, 0.90, 0.90, 0.90))
    history = [finished(f"h{n}", (0.65, 0.85, 0.85, 0.85, 0.85)) for n in range(5)]
    others = {"baseline": uneven, "history": history}
    assert beats_baseline(group(done(0, 0.70), **others), {}) == GO_ON
    easy = group(waiting(0), done(1, 0.70), **others)
    assert beats_baseline(easy, {}).action == "stop"


def test_inside_the_first_fold_the_gain_of_the_same_schedule_is_added() -> None:
    low = rising(0.50)[:5]
    verdict = beats_baseline(group(running(0, low), left_s=600.0), {})
    assert (verdict.action, verdict.reason) == ("stop", "beats-baseline")
    gain = 0.84 - rising(0.84)[4]
    assert verdict.sentence.startswith(
        f"fold 0 at 50%: on course for {low[-1] + gain + 0.004:.1%}, the baseline has 84.4%;"
    )
    assert verdict.sentence.endswith("(limit 2.0%); stopping saves 10.0 min")


def test_inside_the_first_fold_a_curve_like_the_baselines_goes_on() -> None:
    assert beats_baseline(group(running(0, rising(0.84)[:5])), {}) == GO_ON


def test_the_beginning_of_the_first_fold_is_not_looked_at() -> None:
    view = group(running(0, (0.0,)))
    assert beats_baseline(view, {}) == GO_ON
    assert beats_baseline(view, {"from": 0.1, "below_inside": 0.2}).action == "stop"


def test_inside_a_later_fold_nothing_is_said() -> None:
    """What its curve says of its end is little beyond what the folds before say."""
    assert beats_baseline(group(done(0, 0.83), running(1, (0.0,) * 9)), {}) == GO_ON


@pytest.mark.parametrize(
    "other",
    [
        {"schedule": "constant"},
        {"epochs": 11},
        {"schedule": ""},
        {"warmup_epochs": 1.0},
        {"cycle_ends": (5, 10)},
    ],
)
def test_inside_the_first_fold_another_schedule_is_no_measure(other: dict[str, object]) -> None:
    view = running(0, rising(0.50)[:5])
    assert beats_baseline(group(view), {}).action == "stop"
    assert beats_baseline(group(replace(view, **other)), {}) == GO_ON  # type: ignore[arg-type]


def test_two_other_runs_on_its_schedule_serve_where_the_baseline_is_on_another() -> None:
    baseline = finished("good", [fold.best or 0 for fold in BASELINE.folds], schedule="constant")
    view = group(running(0, rising(0.50)[:5]), baseline=baseline)
    others = [finished(f"h{n}", (0.80, 0.81, 0.79, 0.82, 0.80)) for n in range(2)]
    assert beats_baseline(replace(view, history=others[:1]), {}) == GO_ON
    assert beats_baseline(replace(view, history=others), {}).action == "stop"


def test_a_rate_that_still_climbs_is_waited_for() -> None:
    warm = {"warmup_epochs": 5.0}
    baseline = finished("good", [fold.best or 0 for fold in BASELINE.folds], **warm)
    assert beats_baseline(group(running(0, (0.0,) * 5, **warm), baseline=baseline), {}) == GO_ON
    later = group(running(0, (0.0,) * 6, **warm), baseline=baseline)
    assert beats_baseline(later, {}).action == "stop"


def test_cycles_are_compared_where_they_end() -> None:
    cycles = {"cycle_ends": (2, 6, 10)}
    baseline = finished("good", [fold.best or 0 for fold in BASELINE.folds], **cycles)
    for epochs in range(1, 10):
        view = group(running(0, (0.1,) * epochs, **cycles), baseline=baseline)
        verdict = beats_baseline(view, {"from": 0.1, "below_inside": 0.5})
        assert verdict.action == ("stop" if epochs in (2, 6) else "go-on"), epochs


def test_what_cannot_win_any_more_is_stopped_however_the_chance_is() -> None:
    perfect = finished("perfect", (1.0,) * 5)
    verdict = beats_baseline(group(done(0, 0.99), baseline=perfect, items=4), {})
    assert (verdict.action, verdict.reason) == ("stop", "cannot-win")
    assert verdict.sentence == (
        "after 1 of 5 folds: even perfect scores in the others would not beat "
        "100.0% of the baseline"
    )


def test_a_loss_has_no_bound_and_waits_for_two_folds_or_two_other_runs() -> None:
    loss = {"is_share": False, "larger_is_better": False, "metric": "val_loss"}
    baseline = finished("good", (0.41, 0.40, 0.42, 0.41, 0.40))
    high = [done(0, 0.91), done(1, 0.90), done(2, 0.92)]
    assert beats_baseline(group(*high[:1], baseline=baseline, **loss), {}) == GO_ON
    verdict = beats_baseline(group(*high[:2], baseline=baseline, **loss), {})
    assert verdict.action == "stop"
    assert "on course for 0.908, the baseline has 0.408" in verdict.sentence
    history = [finished(f"h{n}", (0.51, 0.50, 0.52, 0.51, 0.505)) for n in range(2)]
    early = group(*high[:1], baseline=baseline, history=history, **loss)
    assert beats_baseline(early, {}).action == "stop"
    low = group(done(0, 0.31), done(1, 0.30), baseline=baseline, **loss)
    assert beats_baseline(low, {}) == GO_ON


def test_where_much_is_at_stake_the_limit_grows_and_is_said() -> None:
    near = group(done(0, 0.785), left_s=3600.0, usual_s=3600.0)
    assert beats_baseline(near, {"below": 0.03}) == GO_ON
    dear = replace(near, left_s=200 * 3600.0)
    verdict = beats_baseline(dear, {"below": 0.03})
    assert verdict.action == "stop"
    assert "(limit 15.8%)" in verdict.sentence
    assert beats_baseline(replace(dear, usual_s=None), {"below": 0.03}) == GO_ON
    endless = beats_baseline(replace(dear, left_s=1e9), {"below": 0.03})
    assert "(limit 20.0%)" in endless.sentence


def test_pictures_that_both_get_right_narrow_the_spread() -> None:
    """Twelve points below over 100 pictures may be luck if the runs err on different ones."""
    apart = done(0, 0.72, wins=12, losses=24)
    alike = done(0, 0.72, wins=0, losses=12)
    assert beats_baseline(group(apart, items=100), {}) == GO_ON
    assert beats_baseline(group(alike, items=100), {}).action == "stop"
    assert beats_baseline(group(done(0, 0.72), items=100), {}) == GO_ON


def test_a_win_may_be_asked_to_be_worth_something() -> None:
    view = group(done(0, 0.85), done(1, 0.86), done(2, 0.84), items=10_000)
    assert beats_baseline(view, {}) == GO_ON
    assert beats_baseline(view, {"by": 0.05}).action == "stop"


def test_folds_may_end_in_any_order() -> None:
    straight = group(done(0, 0.60), done(1, 0.61))
    folds = (straight.folds[1], straight.folds[0], *straight.folds[2:])
    assert beats_baseline(replace(straight, folds=folds), {}) == beats_baseline(straight, {})
