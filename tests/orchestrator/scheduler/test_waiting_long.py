"""What simulated weeks have found in schedulers that wait for long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from budget.accounts.account import Account, Session
from budget.accounts.limit import Limit, weekly
from budget.ledger import Ledger
from budget.windows import Rolling
from orchestrator.events import events as e
from orchestrator.executors.base import Handle
from orchestrator.executors.simulated import Faults, Script
from orchestrator.scheduler.books import BACK_OFF_MS, FORGOTTEN_MS, MOST_DOUBLINGS, Books
from orchestrator.scheduler.inputs import Refused
from orchestrator.scheduler.shell import EXPIRE_EVERY_MS
from orchestrator.state.allocation_state import AllocationState
from tests.orchestrator.worlds import HOUR_MS, World, graph, job, training

DAY_MS = 24 * HOUR_MS


def world_of(path: Path, account: Account, **more: float) -> World:
    """A world whose `lab` is another account."""
    world = World(path, training)
    world.ledger.close()
    (path / "ledger.db").unlink()
    for left in path.glob("ledger.db-*"):
        left.unlink()
    world.ledger = Ledger(path / "ledger.db")
    world.ledger.add_account(account, world.start_ms)
    world.restart()
    return world


def lab(*limits: Limit, session: Session = Session()) -> Account:  # noqa: B008
    return Account("lab", "simulated", "simulated", limits, session=session)


def use(world: World, id: str, amount_ms: int, *, settle: bool = True) -> None:
    """Somebody else uses hours of the account, up to now."""
    now_ms = world.clock.now_ms()
    world.ledger.reserve(
        id=id,
        account="lab",
        owner="other/",
        devices=1,
        amount_ms=amount_ms,
        now_ms=now_ms,
        expires_ms=now_ms + FORGOTTEN_MS,
    )
    if settle:
        world.ledger.settle(id, now_ms, now_ms + amount_ms, shares={}, now_ms=now_ms + amount_ms)


def test_a_rolling_window_that_gives_back_slowly_is_told_of_once(tmp_path: Path) -> None:
    world = world_of(tmp_path, lab(Limit(2 * HOUR_MS, Rolling(DAY_MS), "rolling")))
    use(world, "other", 2 * HOUR_MS)
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    world.clock.advance(24 * 3600)  # the first milliseconds come back
    for _ in range(50):
        world.scheduler.tick()
        world.clock.advance(5)
    told = [x for x in world.kept(e.JobWaited) if x.reason == "over-budget"]
    assert len(told) == 1
    assert told[0].until_ms is not None and told[0].until_ms > world.clock.now_ms() + 20 * 60_000
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert len([x for x in world.kept(e.JobWaited) if x.reason == "over-budget"]) < 5


def test_a_session_that_somebody_else_has_is_waited_for_in_silence(tmp_path: Path) -> None:
    """Edge 41: the number of sessions is reached: wait, ask for nothing, charge nothing."""
    world = world_of(tmp_path, lab(weekly(30 * HOUR_MS), session=Session(concurrent=1)))
    use(world, "other", HOUR_MS, settle=False)
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    for _ in range(24 * 60):
        world.scheduler.tick()
        world.clock.advance(60)
    assert world.kept(e.AllocationPlanned) == []
    assert [x.reason for x in world.kept(e.JobWaited)] == ["sessions"]
    world.ledger.release("other", world.clock.now_ms(), "it never started")
    assert world.until_settled().runs["seedlings-1"].outcome == "done"


@pytest.mark.parametrize(("before", "doublings"), [(0, 0), (2, 2), (500, MOST_DOUBLINGS)])
def test_what_the_ledger_refuses_is_asked_for_ever_more_rarely(
    tmp_path: Path, before: int, doublings: int
) -> None:
    """Edge 41: back off, and charge nothing."""
    world = world_of(tmp_path, lab(weekly(30 * HOUR_MS), session=Session(concurrent=1)))
    use(world, "other", HOUR_MS, settle=False)
    wanted = AllocationState("a-1", "lab", "simulated", ("d",), 1000, 1000, ("a.b.1",))
    (refused,) = Books(world.ledger, world.clock).reserve("a", wanted, before)
    assert isinstance(refused, Refused)
    assert refused.again_ms == world.clock.now_ms() + (BACK_OFF_MS << doublings)


def test_a_forgotten_reservation_is_found_while_the_scheduler_lives(tmp_path: Path) -> None:
    """Edge 14: whoever made it is gone for good; it is charged in full, and never left open."""
    world = world_of(tmp_path, lab(weekly(30 * HOUR_MS)))
    use(world, "other", HOUR_MS, settle=False)
    world.scheduler.tick()
    world.clock.advance((FORGOTTEN_MS + EXPIRE_EVERY_MS) / 1000)
    world.scheduler.tick()
    assert world.ledger.reservations() == ()
    (charge,) = world.ledger.charges("lab")
    assert (charge.kind, charge.amount_ms) == ("estimated", HOUR_MS)


def test_a_scheduler_that_is_always_busy_finds_what_others_have_forgotten(tmp_path: Path) -> None:
    """Edge 14: it spares what it waits for itself, and nothing else."""
    world = world_of(tmp_path, lab(weekly(30 * HOUR_MS)))
    use(world, "other", HOUR_MS, settle=False)
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    world.until(lambda state: bool(world.engine.starts))
    world.engine.faults = Faults(lost_poll_share=1.0)
    world.clock.advance((2 * FORGOTTEN_MS + EXPIRE_EVERY_MS) / 1000)
    world.scheduler.tick()
    (own,) = world.ledger.reservations()
    assert own.owner == "seedlings-1/"
    assert [charge.id for charge in world.ledger.charges("lab")] == ["other"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_line_that_comes_twice_is_one_report(tmp_path: Path, share: float) -> None:
    world = World(tmp_path, training, Faults(doubled_line_share=share))
    world.submit(graph(job("train", fold=0, devices=1, limit_s=1800.0)))
    run = world.until_settled().runs["seedlings-1"]
    (attempt,) = run.attempts.values()
    assert [report.get("epoch") for report in attempt.reports] == [1, 2, None]


def test_a_clock_that_was_set_back_does_not_hide_strangers(tmp_path: Path) -> None:
    """Edge 3: the clock steps back: orphans are looked for all the same."""
    world = World(tmp_path, lambda task: Script(seconds=1e6))
    world.scheduler.tick()
    asked: list[int] = []
    executor = world.scheduler.executors["simulated"]
    right = executor.discover

    def discover() -> Sequence[Handle]:
        asked.append(world.clock.now_ms())
        return right()

    executor.discover = discover  # type: ignore[method-assign]
    world.clock.advance(-30 * 3600)
    world.scheduler.tick()
    assert asked
