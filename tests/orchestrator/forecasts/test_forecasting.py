"""What is forecast of a job, from its own epochs, its run's other folds and other runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.forecasts.forecast import Forecast
from orchestrator.forecasts.forecasting import forecast_job, forecast_planned, forecast_queue
from orchestrator.forecasts.history import History
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import RunState
from tests.orchestrator.pasts import (
    DONE_MS,
    GPU,
    LAPTOP,
    NAMES,
    START_MS,
    attempt_of,
    done_fold,
    folds_graph,
    reports,
    run_of,
    state_of,
)
from tests.orchestrator.worlds import FOLD_MS, World, kfold, training

T4 = ("local", "Tesla T4")


def forecast(
    run: RunState, job: str = "train.fold1", now_ms: int = START_MS, *others: RunState
) -> Forecast:
    state = state_of(*others, run)
    return forecast_job(state, run, run.graph.job(job), now_ms, History(NAMES))


def kept(job: str, device: str = GPU, **more: object) -> AllocationState:
    allocation = AllocationState(
        id="allocation-1",
        account="lab",
        executor="local",
        devices=(device,),
        wall_ms=3_630_000,
        amount_ms=3_630_000,
        attempts=(f"seedlings-1.{job}.1",),
        status="running",
        start_ms=START_MS,
    )
    return replace(allocation, **more)  # type: ignore[arg-type]


def test_what_has_ended_takes_no_more_time() -> None:
    run = run_of(folds_graph(), [done_fold()])
    assert forecast(run, "train.fold0").high_ms == 0


def test_a_job_is_forecast_from_its_own_epochs_as_soon_as_there_are_two() -> None:
    """Edge 52: the first of them left out."""
    told = reports(300_000, 60_000, 3)
    run = run_of(folds_graph(), [attempt_of("train.fold1", told)], over=False)
    found = forecast(run, now_ms=START_MS + 420_000 + 15_000)
    assert found.likely_ms == 7 * 60_000 - 15_000
    assert found.basis == "3 epochs of its own"


def test_own_epochs_beat_the_history_which_still_knows_the_tail() -> None:
    """Edge 33: what comes after the last epoch is measured."""
    told = reports(300_000, 90_000, 2)
    run = run_of(folds_graph(), [done_fold(), attempt_of("train.fold1", told)], over=False)
    found = forecast(run, now_ms=START_MS + 390_000)
    assert found.source == "own-epochs"
    assert found.likely_ms == 8 * 90_000 + 20_000


def test_before_its_first_epoch_a_job_takes_what_the_fold_before_took() -> None:
    run = run_of(folds_graph(), [done_fold(), attempt_of("train.fold1")], over=False)
    found = forecast(run, now_ms=START_MS + 100_000)
    assert found.likely_ms == DONE_MS - 100_000
    assert found.source == "history"
    assert found.basis == "1 run of resnet18 at 224 px, batch 32, 16-mixed on Tesla T4"


def test_a_waiting_fold_is_forecast_from_a_fold_that_still_trains() -> None:
    running = attempt_of("train.fold0", reports(160_000, 60_000, 4))
    allocations = [kept("train.fold0")]
    run = run_of(folds_graph(), [running], allocations=allocations, over=False)
    assert forecast(run).likely_ms == DONE_MS - 20_000  # its tail is not known yet


def test_the_folds_of_its_own_run_count_before_those_of_other_runs() -> None:
    graph = folds_graph()
    other = run_of(graph, [done_fold(each_ms=200_000, run="b", start_ms=START_MS + 9)], name="b")
    run = run_of(graph, [done_fold()], allocations=[kept("train.fold0")], over=False)
    assert forecast(run, "train.fold1", START_MS, other).likely_ms == DONE_MS
    fresh = run_of(graph, [attempt_of("train.fold0", run="c")], name="c", over=False)
    assert forecast(fresh, "train.fold0", START_MS, other).likely_ms == 2_120_000


def test_more_epochs_than_before_are_priced_from_the_epochs_that_were_measured() -> None:
    other = run_of(folds_graph(), [done_fold(run="b")], name="b")
    run = run_of(folds_graph(epochs=30), [attempt_of("train.fold1")], over=False)
    assert forecast(run, "train.fold1", START_MS, other).likely_ms == DONE_MS + 20 * 60_000


def test_a_running_job_of_more_epochs_than_those_before_it_is_expected_to_have_them_all() -> None:
    """Ten of ten epochs were no early stop."""
    other = run_of(folds_graph(), [done_fold(run="b")], name="b")
    running = attempt_of("train.fold1", reports(60_000, 60_000, 12, epochs=30))
    run = run_of(folds_graph(epochs=30), [running], over=False)
    found = forecast(run, "train.fold1", START_MS + 12 * 60_000, other)
    assert found.likely_ms == 18 * 60_000 + 20_000


@pytest.mark.parametrize("device", [LAPTOP, "GPU-of-another-kind"])
def test_another_kind_of_device_is_unknown_and_the_limit_counts(device: str) -> None:
    """Edge 52: a laptop's history is none for an accelerator."""
    other = run_of(folds_graph(), [done_fold(run="b", device=device)], name="b")
    run = run_of(folds_graph(), [attempt_of("train.fold1")], over=False)
    found = forecast(run, "train.fold1", START_MS, other)
    assert found.source == "unknown"
    assert found.likely_ms == found.high_ms == 3_630_000
    assert found.basis == "unknown: reserving limit 1.01 h"


def test_a_job_without_a_device_yet_is_expected_on_what_its_account_gave_last() -> None:
    graph = folds_graph()
    laptop, gpu = (done_fold(run=n, device=d) for n, d in (("a", LAPTOP), ("b", GPU)))
    first = run_of(graph, [laptop], name="a", allocations=[kept("train.fold0", LAPTOP)])
    later = kept("train.fold0", start_ms=START_MS + 1)
    second = run_of(graph, [gpu], name="b", allocations=[later])
    fresh = run_of(graph, name="c", over=False)
    assert "Tesla T4" in forecast(fresh, "train.fold1", START_MS, first, second).basis
    assert "simulated" in forecast(fresh, "train.fold1", START_MS, first).basis
    assert forecast(fresh).source == "unknown"


def test_a_parked_job_goes_on_where_it_was_and_starts_once_more() -> None:
    parked = attempt_of(
        "train.fold1", reports(160_000, 60_000, 4), wall_ms=350_000, outcome="stopped"
    )
    waiting = run_of(folds_graph(), [parked], allocations=[kept("train.fold1")], over=False)
    found = forecast(waiting)
    assert found.basis == "4 epochs of its own"
    assert found.likely_ms == 6 * 60_000 + 100_000
    resumed = attempt_of("train.fold1", fence=2, start_ms=START_MS + 900_000)
    run = run_of(folds_graph(), [parked, resumed], over=False)
    assert forecast(run, now_ms=START_MS + 920_000).likely_ms == 6 * 60_000 + 100_000


def test_a_job_that_starts_from_the_beginning_again_has_all_its_epochs_before_it() -> None:
    graph = folds_graph()
    jobs = tuple(replace(job, resumes=False, at_edge="hard-stop") for job in graph.jobs)
    failed = attempt_of(
        "train.fold1", reports(160_000, 60_000, 4), wall_ms=350_000, outcome="stopped"
    )
    again = attempt_of("train.fold1", fence=2, start_ms=START_MS + 900_000)
    run = run_of(replace(graph, jobs=jobs), [done_fold(), failed, again], over=False)
    assert forecast(run, now_ms=START_MS + 900_000).likely_ms == DONE_MS


@pytest.mark.parametrize(
    ("checkpoint", "likely_ms"), [(None, DONE_MS), ((4, 400), 100_000 + 6 * 60_000 + 20_000)]
)
def test_what_a_retried_job_has_before_it_goes_by_whether_it_left_a_checkpoint(
    checkpoint: tuple[int, int] | None, likely_ms: int
) -> None:
    told = reports(160_000, 60_000, 4)
    failed = attempt_of("train.fold1", told, wall_ms=350_000, outcome="failed")
    again = attempt_of("train.fold1", fence=2, start_ms=START_MS + 900_000)
    tried = [done_fold(), replace(failed, checkpoint=checkpoint), again]
    run = run_of(folds_graph(), tried, over=False)
    assert forecast(run, now_ms=START_MS + 900_000).likely_ms == likely_ms


def test_where_earlier_folds_stopped_early_the_plan_s_epochs_are_the_worst_case() -> None:
    """Edge 54: likely and worst are both shown."""
    early = attempt_of("train.fold0", reports(60_000, 60_000, 5), wall_ms=300_000)
    running = attempt_of("train.fold1", reports(60_000, 60_000, 2))
    run = run_of(folds_graph(), [early, running], over=False)
    found = forecast(run, now_ms=START_MS + 120_000)
    assert found.likely_ms == 3 * 60_000
    assert found.high_ms > 8 * 60_000
    waiting = forecast(
        run_of(folds_graph(), [early], allocations=[kept("train.fold0")], over=False)
    )
    assert waiting.likely_ms == 300_000 and waiting.high_ms >= 600_000


def test_silence_after_the_forecast_end_is_no_crash_and_no_negative_time() -> None:
    """Edge 53: the job should have been over an hour ago."""
    run = run_of(folds_graph(), [done_fold(), attempt_of("train.fold1")], over=False)
    assert forecast(run, now_ms=START_MS + DONE_MS + 3_600_000).likely_ms == 0
    told = reports(60_000, 60_000, 9)
    late = run_of(folds_graph(), [attempt_of("train.fold1", told)], over=False)
    found = forecast(late, now_ms=START_MS + 540_000 + 3_600_000)
    assert found.low_ms == found.likely_ms == 0 and found.high_ms > 3_500_000


def test_a_planned_job_is_forecast_on_the_devices_it_would_get() -> None:
    graph = folds_graph(epochs=5)
    history = History(NAMES).update(state_of(run_of(folds_graph(), [done_fold()])))
    job = graph.job("train.fold2")
    assert forecast_planned(graph, job, history, T4).likely_ms == DONE_MS - 5 * 60_000
    assert forecast_planned(graph, job, history, ("local", "A100")).source == "unknown"
    assert forecast_planned(graph, job, history, None).source == "unknown"


def test_the_queue_counts_what_runs_and_what_waits() -> None:
    running = attempt_of("train.fold0", reports(160_000, 60_000, 4))
    run = run_of(folds_graph(), [running], allocations=[kept("train.fold0")], over=False)
    now_ms = START_MS + 340_000
    lab = preset("lab-server", "lab")
    queue = forecast_queue(state_of(run), lab, now_ms, History(NAMES))
    fold_ms = DONE_MS - 20_000
    assert queue.jobs == 3
    assert queue.waiting_ms == 2 * fold_ms
    assert queue.likely_ms == queue.wall_ms == 2 * fold_ms + 6 * 60_000
    assert queue.held_ms == 3_630_000 - 340_000
    assert queue.low_ms < queue.likely_ms < queue.high_ms
    assert forecast_queue(state_of(run), preset("simulated", "x"), now_ms).jobs == 0


def test_a_scheduler_s_own_state_forecasts_the_next_run(tmp_path: Path) -> None:
    world = World(tmp_path, script_of=training)
    world.settle(kfold())
    state = world.scheduler.state
    fresh = run_of(kfold(), name="fresh", over=False)
    state = replace(state, runs={**state.runs, "fresh": fresh})
    found = forecast_job(state, fresh, fresh.graph.job("train.fold2"), world.clock.now_ms())
    assert found.source == "history"
    assert abs(found.likely_ms - FOLD_MS) < 10_000  # what it was charged, polls included


def test_the_reservation_admits_and_not_the_forecast(tmp_path: Path) -> None:
    """Edge 55: the forecast says that it fits, what it has to reserve does not."""
    world = World(tmp_path, training, week_ms=kfold().job("train.fold0").wall_limit_ms + FOLD_MS)
    world.submit(kfold())
    state = world.until(
        lambda state: (
            "seedlings-1" in state.runs
            and state.runs["seedlings-1"].jobs["train.fold2"].reason == "over-budget"
        )
    )
    run, now_ms = state.runs["seedlings-1"], world.clock.now_ms()
    fold = run.graph.job("train.fold2")
    free_ms = world.ledger.balance("lab", now_ms).free_ms
    forecast = forecast_job(state, run, fold, now_ms)
    assert forecast.source == "history" and forecast.high_ms <= free_ms < fold.wall_limit_ms
    assert run.jobs["train.fold2"].status == "waiting"
