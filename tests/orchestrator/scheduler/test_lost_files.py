"""The ledger or the store is lost, or replaced, while the other goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.ledger import Ledger, LedgerError
from budget.ledger.line import RELEASED
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.scheduler.books import FORGOTTEN_MS, Books
from orchestrator.scheduler.inputs import Refused
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import State
from skint.attempt import Task
from tests.orchestrator.worlds import HOUR_MS, World, epochs, kfold, reasons


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={task.job: b"x"})
    return epochs([0.5, 0.6, 0.7])


def one_fold_runs(state: State) -> bool:
    return any(
        allocation.status == "running"
        for run in state.runs.values()
        for allocation in run.allocations.values()
    )


def test_hours_used_are_booked_in_the_ledger_that_there_is(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=1))
    world.until(one_fold_runs)
    world.ledger = Ledger(tmp_path / "another-ledger.db")
    account = Account("lab", "simulated", "simulated", limits=(weekly(HOUR_MS),))
    world.ledger.add_account(account, world.clock.now_ms())
    world.restart()
    run = world.until_settled().runs["seedlings-1"]
    (allocation,) = run.allocations.values()
    assert run.outcome == "done"
    assert allocation.start_ms is not None and allocation.end_ms is not None
    used_ms = allocation.end_ms - allocation.start_ms
    assert allocation.charged_ms == used_ms
    (line,) = world.ledger.charges()
    assert (line.kind, line.amount_ms) == ("adjustment", used_ms)


class Meddled:
    """A ledger to which something happens before the `nth` call of one method."""

    def __init__(
        self, ledger: Ledger, method: str, happens: Callable[[], None], nth: int = 1
    ) -> None:
        self._ledger = ledger
        self._method = method
        self._happens = happens
        self._nth = nth

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._nth -= 1
            if self._nth == 0:
                self._happens()
        return getattr(self._ledger, name)


def is_busy() -> None:
    raise LedgerError("the ledger is kept busy by another process")


def test_hours_that_cannot_be_booked_at_the_moment_are_booked_later(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=1))
    world.until(one_fold_runs)
    world.ledger = Ledger(tmp_path / "another-ledger.db")
    account = Account("lab", "simulated", "simulated", limits=(weekly(HOUR_MS),))
    world.ledger.add_account(account, world.clock.now_ms())
    world.restart(lambda part: Meddled(part, "adjust", is_busy) if part is world.ledger else part)
    run = world.until_settled().runs["seedlings-1"]
    (allocation,) = run.allocations.values()
    assert [line.amount_ms for line in world.ledger.charges()] == [allocation.charged_ms]


def test_a_ledger_that_cannot_be_read_for_a_moment_ends_neither_jobs_nor_the_scheduler(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, script_of)
    world.restart(
        lambda part: Meddled(part, "accounts", is_busy, 2) if part is world.ledger else part
    )
    run = world.settle(kfold(folds=2))
    assert (run.outcome, reasons(run)) == ("done", {})


def test_what_could_not_be_reserved_is_decided_anew_from_what_is_free_then(
    tmp_path: Path,
) -> None:
    """Edge 10: two folds fit, the disk is full, and when it is not others have taken hours."""
    world = World(tmp_path, script_of)

    def disk_is_full() -> None:
        free_ms = world.ledger.balance("lab", world.clock.now_ms()).free_ms
        theirs_ms = free_ms - HOUR_MS  # of 1:01 for two folds, and 0:31 for one
        world.ledger.adjust("lab", theirs_ms, "by hand", world.clock.now_ms(), "theirs")
        raise LedgerError("the disk is full")

    world.restart(
        lambda part: Meddled(part, "reserve", disk_is_full) if part is world.ledger else part
    )
    graph = kfold(folds=2)
    jobs = tuple(replace(job, when_short="wait") for job in graph.jobs)
    world.submit(replace(graph, jobs=jobs))
    world.until(lambda state: bool(world.kept(e.AllocationRefused)))
    run = world.scheduler.state.runs["seedlings-1"]
    assert [kept.status for kept in run.allocations.values()] == ["refused"]
    assert run.jobs["train.fold0"].reason == "group"
    assert not world.ledger.reservations()


def test_what_a_dead_scheduler_had_reserved_without_noting_it_is_given_back_and_reserved_anew(
    tmp_path: Path,
) -> None:
    """Edge 10: killed between the ledger and the store."""
    world = World(tmp_path, script_of)

    class Killed(BaseException):
        pass

    class KilledAfter(Meddled):
        def reserve(self, **given: Any) -> None:
            self._ledger.reserve(**given)
            raise Killed

    world.restart(lambda part: KilledAfter(part, "", is_busy) if part is world.ledger else part)
    world.submit(kfold(folds=1))
    with contextlib.suppress(Killed):
        world.until_settled()
    assert len(world.ledger.reservations()) == 1
    world.restart()
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert [kept.status for kept in run.allocations.values()] == ["refused", "settled"]
    released, charged = world.ledger.charges()
    assert (released.kind, released.amount_ms) == (RELEASED, 0)
    assert charged.amount_ms == run.allocations[charged.id].charged_ms
    assert not world.ledger.reservations()


def test_an_account_that_is_removed_before_it_is_asked_keeps_no_device(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)

    def is_removed() -> None:
        world.ledger.remove_account("lab", world.clock.now_ms())

    world.restart(
        lambda part: Meddled(part, "reserve", is_removed) if part is world.ledger else part
    )
    run = world.settle(kfold(folds=1))
    assert reasons(run)["train.fold0"] == "account"
    assert [allocation.status for allocation in run.allocations.values()] == ["refused"]
    assert [refused.reason for refused in world.kept(e.AllocationRefused)] == ["account"]


def test_a_new_store_does_not_pay_with_reservations_of_the_old_one(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=1))
    world.until_settled()
    (paid,) = world.ledger.charges()
    world.store.close()
    (tmp_path / "store.db").rename(tmp_path / "old-store.db")
    (tmp_path / "runs").rename(tmp_path / "old-runs")
    world.engine.submissions.clear()
    world.restart()
    assert world.scheduler.state.runs == {}
    world.submit(kfold(folds=1))
    world.until_settled()
    first, second = world.ledger.charges()
    assert first == paid
    assert second.id != first.id and second.amount_ms == first.amount_ms


def test_what_the_ledger_refuses_for_another_reason_than_hours_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    books, now_ms = Books(world.ledger, world.clock), world.clock.now_ms()
    wanted = AllocationState("a-1", "lab", "simulated", ("d",), 1000, 1000, ("a.b.1",))
    (gone,) = books.reserve("a", replace(wanted, account="nobody's"))
    assert isinstance(gone, Refused) and gone.reason == "account"
    world.ledger.adjust("lab", 5, "by hand", now_ms, "a-1")
    (taken,) = books.reserve("a", wanted)
    assert isinstance(taken, Refused) and taken.reason == "id-taken"
    closed = replace(wanted, id="a-2")
    books.reserve("a", closed)
    books.release("a-2", "it never started")
    (taken,) = books.reserve("a", closed)
    assert isinstance(taken, Refused) and taken.reason == "id-taken"


def test_a_reservation_that_nobody_remembers_is_charged_in_full_after_a_week(
    tmp_path: Path,
) -> None:
    """Edge 11: a reservation that nobody takes up."""
    world = World(tmp_path, script_of)
    world.submit(kfold(folds=1))
    world.until(one_fold_runs)
    world.store.close()
    (tmp_path / "store.db").rename(tmp_path / "old-store.db")
    world.restart()
    (reserved,) = world.ledger.reservations()
    world.clock.advance(FORGOTTEN_MS / 1000 + 3600)
    world.restart()
    assert world.ledger.reservations() == ()
    (line,) = world.ledger.charges()
    assert (line.kind, line.amount_ms) == ("estimated", reserved.amount_ms)


def test_two_runs_of_one_name_are_two_in_the_ledger(tmp_path: Path) -> None:
    worlds = [World(tmp_path / name, script_of) for name in ("a", "b")]
    for world in worlds:
        world.submit(kfold(folds=1))
        world.until(one_fold_runs)
    ids = {
        name for world in worlds for name in world.scheduler.state.runs["seedlings-1"].allocations
    }
    assert len(ids) == 2
