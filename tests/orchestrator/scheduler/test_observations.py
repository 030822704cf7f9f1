"""What the allocation of an attempt is charged when its records contradict what was seen before."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.events.events import AllocationEnded, AttemptEnded
from orchestrator.executors.base import AttemptSight, Observation
from orchestrator.scheduler.observations import ends
from orchestrator.state.state import RunState
from skint.attempt import EXIT_STOPPED, Exit
from tests.orchestrator.worlds import World, graph, job, training

ID = "seedlings-1.train.1"


@pytest.fixture
def running(tmp_path: Path) -> RunState:
    """A run whose only attempt has been seen to run."""
    world = World(tmp_path, training)
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    return world.scheduler.state.runs["seedlings-1"]


def ended(run: RunState, seen: Observation, now_ms: int) -> tuple[AttemptEnded, AllocationEnded]:
    (allocation,) = run.allocations
    attempt, charge = ends(run, allocation, seen, now_ms)
    assert isinstance(attempt, AttemptEnded) and isinstance(charge, AllocationEnded)
    return attempt, charge


def start_of(run: RunState) -> tuple[int, int]:
    """When it was seen to start, and when its whole time is over."""
    (allocation,) = run.allocations.values()
    assert allocation.start_ms is not None
    return allocation.start_ms, allocation.start_ms + allocation.wall_ms


def stopped(started_ms: int, ended_ms: int) -> Observation:
    exit = Exit(EXIT_STOPPED, "stopped", started_ms, ended_ms)
    sights = {ID: AttemptSight("ended", started_ms, exit)}
    return Observation("ended", "", started_ms, ended_ms, sights)


def test_a_record_that_it_never_started_does_not_make_what_ran_free(running: RunState) -> None:
    start_ms, whole_ms = start_of(running)
    attempt, charge = ended(running, stopped(start_ms + 5_000, start_ms + 5_000), start_ms + 6_000)
    assert (attempt.started_ms, attempt.ended_ms) == (start_ms, start_ms + 5_000)
    assert (charge.start_ms, charge.end_ms) == (start_ms, start_ms + 5_000)
    assert charge.shares == {ID: 5_000} and not charge.estimated
    late_ms = whole_ms + 90_000  # long after it must have ended
    _, charge = ended(running, stopped(late_ms, late_ms), late_ms)
    assert (charge.start_ms, charge.end_ms, charge.estimated) == (start_ms, whole_ms, True)


def test_a_record_that_measures_is_charged_as_it_says(running: RunState) -> None:
    start_ms, _ = start_of(running)
    _, charge = ended(running, stopped(start_ms + 7, start_ms + 5_007), start_ms + 6_000)
    assert charge.end_ms - charge.start_ms == charge.shares[ID] == 5_000


def test_a_loss_is_charged_from_the_earlier_start(running: RunState) -> None:
    start_ms, _ = start_of(running)
    lost_ms = start_ms + 60_000
    sight = AttemptSight("lost", lost_ms - 10, lost_ms=lost_ms)
    seen = Observation("lost", "", sight.started_ms, lost_ms, {ID: sight})
    attempt, charge = ended(running, seen, lost_ms)
    assert attempt.started_ms == charge.start_ms == start_ms
    assert charge.end_ms == lost_ms


def test_what_ran_and_is_absent_is_lost_and_charged_in_full(running: RunState) -> None:
    start_ms, whole_ms = start_of(running)
    for seen in (
        Observation("absent"),
        Observation("absent", attempts={ID: AttemptSight("absent")}),
    ):
        attempt, charge = ended(running, seen, start_ms + 1_000)
        assert (attempt.outcome, attempt.ended_ms) == ("lost", None)
        assert (charge.start_ms, charge.end_ms, charge.estimated) == (start_ms, whole_ms, True)
