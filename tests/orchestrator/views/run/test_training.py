from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.state.attempt_state import AttemptState
from orchestrator.views.run.training import Eta, eta_of, lower_is_better, number, training_of

START_MS = 1_000_000


def attempt(*reports: Mapping[str, Any], every_s: float = 60, fence: int = 1) -> AttemptState:
    stamped = tuple(
        {**report, "at_ms": START_MS + round(n * every_s * 1000)}
        for n, report in enumerate(reports, 1)
    )
    return AttemptState(
        id=f"r.train.{fence}",
        job="train",
        fence=fence,
        key="k",
        folder="/runs/r/train",
        executor="local",
        cpus=1,
        mem_mb=0,
        started_ms=START_MS,
        reports=stamped,
    )


def epoch(n: int, of: int = 4, **metrics: Any) -> dict[str, Any]:
    return {"epoch": n, "epochs": of, **metrics}


@pytest.mark.parametrize(
    ("reports", "metric"),
    [
        ([epoch(1, val_acc=0.5, val_loss=1.0)], "val_acc"),
        ([epoch(1, train_loss=0.5, val_loss=1.0)], "val_loss"),
        ([epoch(1, iou=0.5, dice=1.0)], "iou"),
        ([epoch(1, val_acc=0.5, f1=0.4), {"metric": "f1", "score": 0.4, "n": 9}], "f1"),
        ([{"batch": 8, "seconds": 1.5, "name": "b0"}], ""),
        ([], ""),
    ],
)
def test_the_metric_is_what_the_report_names_or_else_the_best_known_one(
    reports: list[Mapping[str, Any]], metric: str
) -> None:
    assert training_of([attempt(*reports)]).metric == metric


def test_the_plan_has_the_last_word_on_the_metric() -> None:
    said = training_of(
        [attempt(epoch(1, val_acc=0.5, f1=0.4), {"metric": "val_acc", "score": 0.5})], "f1"
    )
    assert (said.metric, said.values, said.score) == ("f1", (0.4,), None)


def test_the_score_comes_before_the_last_value() -> None:
    running = attempt(epoch(1, val_acc=0.5), epoch(2, val_acc=0.8), epoch(3, val_acc=0.7))
    assert training_of([running]).value == 0.7
    last = {"metric": "val_acc", "score": 0.8, "n": 100}
    ended = attempt(epoch(1, val_acc=0.8), epoch(2, val_acc=0.7), last)
    said = training_of([ended])
    assert (said.value, said.best, said.epoch, said.epochs) == (0.8, 0.8, 2, 4)


def test_the_best_loss_is_the_lowest_and_never_nan() -> None:
    said = training_of(
        [attempt(epoch(1, val_loss=1.0), epoch(2, val_loss=0.5), epoch(3, val_loss="nan"))]
    )
    assert said.best == 0.5
    assert said.value is not None and math.isnan(said.value)


def test_a_resumed_attempt_goes_on_and_one_from_the_start_starts_anew() -> None:
    first = attempt(epoch(1, val_acc=0.1), epoch(2, val_acc=0.2), epoch(3, val_acc=0.3))
    resumed = attempt(epoch(3, val_acc=0.35), epoch(4, val_acc=0.4), fence=2)
    assert training_of([first, resumed]).points == ((1, 0.1), (2, 0.2), (3, 0.35), (4, 0.4))
    anew = attempt(epoch(1, val_acc=0.15), fence=2)
    assert training_of([first, anew]).points == ((1, 0.15),)
    silent = training_of([first, attempt(fence=2)])
    assert (silent.points, silent.epoch, silent.metric) == ((), None, "val_acc")


def test_reports_without_epochs_are_counted() -> None:
    assert training_of([attempt({"loss": 2.0}, {"loss": 1.0})]).points == ((1, 2.0), (2, 1.0))


def test_time_to_go_leaves_out_the_first_epoch() -> None:
    slow_start = attempt(epoch(1), epoch(2), epoch(3))
    reports = tuple(
        {**r, "at_ms": START_MS + at_s * 1000}
        for r, at_s in zip(slow_start.reports, (300, 360, 430), strict=True)
    )
    slow_start = AttemptState(**{**vars(slow_start), "reports": reports})
    # One epoch is left; 60 and 70 s were measured, and 300 s for the first one.
    found, later = (eta_of(slow_start, START_MS + ms) for ms in (430_000, 450_000))
    assert found is not None and later is not None
    assert found.likely_ms == 65_000 and later.likely_ms == 45_000
    assert 45_000 < found.low_ms < 60_000 and 70_000 < found.high_ms < 100_000
    assert later == Eta(found.low_ms - 20_000, 45_000, found.high_ms - 20_000)


def test_time_to_go_is_never_guessed() -> None:
    assert eta_of(attempt(), START_MS) is None
    assert eta_of(attempt(epoch(1)), START_MS + 60_000) is None
    assert eta_of(attempt({"epoch": 1}, {"epoch": 2}), START_MS + 120_000) is None


def test_time_to_go_does_not_fall_below_nothing() -> None:
    late = attempt(epoch(1), epoch(2), epoch(3), epoch(4))
    assert eta_of(late, START_MS + 10_000_000) == Eta(0, 0, 0)


@pytest.mark.parametrize(
    ("value", "read"),
    [(3, 3.0), (True, None), ("inf", math.inf), ("b0", None), ([1], None), (10**400, math.inf)],
)
def test_only_numbers_are_read_as_numbers(value: Any, read: float | None) -> None:
    assert number(value) == read


@pytest.mark.parametrize("strange", ["nan", -3, 10**400, 1e300, "two", None, True])
def test_epochs_that_cannot_be_are_ignored(strange: Any) -> None:
    said = attempt({"epoch": strange, "epochs": strange, "val_acc": 0.5})
    assert (training_of([said]).epoch, training_of([said]).epochs) == (None, None)
    assert training_of([said]).points == ((1, 0.5),)
    assert eta_of(said, START_MS + 60_000) is None


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("val_loss", True),
        ("val_acc", False),
        ("val_mae.size", True),
        ("val_calibration-error", True),
        ("val_acc.cherry", False),  # the name of the target is no metric
        ("perplexity", True),
    ],
)
def test_whether_less_is_better_is_read_off_the_metric(metric: str, lower: bool) -> None:
    assert lower_is_better(metric) is lower
