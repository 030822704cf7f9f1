"""What jobs have reported, epoch by epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.metrics import Course, courses_of, metrics_in, trained
from tests.orchestrator.pasts import START_MS, attempt_of, folds_graph, run_of


def told(*values: float | str, first: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [
        {"epoch": n, "epochs": 4, "val_acc": value, "at_ms": START_MS + n, **more}
        for n, value in enumerate(values, first)
    ]


def last(score: float) -> dict[str, Any]:
    return {"metric": "val_acc", "score": score, "n": 53, "at_ms": START_MS + 99}


def one(*attempts: AttemptState) -> Course:
    run = run_of(folds_graph(folds=1), attempts)
    (course,) = courses_of(run, {run.name: run})
    return course


def values(course: Course, metric: str = "val_acc") -> list[float | None]:
    return [point.values.get(metric) for point in course.points]


def test_every_metric_of_each_epoch_is_there_and_the_best_epoch_is_known() -> None:
    course = one(attempt_of("train.fold0", [*told(0.5, 0.9, 0.8, lr=0.1), last(0.9)], wall_ms=9))
    assert (course.title, course.fold, course.names) == ("fold 0 (1 of 1)", 0, ("val_acc", "lr"))
    assert values(course) == [0.5, 0.9, 0.8] and values(course, "lr") == [0.1] * 3
    assert course.best is not None and course.best.epoch == 2
    assert course.score == 0.9, "the report without an epoch is no epoch"


def test_what_was_done_again_after_a_checkpoint_takes_the_place_of_the_first_time() -> None:
    before = attempt_of("train.fold0", told(0.1, 0.2, 0.3), wall_ms=9, outcome="stopped")
    after = attempt_of("train.fold0", told(0.25, 0.4, first=2), fence=2, wall_ms=9)
    assert values(one(before, after)) == [0.1, 0.25, 0.4]


def test_an_epoch_told_in_two_reports_is_one_row_and_words_are_no_metrics() -> None:
    reports = [
        {"epoch": 1, "val_acc": 0.5, "schedule": "one-cycle", "at_ms": START_MS},
        {"epoch": 1, "val_loss": "nan", "seconds": 3, "parameters": 9, "at_ms": START_MS + 5},
    ]
    (point,) = one(attempt_of("train.fold0", reports)).points
    assert point.at_ms == START_MS
    assert point.values["val_acc"] == 0.5 and point.values["val_loss"] != point.values["val_loss"]
    assert len(point.values) == 2
    assert metrics_in({"flag": True, "epoch": 2, "huge": 10**400}) == {"huge": float("inf")}


def test_what_is_not_finite_is_in_the_table_and_not_in_the_curve() -> None:
    course = one(attempt_of("train.fold0", told(0.5, "nan", "inf", 0.4)))
    assert course.curve("val_acc") == [(1.0, 0.5), (4.0, 0.4)]
    assert course.best is not None and course.best.epoch == 1 and len(course.points) == 4


def test_a_program_that_counts_no_epochs_has_its_reports_numbered() -> None:
    reports = [{"rmse": value, "at_ms": START_MS} for value in (3.0, 1.0, 2.0)]
    course = one(attempt_of("train.fold0", reports))
    assert [point.epoch for point in course.points] == [1, 2, 3]
    assert course.best is not None and course.best.epoch == 2, "less of an error is better"


def test_a_reused_fold_has_what_was_reported_where_it_was_trained() -> None:
    made = run_of(folds_graph(folds=1), [attempt_of("train.fold0", told(0.5, 0.7), wall_ms=9)])
    again = run_of(folds_graph(folds=1), name="seedlings-2")
    state = replace(
        again.jobs["train.fold0"], status="reused", result_of="seedlings-1.train.fold0.1"
    )
    again = replace(again, jobs={**again.jobs, "train.fold0": state})
    runs: dict[str, RunState] = {made.name: made, again.name: again}
    (course,) = courses_of(again, runs)
    assert values(course) == [0.5, 0.7] and course.reused_from == "seedlings-1"
    assert courses_of(again, {again.name: again}) == [], "the run is not known any more"


def test_numbers_of_cpu_jobs_and_rehearsals_are_no_trainings() -> None:
    graph = folds_graph(folds=1)
    smoke = replace(graph.job("train.fold0"), id="train.smoke", smoke=True, devices=0)
    graph = replace(graph, jobs=(*graph.jobs, smoke))
    attempts = [
        attempt_of("packed", [{"pictures": 160, "at_ms": START_MS}], device="", wall_ms=9),
        attempt_of("train.smoke", told(0.2), device="", wall_ms=9),
        attempt_of("train.fold0", told(0.5), wall_ms=9),
    ]
    run = run_of(graph, attempts)
    found = courses_of(run, {})
    assert [course.job for course in found] == ["packed", "train.fold0"]
    assert [course.job for course in trained(found)] == ["train.fold0"]


def test_one_metric_alone_is_what_a_course_is_judged_by() -> None:
    course = one(attempt_of("train.fold0", [*told(0.5, 0.7, val_loss=2.0), last(0.7)], wall_ms=9))
    alone = course.only("val_loss")
    assert (alone.metric, alone.names, alone.score) == ("val_loss", ("val_loss",), None)
    assert course.only("val_acc").score == 0.7
