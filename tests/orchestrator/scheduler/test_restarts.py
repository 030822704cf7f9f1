"""What a scheduler does about what it finds outside: things that never arrived, and strangers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.events.events import AttemptPlanned, AttemptUnreachable
from orchestrator.executors.base import Submission
from orchestrator.executors.simulated import Faults, Script
from skint.attempt import Task
from tests.orchestrator.worlds import FOLD_MS, World, graph, job, kfold, training

HOUR_S = 3600.0


def test_what_was_accepted_and_never_arrived_is_submitted_again_under_its_name(
    tmp_path: Path,
) -> None:
    """Edge 12: submitted, and nothing is known of it: its name was made before."""
    world = World(tmp_path, training)
    world.submit(graph(job("scan")))
    world.scheduler.tick()
    world.engine.submissions.clear()  # the engine lost its memory before it started anything
    world.engine.starts.clear()
    world.restart()
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert world.engine.starts == ["seedlings-1.scan.1"]


def test_what_was_seen_to_run_and_is_forgotten_is_lost_paid_in_full_and_not_submitted_again(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, training)
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    world.until(lambda state: any(a.reports for _, a in state.live_attempts()))
    world.engine.submissions.clear()  # a lie: it did take it
    world.engine.starts.clear()
    for _ in range(5):
        world.restart()
        world.scheduler.tick()
        world.clock.advance(60)
    assert world.engine.starts == []
    run = world.until_settled().runs["seedlings-1"]
    (attempt,), (allocation,) = run.attempts.values(), run.allocations.values()
    assert (attempt.status, attempt.outcome) == ("ended", "lost")
    assert attempt.started_ms == allocation.start_ms is not None
    assert allocation.estimated and allocation.charged_ms == allocation.amount_ms


def test_an_engine_that_does_not_answer_for_hours_is_waited_for(tmp_path: Path) -> None:
    """Edge 20: a hundred polls without an answer."""
    world = World(tmp_path, training, Faults(lost_poll_share=1.0))
    world.submit(kfold())
    for _ in range(100):
        world.scheduler.tick()
        world.clock.advance(HOUR_S / 10)
    assert world.engine.starts == ["seedlings-1.scan.1"]
    (unreachable,) = world.kept(AttemptUnreachable)  # it is said once, not every round
    assert unreachable.sentence.endswith("waiting, nothing is assumed")
    world.engine.faults = Faults()
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert len(world.kept(AttemptPlanned)) == len(run.jobs)


def test_what_runs_under_our_name_and_is_nobodys_is_ended(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=1e6))
    stray = Task(attempt="seedlings-9.train.1", fence=1, run="seedlings-9", job="train")
    folder = tmp_path / "runs" / "seedlings-9"
    world.engine.accept(Submission(stray.attempt, (stray,), (folder,), cpus=1, mem_mb=0))
    world.submit(graph(job("scan")))
    for _ in range(3):
        world.scheduler.tick()
        world.clock.advance(60)
    ends = {name: held.attempts[0].exit for name, held in world.engine.submissions.items()}
    assert ends["seedlings-9.train.1"].reason == "killed"
    assert ends["seedlings-1.scan.1"].reason == "done"  # in eleven days


def test_a_scheduler_with_nothing_new_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    last = world.store.last_event()
    for _ in range(5):
        world.restart()
        world.scheduler.tick()
        world.clock.advance(HOUR_S)
    assert world.store.last_event() == last


def test_what_an_engine_is_silent_about_for_weeks_is_not_forgotten(tmp_path: Path) -> None:
    """Edge 42: the hold stays until the end is known, and the end is charged as it was."""
    world = World(tmp_path, training)
    world.submit(kfold(folds=1))
    world.until(lambda state: any(a.devices for _, a in state.live_attempts()))
    world.engine.faults = replace(world.engine.faults, lost_poll_share=1.0)
    for _ in range(2):
        world.clock.advance(8 * 24 * 3600)
        world.scheduler.tick()
        world.restart()
    assert world.ledger.charges() == ()
    world.engine.faults = Faults()
    world.until_settled()
    assert sum(charge.amount_ms for charge in world.ledger.charges()) == FOLD_MS
