"""Savings are booked in the ledger once, whatever dies or is full in between."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from budget.ledger import Ledger, LedgerError
from orchestrator.events.events import SavingBooked, SavingFound
from tests.orchestrator.worlds import FOLD_MS, World, kfold, training


class Killed(BaseException):
    """The scheduler dies."""


def test_a_scheduler_killed_before_or_after_it_books_books_once(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    for when in ("before", "after"):
        name = f"seedlings-{when}"
        world.submit(kfold(), name)
        world.restart(partial(_dying, when))
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


def _dying(when: str, outside: Any) -> Any:
    return _DyingLedger(outside, when) if isinstance(outside, Ledger) else outside


class _DyingLedger:
    """The scheduler that uses it dies at its first booking."""

    def __init__(self, ledger: Ledger, when: str) -> None:
        self.ledger = ledger
        self.when = when

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    def book_saving(self, *arguments: Any) -> None:
        if self.when == "after":
            self.ledger.book_saving(*arguments)
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


class _Full(_DyingLedger):
    """Its disk is full."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, "")

    def book_saving(self, *arguments: Any) -> None:
        raise LedgerError("the disk is full")


def test_savings_are_the_same_from_events_and_from_snapshots(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    run = world.settle(kfold(), "seedlings-2")
    assert run.savings
    assert world.store.state().runs == world.store.replayed().runs
