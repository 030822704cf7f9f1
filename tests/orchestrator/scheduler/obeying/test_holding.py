"""While a hold stands nothing that it covers starts; what runs goes on, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from orchestrator.commands import ReleaseHold, SetHold
from orchestrator.events import events as e
from orchestrator.events.holding import Hold, holding
from orchestrator.store.store import read_run
from tests.orchestrator.scheduler.obeying.test_pausing import hours_later
from tests.orchestrator.scheduler.obeying.test_resuming import RUN, Living, epoch_of, folds
from tests.orchestrator.worlds import HOUR_MS, statuses


def test_what_runs_goes_on_and_the_next_fold_waits_until_the_release(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 2))
    ok, text = world.ask(SetHold(account="lab", reason="the room is too warm", by="ana"))
    assert ok
    assert text == (
        "no new job starts on lab; 1 job that runs goes on; undo with skint release --account lab"
    )
    hours_later(world, 1.1)
    assert statuses(world.run)["train.fold0"] == "done"
    assert statuses(world.run)["train.fold1"] == "waiting"
    assert len(world.kept(e.AllocationPlanned)) == 1
    world.restart()
    hours_later(world, 0.2)
    assert len(world.kept(e.AllocationPlanned)) == 1
    (hold,) = world.scheduler.state.holds
    assert (hold.by, hold.reason, hold.accounts) == ("ana", "the room is too warm", ("lab",))
    assert read_run(world.path / "store.db", RUN).holds == (hold,)
    assert world.store.replayed() == world.store.state() == world.scheduler.state
    ok, text = world.ask(ReleaseHold(by="ben"))
    assert (ok, text) == (True, "jobs start again on lab")
    assert world.until_settled().runs[RUN].outcome == "done"
    assert world.scheduler.state.holds == ()


def test_what_is_held_as_a_whole_starts_again_everywhere(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.ask(SetHold())
    assert world.ask(ReleaseHold()) == (True, "jobs start again everywhere")


def test_a_lane_is_held_alone(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.ask(SetHold(lane="cpu"))
    world.submit(folds())
    hours_later(world, 0.1)
    assert set(statuses(world.run).values()) == {"waiting"}
    assert not world.ask(ReleaseHold(lane="accelerator"))[0]
    assert world.ask(SetHold(lane="accelerator"))[0]
    ok, text = world.ask(ReleaseHold(lane="cpu"))
    assert ok
    assert text == "jobs start again in the cpu lane; still held in the accelerator lane"
    hours_later(world, 0.1)
    assert statuses(world.run)["folds"] == "done"
    assert statuses(world.run)["train.fold0"] == "waiting"
    assert world.ask(ReleaseHold())[0]
    assert world.until_settled().runs[RUN].outcome == "done"


def test_a_hold_of_an_account_means_those_below_it(tmp_path: Path) -> None:
    world = Living(tmp_path)
    below = Account("ana", "simulated", "simulated", (weekly(HOUR_MS),), parent="lab")
    world.ledger.add_account(below, world.clock.now_ms())
    world.ask(SetHold(account="lab"))
    (hold,) = world.scheduler.state.holds
    assert sorted(hold.accounts) == ["ana", "lab"]
    world.ask(SetHold(account="ana", reason="twice"))
    world.ask(SetHold(account="ana", reason="again"))
    assert [one.reason for one in world.scheduler.state.holds] == ["", "again"]


def test_accounts_that_are_added_later_below_a_held_one_are_held_too(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.ask(SetHold(account="lab", reason="too warm", by="ana"))
    (before,) = world.scheduler.state.holds
    world.clock.advance(3600)
    for name, parent in (("ben", "lab"), ("thesis", "ben")):
        below = Account(name, "simulated", "simulated", (weekly(HOUR_MS),), parent=parent)
        world.ledger.add_account(below, world.clock.now_ms())
    world.submit(replace(folds(), account="thesis"))
    hours_later(world, 0.2)
    assert statuses(world.run)["train.fold0"] == "waiting"
    (hold,) = world.scheduler.state.holds
    assert hold == replace(before, accounts=hold.accounts)
    assert sorted(hold.accounts) == ["ben", "lab", "thesis"]
    assert read_run(world.path / "store.db", RUN).holds == (hold,)
    assert world.store.replayed() == world.store.state() == world.scheduler.state
    assert len(world.kept(e.HoldWidened)) == 1


def test_a_hold_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    world = Living(tmp_path)
    assert world.ask(SetHold(account="nope")) == (False, "there is no account nope")
    assert world.ask(ReleaseHold()) == (False, "nothing is held")
    world.ask(SetHold(lane="cpu"))
    ok, text = world.ask(ReleaseHold(account="lab"))
    assert (ok, text) == (False, "there is no such hold; skint release --lane cpu")


def test_a_hold_of_an_account_lets_cpu_work_go_on() -> None:
    hold = Hold("lab", "", ("lab", "ana"), "", "ana", 0)
    assert holding([hold], "ana", "accelerator") == hold
    assert holding([hold], "ana", "cpu") is None
    assert holding([hold], "other", "accelerator") is None
    both = Hold("lab", "cpu", ("lab",), "", "ana", 0)
    assert holding([both], "lab", "cpu") == both
    every = Hold("", "", (), "", "ana", 0)
    assert holding([every], None, "cpu") == every
