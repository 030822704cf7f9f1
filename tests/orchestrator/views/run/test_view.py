from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.graph import Graph, Job
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState
from orchestrator.views.run.view import RunView, run_view
from tests.orchestrator.pasts import (
    DONE_MS,
    START_MS,
    attempt_of,
    done_fold,
    folds_graph,
    reports,
    run_of,
)
from tests.orchestrator.words.samples import failing, folds
from tests.orchestrator.worlds import SATURDAY_MS, World, graph, job, kfold

RUN = "seedlings-1"
MINUTE_MS = 60_000


def view_when(world: World, condition: Callable[[RunState], bool], graph: Graph) -> RunView:
    """The view at the first moment at which `condition` holds."""
    if RUN not in world.scheduler.state.runs:
        world.submit(graph)
    state = world.until(lambda state: RUN in state.runs and condition(state.runs[RUN]))
    return run_view(state.runs[RUN], world.clock.now_ms(), state.runs)


def epoch_of(job: str, epoch: int) -> Callable[[RunState], bool]:
    def holds(run: RunState) -> bool:
        attempt = run.current(job)
        return attempt is not None and len(attempt.reports) >= epoch

    return holds


def settled(run: RunState) -> bool:
    return run.settled


def test_a_run_in_its_second_fold_shows_what_is_known_of_it(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7, 0.8], [0.6, 0.8, 0.9], [0.4, 0.6, 0.7]))
    view = view_when(world, epoch_of("train.fold1", 2), kfold())
    assert (view.status, view.sentence) == ("running", "fold 1 (2 of 3) · epoch 2/3")
    assert (view.folds_done, view.folds, view.metric) == (1, 3, "val_acc")
    assert (view.mean, view.spread) == (0.8, None)
    assert (view.charged_ms, view.in_flight_ms) == (210_000, 120_000)
    assert (view.account, view.simulated) == ("lab", True)

    done, now, waits = view.fold_rows
    assert (done.title, done.status, done.progress) == ("fold 0 (1 of 3)", "done", 1.0)
    assert (done.charged_ms, done.in_flight_ms, done.wall_ms) == (210_000, 0, 210_000)
    assert (now.status, now.epoch, now.epochs, now.progress) == ("running", 2, 3, 2 / 3)
    assert (now.metric, now.value, now.best, now.history) == ("val_acc", 0.8, 0.8, (0.6, 0.8))
    assert (now.charged_ms, now.in_flight_ms, now.wall_ms) == (0, 120_000, 120_000)
    assert (waits.status, waits.why) == (
        "waiting",
        "waits for 1 of 1 devices (seedlings-1.train.fold1)",
    )
    assert (waits.progress, waits.value, waits.wall_ms, waits.eta_ms) == (None, None, None, None)

    errors = view.row("errors")
    assert (errors.lane, errors.why) == ("cpu", "needs train.fold1, train.fold2")


def test_time_to_go_of_a_run_is_made_of_measured_epochs_and_folds(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7, 0.8], [0.6, 0.8, 0.9], [0.4, 0.6, 0.7]))
    # One epoch measures nothing: it warms up.
    assert view_when(world, epoch_of("train.fold0", 1), kfold()).eta is None
    # 1 minute of fold 0, and two folds of the 3 minutes that fold 0 is taken to last.
    in_fold_0 = view_when(world, epoch_of("train.fold0", 2), kfold())
    assert in_fold_0.row("train.fold0").eta_ms == MINUTE_MS
    assert in_fold_0.eta_ms == 7 * MINUTE_MS
    # 1 minute of fold 1; fold 2 is taken to last as long as fold 0 did or as fold 1 will.
    in_fold_1 = view_when(world, epoch_of("train.fold1", 2), kfold())
    eta = in_fold_1.eta
    assert eta is not None and eta.likely_ms == 255_000
    assert 200_000 < eta.low_ms < 255_000 < eta.high_ms < 310_000
    assert view_when(world, settled, kfold()).eta is None


def test_folds_that_run_at_once_share_the_time_to_go(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5, 0.7, 0.8]] * 4), devices=2)
    view = view_when(world, epoch_of("train.fold1", 2), kfold(folds=4))
    # Twice 1 minute to go and twice 3 minutes to come, on two devices.
    assert view.eta_ms == 4 * MINUTE_MS


@pytest.mark.parametrize(("checkpoint_ms", "kept_ms"), [(None, 0), (START_MS + 480_000, 480_000)])
def test_of_a_retried_fold_the_time_to_go_counts_what_it_does_again(
    checkpoint_ms: int | None, kept_ms: int
) -> None:
    """It had run longer than the other fold took."""
    told = reports(60_000, 60_000, 9)
    failed = attempt_of("train.fold1", told, wall_ms=2 * DONE_MS, outcome="failed")
    failed = replace(failed, checkpoint=(8, 80), checkpoint_ms=checkpoint_ms)
    again_ms = START_MS + 3 * DONE_MS
    again = attempt_of("train.fold1", fence=2, start_ms=again_ms)
    run = run_of(folds_graph(folds=2), [done_fold(), failed, again], over=False)
    assert run_view(run, again_ms + MINUTE_MS).eta_ms == DONE_MS - kept_ms - MINUTE_MS


def test_an_ended_run_has_the_mean_of_its_scores_and_their_sample_deviation(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, folds([0.9, 0.8], [0.8, 0.9], [0.8, 0.7]))
    view = view_when(world, settled, kfold())
    assert (view.status, view.sentence) == ("done", "7 done")
    assert [row.value for row in view.fold_rows] == [0.8, 0.9, 0.7]
    assert view.mean == pytest.approx(0.8)
    assert view.spread == pytest.approx(0.1)
    assert view.charged_ms == world.ledger.balance("lab", world.clock.now_ms()).settled_ms
    assert sum(row.charged_ms for row in view.rows) == view.charged_ms


def test_a_score_that_is_no_number_is_not_left_out_of_the_mean(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.9], [float("nan")]))
    # Not a loss: no rule stops it.
    view = view_when(world, settled, kfold(folds=2))
    assert view.folds_done == 2
    assert view.mean is not None
    assert math.isnan(view.mean)
    assert view.spread is None


def test_reused_results_show_the_scores_they_had_and_what_they_save(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.8], [0.6, 0.9], [0.4, 0.7]))
    first = view_when(world, settled, kfold())
    world.submit(kfold(), run="again")
    state = world.until_settled("again")
    again = run_view(state.runs["again"], world.clock.now_ms(), state.runs)
    assert (again.mean, again.spread) == (first.mean, first.spread)
    assert {row.status for row in again.rows} == {"reused"}
    assert again.row("train.fold0").why == "the same as train.fold0 of seedlings-1"
    assert (again.charged_ms, again.saved_ms) == (0, first.charged_ms)


def test_a_cancelled_run_is_stopping_and_then_says_who_did_it(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5, 0.7, 0.8]] * 3))
    view_when(world, epoch_of("train.fold0", 2), kfold())
    world.stop()
    view = view_when(world, lambda run: bool(run.stops), kfold())
    assert (view.status, view.sentence, view.eta) == ("stopping", "cancelled by cli", None)
    assert view.row("train.fold0").status == "stopping"
    view = view_when(world, settled, kfold())
    assert (view.status, view.sentence) == (
        "cancelled",
        "cancelled by cli · 3 done, 4 stopped",
    )
    assert [row.status for row in view.fold_rows] == ["stopped"] * 3
    assert view.row("train.fold0").why == "cancelled by cli"


def test_a_parked_job_is_called_so(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5, 0.7, 0.8]] * 3))
    view_when(world, epoch_of("train.fold0", 1), kfold())
    world.stop()
    run = view_state(world, lambda run: bool(run.stops))
    parked = replace(run, stops=(replace(run.stops[0], then="requeue"),))
    assert run_view(parked, SATURDAY_MS).row("train.fold0").status == "parking"


def view_state(world: World, condition: Callable[[RunState], bool]) -> RunState:
    return world.until(lambda state: condition(state.runs[RUN])).runs[RUN]


def test_a_failed_run_says_what_failed_and_why_the_rest_was_left_out(tmp_path: Path) -> None:
    world = World(tmp_path, failing(1, {"what": "no space left on device", "where": "train.py:14"}))
    view = view_when(world, settled, kfold())
    assert view.status == "failed"
    assert view.sentence == (
        "fold 1 (2 of 3): train.py:14: no space left on device · 4 done, 1 failed, 2 skipped"
    )
    assert view.row("train.fold2").why == "train.fold1 failed, and this would run the same code"
    assert view.row("errors").why == "needs train.fold1, which failed"
    assert view.row("train.fold1").log.endswith("/runs/seedlings-1/train.fold1/1/log.txt")


def test_a_limit_that_was_over_is_named(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.6, 0.7]))
    view = view_when(world, settled, kfold(folds=1, limit_s=150))
    row = view.row("train.fold0")
    assert (row.status, row.why) == ("stopped", "its limit of 2 min 30 s was over")


def test_a_run_that_waits_for_its_account_says_until_when(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5, 0.6]] * 3), week_ms=35 * MINUTE_MS)
    view = view_when(world, lambda run: run.jobs["train.fold2"].reason == "over-budget", kfold())
    assert view.status == "waiting"
    assert view.sentence.startswith("fold 2 (3 of 3): lab has 0.50 h left of 0.58 h")
    assert view.row("train.fold2").until_ms == SATURDAY_MS + 7 * 24 * 60 * MINUTE_MS
    assert view.eta is None


def test_jobs_have_titles_that_a_person_would_use() -> None:
    fold = replace(kfold().job("train.fold0"), matrix={"lr": 0.1}, needs=())
    smoke = Job("train.smoke", "train.smoke", smoke=True)
    valid = replace(kfold().job("train.fold1"), group="valid", needs=())
    run = RunState("r", Graph("r", None, "/", (kfold().job("scan"), smoke, fold)), 0)
    assert titles(run) == ["scan", "smoke test of train", "lr=0.1 fold 0 (1 of 3)"]
    run = replace(run, graph=Graph("r", None, "/", (fold, valid)))
    assert titles(run) == ["train lr=0.1 fold 0 (1 of 3)", "valid fold 1 (2 of 3)"]


def titles(run: RunState) -> list[str]:
    run = replace(run, jobs={job.id: JobState(job.id) for job in run.graph.jobs})
    return [row.title for row in run_view(run, 0).rows]


def test_without_folds_all_jobs_on_accelerators_are_counted(tmp_path: Path) -> None:
    world = World(tmp_path)
    each = {"devices": 1, "limit_s": 600}
    plan = graph(job("read"), job("fit", "read", **each), job("tune", "fit", **each))
    view = view_when(world, lambda run: run.jobs["fit"].ended, plan)
    assert (view.folds_done, view.folds, view.unit) == (1, 2, "jobs")
