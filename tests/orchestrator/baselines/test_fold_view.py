"""One fold of the state as stop rules see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.baselines.fold_view import fold_view, has_gap
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import FoldView
from tests.orchestrator.baselines.trained import START_MS, run_of

ATTEMPT = "seedlings-1.train.fold0.1"


def view(run: RunState, *others: RunState, now_ms: int = START_MS) -> FoldView:
    return fold_view(run, run.graph.job("train.fold0"), {r.name: r for r in others}, now_ms)


def trained(*told: dict[str, Any], **changes: Any) -> RunState:
    """A run whose fold 0 has reported this and still runs."""
    run = run_of({0: 0.8})
    attempt = replace(
        run.attempts[ATTEMPT],
        reports=tuple({"at_ms": START_MS, **one} for one in told),
        **{"status": "running", "outcome": None, **changes},
    )
    job = replace(run.jobs["train.fold0"], status="running", result_of="", out="")
    return with_record(with_record(run, "attempts", attempt), "jobs", job)


def test_a_finished_fold_has_its_curve_its_score_and_its_file_of_pictures() -> None:
    found = view(run_of((0.8, 0.8, 0.8), said={"schedule": "sgdr 1+2", "cycle_ends": "1 3"}))

    assert (found.ended, found.done, found.best) == (True, True, 0.8)
    assert (list(found.scores), found.epochs) == ([0.1, 0.8], 2)
    assert (found.schedule, tuple(found.cycle_ends)) == ("sgdr 1+2", (1, 3))
    assert found.agreement == f"/{ATTEMPT}/out/correct.json"
    assert found.quiet_s == 0


def test_a_fold_that_runs_has_the_best_of_its_epochs_and_how_long_it_has_been_silent() -> None:
    scores = (0.5, 0.7, 0.6)
    told = [{"epoch": n, "epochs": 9, "val_acc": score} for n, score in enumerate(scores, 1)]

    found = view(trained(*told, started_ms=START_MS - 5000), now_ms=START_MS + 30_000)

    assert (found.ended, found.done, found.agreement) == (False, False, "")
    assert (found.best, found.quiet_s) == (0.7, 30.0)


def test_a_fold_that_has_said_nothing_has_been_silent_since_it_started() -> None:
    assert view(trained(), now_ms=START_MS + 7000).quiet_s == 7.0
    marked = trained(marks=((START_MS + 6000, 3.0),))
    assert view(marked, now_ms=START_MS + 7000).quiet_s == 1.0


def test_a_fold_that_went_on_has_the_curve_of_both_attempts_and_the_reports_of_the_second() -> None:
    run = trained({"epoch": 1, "val_acc": 0.5, "warmup_epochs": 2}, {"epoch": 2, "val_acc": 0.6})
    first = run.attempts[ATTEMPT]
    again = replace(
        first,
        id="seedlings-1.train.fold0.2",
        reports=(
            {"epoch": 2, "val_acc": 0.65, "at_ms": 1},
            {"epoch": 3, "val_acc": 0.7, "at_ms": 2},
        ),
    )
    run = with_record(run, "attempts", again)
    job = replace(run.jobs["train.fold0"], attempts=(ATTEMPT, again.id))

    found = view(with_record(run, "jobs", job))

    assert list(found.scores) == [0.5, 0.65, 0.7]
    assert [report["epoch"] for report in found.reports] == [2, 3]
    assert found.warmup_epochs == 2
    assert not found.gap


def test_a_reused_fold_has_what_the_run_reported_that_made_it() -> None:
    made = run_of((0.8, 0.8, 0.8))
    reused = run_of((), run="seedlings-2", reused={"train.fold0": ATTEMPT})

    found = view(reused, made)

    assert (found.done, found.best, list(found.scores)) == (True, 0.8, [0.1, 0.8])
    assert view(reused).best is None, "the run that made it is not known any more"


@pytest.mark.parametrize(
    ("epochs", "gap"),
    [
        ([], False),
        ([1, 2, 3], False),
        ([3, 6, 9, 10], False),
        ([1, 2, 5, 6], True),
        ([6, 7, 8], True),
        ([6, 7], True),
        ([6], True),
        ([0, 1], False),
    ],
)
def test_a_gap_is_told_from_a_metric_that_is_measured_seldom(
    epochs: list[float], gap: bool
) -> None:
    assert has_gap(epochs) == gap


def test_words_in_the_place_of_numbers_are_left_aside() -> None:
    told = {"epoch": 1, "val_acc": "good", "cycle_ends": "1 two", "warmup_epochs": "x"}

    found = view(trained(told))

    assert (list(found.scores), found.best, found.warmup_epochs) == ([], None, 0.0)
    assert tuple(found.cycle_ends) == (1,)
