"""What folds have said of their validation, and what a metric's name says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.baselines.facts import Facts, facts_of, together
from orchestrator.baselines.metric import metric_of
from tests.orchestrator.baselines.trained import run_of


def facts(*reports: dict[str, Any], metric: str | None = None) -> Facts:
    (attempt,) = run_of({0: 0.5}).attempts.values()
    return facts_of([replace(attempt, reports=reports)], metric)


def test_what_a_training_says_with_its_first_epoch_holds_for_all() -> None:
    said = {"metric": "val_dice", "larger_is_better": True, "items": 90, "largest_class": 0.25}
    found = facts({**said, "classes": "roof, road", "epoch": 1}, {"epoch": 2, "val_dice": 0.5})

    assert found == Facts("val_dice", True, 90, 0.25, "roof, road")


def test_of_a_program_that_says_little_it_is_what_the_last_report_and_the_plan_say() -> None:
    told = ({"epoch": 1, "dice": 0.5, "larger_is_better": True}, {"n": 40})

    assert facts(*told) == Facts("dice", True, 40)
    named = facts(*told, metric="val_loss")
    assert (named.metric, named.larger_is_better) == ("val_loss", None)


@pytest.mark.parametrize("items", ["many", 0, -3, "nan", "inf", True])
def test_what_cannot_be_a_number_of_pictures_is_none(items: Any) -> None:
    assert facts({"items": items}).items is None


def test_folds_together_have_the_smallest_number_of_pictures_and_the_mean_of_the_shares() -> None:
    folds = [Facts("val_acc", None, 90, 0.25), Facts("", None, 80, 0.5), Facts()]

    assert together(folds) == Facts("val_acc", None, 80, 0.375)
    assert together([]) == Facts()


@pytest.mark.parametrize(
    ("name", "larger", "share"),
    [
        ("val_acc", True, True),
        ("val_acc.cherry", True, True),
        ("val/accuracy", True, True),
        ("val_top5", True, True),
        ("val_f1", True, False),
        ("balanced_acc", True, False),
        ("val_loss", False, False),
        ("rmse", False, False),
        ("val_calibration-error", False, False),
    ],
)
def test_a_name_tells_which_way_is_better_and_whether_it_counts_pictures(
    name: str, larger: bool, share: bool
) -> None:
    metric = metric_of(name)

    assert (metric.larger_is_better, metric.is_share) == (larger, share)
    assert metric.better(0.9, 0.1) == larger


def test_which_way_is_better_may_be_said() -> None:
    assert metric_of("lossless", True).larger_is_better
    assert not metric_of("lossless").larger_is_better
