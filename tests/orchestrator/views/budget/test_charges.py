from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import (
    attempt_in_flight_ms,
    freed_ms,
    in_flight_ms,
    is_simulated,
)
from tests.orchestrator.words.samples import folds
from tests.orchestrator.worlds import World, kfold

MINUTE_MS = 60_000
START_MS = 1_000_000

TWO_DEVICES = AllocationState(
    "r.allocation-1",
    "lab",
    "local",
    devices=("GPU-1", "GPU-2"),
    wall_ms=10 * MINUTE_MS,
    amount_ms=20 * MINUTE_MS,
    attempts=("r.train.fold0.1", "r.train.fold1.1"),
    status="running",
    start_ms=START_MS,
)


def cancelled_in_fold_1(path: Path) -> tuple[World, RunState]:
    world = World(path, folds(*[[0.5, 0.7]] * 3))
    world.submit(kfold())
    world.until(
        lambda state: (
            "seedlings-1" in state.runs
            and "seedlings-1.train.fold1.1" in state.runs["seedlings-1"].attempts
        )
    )
    world.stop()
    return world, world.until_settled().runs["seedlings-1"]


def test_two_devices_use_two_minutes_a_minute() -> None:
    assert in_flight_ms(TWO_DEVICES, START_MS + MINUTE_MS) == 2 * MINUTE_MS


def test_what_runs_uses_no_more_than_was_reserved_and_what_ended_late_uses_more() -> None:
    late_ms = START_MS + 11 * MINUTE_MS
    assert in_flight_ms(TWO_DEVICES, late_ms) == 20 * MINUTE_MS
    ended = replace(TWO_DEVICES, status="ended", end_ms=late_ms)
    assert in_flight_ms(ended, late_ms + MINUTE_MS) == 22 * MINUTE_MS


def test_nothing_is_in_flight_before_the_start_and_after_the_settlement() -> None:
    now_ms = START_MS + MINUTE_MS
    assert in_flight_ms(replace(TWO_DEVICES, status="reserved", start_ms=None), now_ms) == 0
    assert in_flight_ms(replace(TWO_DEVICES, status="settled", charged_ms=9), now_ms) == 0


def test_attempts_of_one_allocation_share_it_by_their_time(tmp_path: Path) -> None:
    _, run = cancelled_in_fold_1(tmp_path)
    done = run.attempts["seedlings-1.train.fold0.1"]
    first = replace(done, allocation="both", started_ms=START_MS, ended_ms=START_MS + MINUTE_MS)
    second = replace(first, id="second", started_ms=START_MS + MINUTE_MS, ended_ms=None)
    both = replace(TWO_DEVICES, id="both", attempts=(first.id, second.id))
    run = replace(run, allocations={"both": both})
    now_ms = START_MS + 4 * MINUTE_MS
    assert attempt_in_flight_ms(run, first, now_ms) == 2 * MINUTE_MS
    assert attempt_in_flight_ms(run, second, now_ms) == 6 * MINUTE_MS
    assert in_flight_ms(both, now_ms) == 8 * MINUTE_MS


def test_a_stop_frees_the_rest_of_a_reserve_and_the_limits_of_what_never_started(
    tmp_path: Path,
) -> None:
    world, run = cancelled_in_fold_1(tmp_path)
    reserved_ms = list(run.allocations.values())[1].amount_ms
    charged_ms = list(run.allocations.values())[1].charged_ms
    limit_ms = 30 * MINUTE_MS
    jobs = {job.id: job for job in run.graph.jobs}
    now_ms = world.clock.now_ms()
    assert freed_ms(run, [jobs["train.fold1"]], now_ms) == reserved_ms - charged_ms
    assert freed_ms(run, [jobs["train.fold2"]], now_ms) == limit_ms
    assert freed_ms(run, jobs.values(), now_ms) == reserved_ms - charged_ms + limit_ms
    # What is done frees nothing, and the free lane never does.
    assert freed_ms(run, [jobs["train.fold0"], jobs["scan"], jobs["errors"]], now_ms) == 0


def test_simulated_devices_are_known_by_their_names(tmp_path: Path) -> None:
    _, run = cancelled_in_fold_1(tmp_path)
    assert is_simulated(run)
    assert not is_simulated(replace(run, allocations={TWO_DEVICES.id: TWO_DEVICES}))
