"""What a step is told of the ledger before it decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.commands import AnswerVerdict, Request, ResumeJobs, RetryJobs
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.scheduler.balances import lineage, wanted_accounts
from orchestrator.scheduler.step import step
from tests.orchestrator.worlds import HOUR_MS, World, graph, job, kfold, training


def test_a_step_decides_from_what_it_was_told_and_reads_no_ledger(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.submit(graph(job("train", devices=1, limit_s=600)))
    inputs, _ = world.scheduler._look()
    world.ledger.close()
    first, again = (step(world.scheduler.state, inputs, world.clock.now_ms()) for _ in range(2))
    assert any(isinstance(event, e.AllocationPlanned) for event in first.events)
    assert (first, first.wake_ms) == (again, again.wake_ms)


def test_nothing_is_read_while_no_device_is_free_and_all_have_said_why_they_wait(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, lambda task: Script(3000), week_ms=10 * HOUR_MS)
    world.submit(graph(*(job(f"j{n}", devices=1, limit_s=3600) for n in range(2))))
    inputs, _ = world.scheduler._look()
    assert set(inputs.balances) == {"lab"}
    world.until(lambda state: bool(world.engine.starts))
    world.scheduler.tick()
    inputs, _ = world.scheduler._look()
    assert (inputs.balances, inputs.sessions) == ({}, {})
    world.clock.advance(3001)
    inputs, _ = world.scheduler._look()  # what it sees has ended: the device is free in a moment
    assert set(inputs.balances) == {"lab"}
    assert wanted_accounts(world.scheduler.state, inputs) == {"lab"}
    assert list(lineage(inputs.accounts, "nobody")) == []


@pytest.mark.parametrize(
    "request_of",
    [
        lambda run: AnswerVerdict(run=run, rule="", target="", answer="let-run"),
        lambda run: ResumeJobs(run=run, scope="run", target=run),
        lambda run: RetryJobs(run=run, scope="run", target=run),
    ],
)
def test_what_is_left_is_told_to_a_step_in_which_jobs_may_wait_again(
    tmp_path: Path, request_of: Callable[[str], Request]
) -> None:
    """Nothing of the run waits before the command is obeyed, and all that waits must say why."""
    world = World(tmp_path, training)
    world.settle(kfold())
    world.store.ask(request_of("seedlings-1"), world.clock.now_ms())
    inputs, _ = world.scheduler._look()
    assert set(inputs.balances) == {"lab"}
