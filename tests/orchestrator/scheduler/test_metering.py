"""Figures of meters become few events, and a device that is kept for CPU work becomes an alert."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

from budget.meters.log import ALERT_IDLE_S, TOLD_EVERY_S, Metered
from orchestrator.events.events import AttemptMetered, KeptIdle
from orchestrator.state.state import State
from tests.orchestrator.words.samples import said, told
from tests.orchestrator.worlds import World, epochs, graph, job

RUN = "seedlings-1"
TRAIN = graph(job("train", devices=1, limit_s=7200))


def reading(busy: float, *, cpu_s: float | None = None) -> Callable[..., Mapping[str, Metered]]:
    """Meters that say of every attempt that runs that its device computes so much of the time."""

    def read_meters(state: State, now_ms: int) -> Mapping[str, Metered]:
        found = {}
        for _, attempt in state.live_attempts():
            ran_s = (now_ms - (attempt.started_ms or now_ms)) / 1000
            idle_s = ran_s if busy < 0.05 else 0.0
            found[attempt.id] = Metered(
                at_ms=now_ms,
                covered_s=ran_s,
                device_s=ran_s,
                busy_s=ran_s * busy,
                idle_s=idle_s if attempt.devices else None,
                cpu_s=cpu_s,
            )
        return found

    return read_meters


def world_of(tmp_path: Path, minutes: int) -> World:
    return World(tmp_path, lambda task: epochs([0.5] * minutes))


def test_the_figures_of_an_attempt_are_kept_at_its_end(tmp_path: Path) -> None:
    world = world_of(tmp_path, 3)
    world.scheduler.read_meters = reading(0.5)
    run = world.settle(TRAIN)
    (attempt,) = run.attempts.values()
    (kept,) = world.kept(AttemptMetered)
    metered = attempt.metered
    assert metered is not None and metered == Metered.from_json(kept.metered)
    assert metered.utilisation == 0.5
    assert metered.covered_s >= 180
    assert attempt.kept_idle == ""


def test_of_a_long_attempt_they_are_kept_now_and_then(tmp_path: Path) -> None:
    minutes = 60
    world = world_of(tmp_path, minutes)
    world.scheduler.read_meters = reading(0.5)
    world.settle(TRAIN)
    told_ms = [event.metered["at_ms"] for event in world.kept(AttemptMetered)]
    assert 8 <= len(told_ms) <= minutes * 60 / TOLD_EVERY_S + 1
    gaps = [(after - before) / 1000 for before, after in pairwise(told_ms)]
    assert all(gap >= TOLD_EVERY_S for gap in gaps[:-1])


def test_what_was_not_measured_is_not_kept(tmp_path: Path) -> None:
    world = world_of(tmp_path, 3)
    world.scheduler.read_meters = lambda state, now_ms: {
        attempt.id: Metered(at_ms=now_ms, cpu_s=1.0) for _, attempt in state.live_attempts()
    }
    run = world.settle(TRAIN)
    assert world.kept(AttemptMetered) == []
    assert [attempt.metered for attempt in run.attempts.values()] == [None]


def test_an_idle_device_is_told_once_with_its_figures(tmp_path: Path) -> None:
    """Edge 32: an idle session that is left open is charged, so somebody is told."""
    world = world_of(tmp_path, 30)
    world.scheduler.read_meters = reading(0.0, cpu_s=570.0)
    alerts = said(told(world, TRAIN, run=RUN), "alert")
    (idle,) = [text for text in alerts if "paying for CPU work" in text]
    assert idle.startswith("alert: train: it has kept simulated-0 for 5 min 00 s, 5 min 00 s")
    assert "(below 5%)" in idle and "(1.9 cores busy)" in idle
    assert "next: do what the device waits for in a job with `devices: 0`" in idle
    (event,) = world.kept(KeptIdle)
    state = world.store.state()
    (attempt,) = state.runs[RUN].attempts.values()
    assert attempt.kept_idle == event.sentence
    assert attempt.started_ms is not None
    assert event.at_ms - attempt.started_ms >= ALERT_IDLE_S * 1000


def test_a_busy_device_and_a_job_without_one_are_not_told(tmp_path: Path) -> None:
    """Edge 36: CPU work is an alert only where it holds a device."""
    world = world_of(tmp_path, 30)
    world.scheduler.read_meters = reading(0.0)
    world.settle(graph(job("scan")), "cpu-1")
    world.scheduler.read_meters = reading(0.5)
    world.settle(TRAIN, "busy-1")
    assert world.kept(KeptIdle) == []


def test_the_state_with_figures_is_the_same_from_its_snapshot_and_from_its_events(
    tmp_path: Path,
) -> None:
    world = world_of(tmp_path, 30)
    world.scheduler.read_meters = reading(0.0, cpu_s=1.5)
    run = world.settle(TRAIN)
    assert world.store.state().runs[RUN] == world.store.replayed().runs[RUN] == run


def test_a_restarted_scheduler_goes_on_with_what_was_kept(tmp_path: Path) -> None:
    world = world_of(tmp_path, 20)
    world.scheduler.read_meters = reading(0.5)
    world.submit(TRAIN)
    world.until(lambda state: bool(world.kept(AttemptMetered)))
    world.restart()
    world.scheduler.read_meters = lambda state, now_ms: {
        a.id: a.metered for _, a in state.live_attempts() if a.metered is not None
    }
    run = world.until_settled().runs[RUN]
    assert len(world.kept(AttemptMetered)) == 1
    (attempt,) = run.attempts.values()
    assert attempt.metered is not None
