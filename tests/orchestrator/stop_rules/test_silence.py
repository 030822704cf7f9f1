"""Where no rule but `broken` may speak; and what better scores must never bring about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import GO_ON, Finished, FoldView, GroupView
from tests.orchestrator.stop_rules.groups import (
    BASELINE,
    done,
    finished,
    group,
    running,
    waiting,
)

OTHERS = sorted(RULES.keys() - {"broken"})
OPTIONS: dict[str, dict[str, Any]] = {"target": {"wanted": 0.99}}
HISTORY = tuple(finished(f"h{n}", (0.83, 0.85, 0.84, 0.85, 0.83)) for n in range(4))
FEW = {"left_s": 9e4, "left_of_fold_s": 9e4, "free_s": 60.0, "usual_s": 1e4, "history": HISTORY}


def hopeless(name: str, **more: Any) -> GroupView:
    """A group that the rule would stop at once."""
    if name == "plateau":
        scores = (0.2, *(0.1,) * 12)
        return group(running(0, scores, epochs=20), **(FEW | more))
    return group(running(0, (0.1,) * 6), **(FEW | more))


def says(name: str, view: GroupView) -> str:
    return RULES[name](view, OPTIONS.get(name, {})).action


def _holed(view: GroupView) -> GroupView:
    now = replace(view.now, gap=True)
    return replace(view, now=now, folds=(now, *view.folds[1:]))


def _other_folds(view: GroupView) -> GroupView:
    return replace(view, folds=(*view.folds[:4], replace(waiting(4), fold=7)))


def _unscored(baseline: Finished) -> Finished:
    return replace(baseline, folds=(replace(baseline.folds[0], best=None), *baseline.folds[1:]))


SPARED: dict[str, Callable[[GroupView], GroupView]] = {
    "a first run": lambda view: replace(view, baseline=None),
    "a run that explores": lambda view: replace(view, explore=True),
    "a curve with a hole": _holed,
    "a baseline with fewer folds": lambda view: replace(
        view, baseline=replace(BASELINE, folds=BASELINE.folds[:4])
    ),
    "other folds than the baseline's": _other_folds,
    "a baseline without all scores": lambda view: replace(view, baseline=_unscored(BASELINE)),
    "jobs that are no folds": lambda view: replace(
        view,
        folds=[replace(fold, fold=None) for fold in view.folds],
        now=replace(view.now, fold=None),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_example_would_be_stopped(name: str) -> None:
    assert says(name, hopeless(name)) in ("stop", "park")


@pytest.mark.parametrize("why", SPARED)
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_said_of(name: str, why: str) -> None:
    assert says(name, SPARED[why](hopeless(name))) == "go-on"


@pytest.mark.parametrize("name", sorted(set(OTHERS) - {"quota"}))
def test_scores_that_are_no_numbers_are_left_to_broken(name: str) -> None:
    view = hopeless(name)
    now = replace(view.now, scores=(*view.now.scores[:-1], float("nan")))
    assert says(name, replace(view, now=now, folds=(now, *view.folds[1:]))) == "go-on"


@pytest.mark.parametrize("name", OTHERS)
def test_a_group_that_is_through_is_left_alone(name: str) -> None:
    view = group(*(done(n, 0.1) for n in range(5)), **(FEW | {"left_s": 0.0}))
    assert says(name, view) == "go-on"


shares = st.floats(0, 1)
curves = st.lists(shares, min_size=1, max_size=9)
five = st.lists(shares, min_size=5, max_size=5)
many = st.lists(five, max_size=4)


def _view(best: list[float], runs: list[list[float]], curve: list[float], folds: int) -> GroupView:
    views: list[FoldView] = [done(n, score) for n, score in enumerate(best[:folds])]
    if not folds:
        views = [running(0, tuple(curve))]
    history = [finished(f"h{n}", scores) for n, scores in enumerate(runs)]
    return group(*views, history=history, left_s=100.0, usual_s=100.0)


@given(five, five, many, curves, st.integers(0, 4))
def test_without_a_baseline_nothing_is_ever_stopped(
    best: list[float], base: list[float], runs: list[list[float]], curve: list[float], folds: int
) -> None:
    view = _view(best, runs, curve, folds)
    for name in OTHERS:
        bare = replace(view, baseline=None)
        assert RULES[name](bare, OPTIONS.get(name, {})) == GO_ON
        explored = replace(view, baseline=finished("base", base), explore=True)
        assert RULES[name](explored, OPTIONS.get(name, {})) == GO_ON


@given(five, many, curves, st.floats(0, 0.3))
@pytest.mark.parametrize("name", ["beats-baseline", "curve", "chance", "target"])
def test_inside_the_first_fold_a_better_curve_is_judged_no_worse(
    name: str, base: list[float], runs: list[list[float]], curve: list[float], more: float
) -> None:
    view = replace(_view([], runs, curve, 0), baseline=finished("base", base))
    better = replace(
        _view([], runs, [min(1.0, score + more) for score in curve], 0),
        baseline=view.baseline,
    )
    if says(name, view) == "go-on":
        assert says(name, better) == "go-on"


@given(shares, five, many, st.floats(0, 0.5))
@pytest.mark.parametrize("name", ["beats-baseline", "target"])
def test_a_better_first_fold_is_judged_no_worse(
    name: str, best: float, base: list[float], runs: list[list[float]], more: float
) -> None:
    baseline = finished("base", base)
    view = replace(_view([best], runs, [], 1), baseline=baseline)
    better = replace(_view([min(1.0, best + more)], runs, [], 1), baseline=baseline)
    if says(name, view) == "go-on":
        assert says(name, better) == "go-on"


@given(five, five, many, st.floats(0, 0.5), st.integers(1, 4))
def test_folds_that_are_all_better_by_as_much_are_judged_no_worse(
    best: list[float], base: list[float], runs: list[list[float]], more: float, folds: int
) -> None:
    """One fold alone may be too good: the more the folds differ, the less is sure either way."""
    low = [score / 2 for score in best]
    baseline = finished("base", base)
    view = replace(_view(low, runs, [], folds), baseline=baseline)
    better = replace(_view([score + more for score in low], runs, [], folds), baseline=baseline)
    if says("beats-baseline", view) == "go-on":
        assert says("beats-baseline", better) == "go-on"


@given(st.lists(st.floats(0, 0.99), min_size=5, max_size=5), st.integers(1, 4))
def test_a_run_that_repeats_the_baseline_is_not_stopped(base: list[float], folds: int) -> None:
    view = replace(_view(base, [], [], folds), baseline=finished("base", base))
    assert says("beats-baseline", view) == "go-on"
