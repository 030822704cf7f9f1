"""Savings are booked in the ledger once, whatever dies or is full in between."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from budget.ledger import Ledger, LedgerError
from orchestrator.events.events import AllocationSettled, SavingBooked, SavingFound
from tests.orchestrator.worlds import FOLD_MS, World, kfold, training

SECOND = "seedlings-2"


class Killed(BaseException):
    """The scheduler dies."""


def test_a_scheduler_killed_before_or_after_it_books_books_once(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    for when in ("before", "after"):
        name = f"seedlings-{when}"
        world.submit(kfold(), name)
        world.restart(partial(_Dying, what="book_saving", when=when))
        with pytest.raises(Killed):
            world.until_settled(name)
        known = world.store.state().runs[name].savings
        assert len(known) == 3 and not any(saving.booked for saving in known.values())
        world.restart()
        run = world.until_settled(name).runs[name]
        assert all(saving.booked for saving in run.savings.values())
        booked = [one for one in world.ledger.savings("lab") if one.owner == f"{name}/"]
        assert [one.amount_ms for one in booked] == [FOLD_MS] * 3
    assert len(world.kept(SavingFound)) == len(world.kept(SavingBooked)) == 6


def meanwhile(world: World) -> None:
    """A second run of the same is submitted while the last fold of the first one trains: it
    reuses all of them, that one in the moment in which it ends."""
    world.submit(kfold())
    world.until(lambda state: any(a.job == "train.fold2" for _, a in state.live_attempts()))
    world.submit(kfold(), SECOND)


def test_results_reused_before_they_are_paid_for_save_their_charge_when_they_are(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, training)
    meanwhile(world)
    run = world.until_settled(SECOND).runs[SECOND]
    assert {known.status for known in run.jobs.values()} == {"reused"}
    assert sorted(saving.job for saving in run.savings.values()) == [
        f"train.fold{n}" for n in range(3)
    ]
    assert [one.amount_ms for one in world.ledger.savings("lab")] == [FOLD_MS] * 3
    assert world.store.state().runs == world.store.replayed().runs


@pytest.mark.parametrize(
    ("what", "when"),
    [("settle", "after"), ("keep", "before"), ("keep", "after"), ("book_saving", "after")],
)
def test_a_scheduler_that_dies_as_a_reused_result_is_paid_for_books_it_once(
    tmp_path: Path, what: str, when: str
) -> None:
    world = World(tmp_path, training)
    meanwhile(world)
    world.restart(partial(_Dying, what=what, when=when))
    with pytest.raises(Killed):
        world.until_settled(SECOND)
    world.restart()
    world.until_settled(SECOND)
    booked = world.ledger.savings("lab")
    assert sorted((one.owner, one.amount_ms) for one in booked) == [(f"{SECOND}/", FOLD_MS)] * 3
    assert len(world.kept(SavingFound)) == len(world.kept(SavingBooked)) == 3
    assert world.settled_ms == 3 * FOLD_MS


class _Dying:
    """The scheduler that uses it dies when it settles, books, or keeps that something is paid."""

    def __init__(self, outside: Any, *, what: str, when: str) -> None:
        self.outside = outside
        self.what = what
        self.when = when

    def __getattr__(self, name: str) -> Any:
        known = getattr(self.outside, name)
        return partial(self._die, known) if name == self.what else known

    def _die(self, call: Any, *arguments: Any, **more: Any) -> Any:
        if self.what == "keep" and not any(
            isinstance(event, AllocationSettled) for event in arguments[0]
        ):
            return call(*arguments, **more)
        if self.when == "after":
            call(*arguments, **more)
        raise Killed


def test_a_ledger_that_cannot_be_written_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold(folds=1))
    world.submit(kfold(folds=1), "seedlings-2")
    world.restart(lambda outside: _Full(outside) if isinstance(outside, Ledger) else outside)
    for _ in range(3):
        world.scheduler.tick()
        world.clock.advance(60)
    run = world.scheduler.state.runs["seedlings-2"]
    world.restart()
    assert world.until_settled("seedlings-2").runs["seedlings-2"].settled
    assert len(world.ledger.savings("lab")) == 1
    assert not run.settled


class _Full(_Dying):
    """Its disk is full."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, what="", when="")

    def book_saving(self, *arguments: Any) -> None:
        raise LedgerError("the disk is full")


def test_savings_are_the_same_from_events_and_from_snapshots(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    run = world.settle(kfold(), "seedlings-2")
    assert run.savings
    assert world.store.state().runs == world.store.replayed().runs
