"""Stopping a run, a group or one fold, by a person or by a rule, and the replies to commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.commands import SubmitRun
from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import parkable
from tests.orchestrator.worlds import (
    FOLD_MS,
    SATURDAY_MS,
    WALL_MS,
    World,
    epochs,
    graph,
    job,
    kfold,
    reasons,
    statuses,
    training,
)


def in_fold(number: int, world: World) -> Callable[[Any], bool]:
    """That fold has reported an epoch."""

    def reported(state: Any) -> bool:
        attempts = [a for run in state.runs.values() for a in run.attempts.values()]
        return any(a.job == f"train.fold{number}" and a.reports for a in attempts)

    return reported


def test_cancelling_a_run_stops_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    world.until(in_fold(1, world))
    world.stop()
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "cancelled"
    assert statuses(run) == {
        **dict.fromkeys(("scan", "packed", "folds", "train.fold0"), "done"),
        **dict.fromkeys(("train.fold1", "train.fold2", "errors"), "stopped"),
    }
    assert len(run.jobs["train.fold1"].attempts) == 1
    # One epoch and the second that it took to stop; the rest of its reservation is free again.
    assert [a.charged_ms for a in run.allocations.values()] == [FOLD_MS, 61_000]
    balance = world.ledger.balance("lab", world.clock.now_ms())
    assert balance.free_ms == world.week_ms - FOLD_MS - 61_000


def test_a_run_can_be_cancelled_before_anything_of_it_starts(tmp_path: Path) -> None:
    """Edge 22: a cancel of what is queued."""
    world = World(tmp_path, training)
    world.submit(kfold())
    world.stop()
    run = world.until_settled().runs["seedlings-1"]
    assert set(statuses(run).values()) == {"stopped"}
    assert world.engine.starts == []


def test_aborting_one_fold_lets_the_others_go_on(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    world.until(in_fold(0, world))
    world.stop(scope="attempt", target="train.fold0")
    world.stop(scope="attempt", target="train.fold2")
    run = world.until_settled().runs["seedlings-1"]
    got = statuses(run)
    assert [got[f"train.fold{n}"] for n in range(3)] == ["stopped", "done", "stopped"]
    assert reasons(run)["errors"] == "needs-failed"
    assert len(run.allocations) == 2  # nothing was set aside for the fold that had not begun


def test_a_fold_is_aborted_before_it_is_submitted_and_the_one_beside_it_runs(
    tmp_path: Path,
) -> None:
    world = World(
        tmp_path,
        training,
        Faults(unsent_submit_share=1.0, capabilities=Capabilities(attempts_per_allocation=2)),
    )
    group = {"devices": 1, "limit_s": 1800, "group": "train"}
    world.submit(graph(job("a", fold=0, **group), job("b", fold=1, **group)))
    world.scheduler.tick()
    world.stop(scope="attempt", target="a")
    world.scheduler.tick()
    world.engine.faults = replace(world.engine.faults, unsent_submit_share=0.0)
    run = world.until_settled().runs["seedlings-1"]
    assert statuses(run) == {"a": "stopped", "b": "done"}
    assert world.engine.starts == ["seedlings-1.b.1"]
    assert world.settled_ms == FOLD_MS


def test_killing_one_attempt_spares_the_other_one_of_its_allocation(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        lambda task: replace(training(task), stops_after_s=None),
        Faults(capabilities=Capabilities(attempts_per_allocation=2)),
    )
    world.submit(kfold(folds=2))
    world.until(in_fold(0, world))
    world.stop(scope="attempt", target="train.fold0", how="kill")
    run = world.until_settled().runs["seedlings-1"]
    assert run.attempts["seedlings-1.train.fold0.1"].outcome == "killed"
    assert statuses(run)["train.fold1"] == "done"
    assert world.settled_ms == 60_000 + FOLD_MS


def test_a_group_is_stopped_and_the_other_groups_go_on(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    other = replace(kfold().job("train.fold0"), id="probe", group="probe", static_key="probe")
    both = kfold()
    world.submit(replace(both, jobs=(*both.jobs, other)))
    world.until(in_fold(0, world))
    world.stop(scope="group", target="train")
    run = world.until_settled().runs["seedlings-1"]
    got = statuses(run)
    assert {got[f"train.fold{n}"] for n in range(3)} == {"stopped"}
    assert got["probe"] == "done"
    assert run.outcome == "stopped", "nothing of it has failed"


def test_a_job_that_does_not_listen_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: replace(training(task), stops_after_s=None))
    world.submit(kfold())
    world.until(in_fold(0, world))
    world.stop()
    run = world.until_settled().runs["seedlings-1"]
    assert run.attempts["seedlings-1.train.fold0.1"].outcome == "killed"
    assert world.settled_ms == 60_000 + 30_000


def test_a_broken_fold_stops_its_group_and_frees_what_was_set_aside(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        if task.fold == 1:
            return epochs([float("nan"), 0.8], metric="train_loss")
        return training(task)

    world = World(tmp_path, script_of)
    run = world.settle(kfold())
    got = statuses(run)
    assert [got[f"train.fold{n}"] for n in range(3)] == ["done", "stopped", "stopped"]
    (verdict,) = run.verdicts
    assert (verdict.rule, verdict.scope, verdict.target) == ("broken", "group", "train")
    assert verdict.sentence == "train_loss became nan in epoch 1 of train.fold1"
    assert reasons(run)["train.fold2"] == "broken"
    # Fold 2 was never paid for, and of fold 1 only what it had used.
    assert len(run.allocations) == 2
    *_, stopped = run.allocations.values()
    assert stopped.amount_ms - stopped.charged_ms == WALL_MS - 61_000
    free_ms = world.ledger.balance("lab", world.clock.now_ms()).free_ms
    assert free_ms == world.week_ms - FOLD_MS - 61_000


def test_a_deadline_ends_a_job_and_is_its_reason(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=1e6))
    run = world.settle(graph(job("train", devices=1, limit_s=600)))
    assert reasons(run) == {"train": "deadline"}
    assert world.settled_ms == 601_000


def test_every_command_gets_one_reply(tmp_path: Path) -> None:
    """Edges 22 and 51: asked twice, and asked of a run that is over or unknown."""
    world = World(tmp_path, training)
    first = world.store.ask(request(kfold()), SATURDAY_MS, id="one")
    world.store.ask(request(kfold()), SATURDAY_MS, id="one")  # asking twice is asking once
    again = world.store.ask(request(kfold()), SATURDAY_MS)
    unreadable = world.store.ask(
        replace(request(kfold()), run="other", graph={**kfold().to_json(), "version": 99}),
        SATURDAY_MS,
    )
    assert world.store.reply(first) is None
    world.scheduler.tick()
    replies = [world.store.reply(id) for id in (first, again, unreadable)]
    assert [reply.ok for reply in replies if reply] == [True, False, False]
    world.until_settled()
    world.stop()
    world.stop("nobody-1")
    world.scheduler.tick()
    answers = world.kept(e.CommandAnswered)
    assert [answer.ok for answer in answers] == [True, False, False, False, False]
    assert "has ended already: done" in answers[-2].text
    assert "there is no run nobody-1" in answers[-1].text


def test_the_folder_of_a_run_that_no_store_knows_is_not_taken_for_a_new_one(
    tmp_path: Path,
) -> None:
    World(tmp_path, training).settle(kfold())
    (tmp_path / "store.db").unlink()
    world = World(tmp_path, training)
    id = world.store.ask(request(kfold()), SATURDAY_MS)
    world.scheduler.tick()
    reply = world.store.reply(id)
    assert reply is not None and not reply.ok
    assert "runs/seedlings-1 is the folder of an earlier run" in reply.text
    assert world.scheduler.state.runs == {}


def request(graph: Graph) -> SubmitRun:

    return SubmitRun(run="seedlings-1", graph=graph.to_json())


def test_a_cancel_that_comes_after_the_last_job_is_done_changes_nothing(tmp_path: Path) -> None:
    """Edge 22: a cancel races with the natural end."""
    world = World(tmp_path, lambda task: Script(seconds=10))
    world.submit(graph(job("scan")))
    world.until(lambda state: bool(world.engine.submissions))
    world.clock.advance(10)  # it is over, and nobody has looked yet
    world.stop()
    run = world.until_settled().runs["seedlings-1"]
    assert (run.outcome, statuses(run)) == ("done", {"scan": "done"})


def test_where_nothing_can_be_cancelled_the_hold_stays_until_the_end(tmp_path: Path) -> None:
    """Edge 42: cancel is not possible."""
    world = World(tmp_path, lambda task: Script(1800, stops_after_s=None))
    world.submit(graph(parkable(limit_s=3600, grace_s=900)))
    world.until(lambda state: bool(world.engine.starts))
    world.clock.advance(60)
    world.engine.faults = replace(world.engine.faults, lost_poll_share=1.0)
    world.stop()
    world.clock.advance(600)
    world.scheduler.tick()
    balance = world.ledger.balance("lab", world.clock.now_ms())
    assert balance.reserved_ms + balance.in_flight_ms == 4502_000
    world.engine.faults = Faults()
    world.until_settled()
    assert world.settled_ms <= 1800_000
