"""Drawn weeks of jobs that are cut and go on, with a scheduler that dies between any two rounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from budget.accounts.account import Account, Session
from budget.accounts.limit import Limit
from budget.windows import Calendar, FirstUse, Rolling, WindowRule
from orchestrator.events import events as e
from orchestrator.executors.simulated import Faults
from orchestrator.graph import Job
from tests.orchestrator.scheduler.courses import Course, parkable
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, graph

WINDOWS: tuple[WindowRule, ...] = (
    Calendar("day"),
    Calendar("week"),
    Rolling(24 * HOUR_MS),
    FirstUse(20 * HOUR_MS),
)


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_cut_comes_to_its_end_and_nothing_is_done_twice(
    seed: int, tmp_path: Path
) -> None:
    """Edges 37 and 44, drawn."""
    draw = random.Random(seed)
    course = Course(epochs=draw.randint(4, 20), epoch_s=600)
    faults = Faults(lost_poll_share=draw.choice([0.0, 0.2]))
    world = course.world = World(tmp_path, course, faults, seed=seed, devices=draw.randint(1, 2))
    amount_ms = draw.randint(90, 400) * 60_000
    session = Session(max_ms=draw.choice([None, HOUR_MS, 2 * HOUR_MS]))
    limit = Limit(amount_ms, draw.choice(WINDOWS), "only")
    account = Account("lab", "simulated", "simulated", (limit,), session=session)
    world.ledger.change_account(account, SATURDAY_MS)
    policy = draw.choice(["park", "finish-epoch"])
    jobs: list[Job] = [
        parkable(f"train{n}", limit_s=6 * 3600, at_edge=policy, priority=draw.randint(0, 1))
        for n in range(draw.randint(1, 3))
    ]
    jobs.append(parkable("fixed", limit_s=3600, resumes=False, at_edge="hard-stop"))
    small = session.max_ms is not None and session.max_ms <= HOUR_MS
    world.submit(graph(*(jobs[:-1] if small else jobs)), park=True)
    for _ in range(draw.randint(0, 6)):
        world.scheduler.tick()
        world.clock.advance(draw.randint(1, 4000))
        world.restart()
    run = world.until_settled().runs["seedlings-1"]
    for job in run.jobs.values():
        attempts = [run.attempts[name] for name in job.attempts]
        assert all(not attempt.live for attempt in attempts)
        if job.id == "fixed":
            continue
        # Nobody's work is thrown away: each goes on from the one before it.
        assert [a.previous for a in attempts] == [None, *(a.out for a in attempts[:-1])]
        assert job.status == "done", (job, attempts)
        worked_ms = sum((a.ended_ms or 0) - (a.started_ms or 0) for a in attempts)
        assert worked_ms == course.epochs * 600_000 + 1000 * (len(attempts) - 1)
    for allocation in run.allocations.values():
        assert allocation.charged_ms <= allocation.amount_ms
        assert session.max_ms is None or allocation.wall_ms <= session.max_ms
    charged = sum(a.charged_ms for a in run.allocations.values())
    assert charged == sum(charge.amount_ms for charge in world.ledger.charges())
    assert len(world.engine.starts) == len(set(world.engine.starts))
    assert world.store.state() == world.store.replayed()
    # Each that was cut is parked once.
    parked = [x.job for x in world.kept(e.JobWaited) if x.reason == "parked"]
    cut = [a.job for a in run.attempts.values() if a.outcome in ("deadline", "stopped")]
    assert sorted(parked) == sorted(id for id in cut if id != "fixed")
