"""Hours that were not spent are booked once, with their derivation; what nobody knows is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from budget.accounts.account import Account, Machine, Session
from budget.accounts.limit import weekly
from orchestrator.commands import AnswerVerdict, RetryJobs
from orchestrator.events.events import AllocationSettled
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph, StopRule
from orchestrator.scheduler.inputs import Inputs
from orchestrator.scheduler.savings import found
from orchestrator.state.state import RunState
from orchestrator.views.budget.savings import saved_words
from skint.attempt import Task
from tests.orchestrator.worlds import (
    FOLD_MS,
    HOUR_MS,
    World,
    epochs,
    graph,
    job,
    kfold,
    reasons,
    statuses,
    training,
)

NAN = float("nan")
MINUTE_MS = 60_000
RUN = "seedlings-1"


def told(run: RunState) -> dict[str, tuple[str, int]]:
    """Kind and amount by job."""
    return {saving.job: (saving.kind, saving.amount_ms) for saving in run.savings.values()}


def folds(*values: list[float]) -> Callable[[Task], Script]:
    """CPU jobs take five seconds; fold n reports `values[n]`."""

    def script_of(task: Task) -> Script:
        if task.fold is None:
            return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
        return epochs(values[task.fold], metric="val_loss")

    return script_of


# --- known results --------------------------------------------------------------------------------


def test_a_known_result_saves_what_its_attempt_was_charged(tmp_path: Path) -> None:
    """Edge 35: a cache hit is charged nothing."""
    world = World(tmp_path, training)
    world.settle(kfold())
    run = world.settle(kfold(), "seedlings-2")
    assert told(run) == {f"train.fold{n}": ("cache", FOLD_MS) for n in range(3)}
    booked = world.ledger.savings("lab")
    assert [(one.kind, one.account, one.amount_ms) for one in booked] == [
        ("cache", "lab", FOLD_MS)
    ] * 3
    assert booked[0].owner == "seedlings-2/"
    assert booked[0].derivation == (
        "seedlings-1.train.fold0.1 was charged 2 min 30 s for the same result"
    )
    assert all(saving.booked for saving in run.savings.values())
    assert world.settled_ms == 3 * FOLD_MS


def test_a_run_that_was_charged_for_all_it_did_saved_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    run = world.settle(kfold())
    assert run.savings == {} and world.ledger.savings() == ()
    again = world.settle(kfold(), "seedlings-2", again=True)
    assert again.savings == {}


def test_what_another_account_was_charged_is_no_measure(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    other = Account("other", "simulated", "simulated", limits=(weekly(HOUR_MS),))
    world.ledger.add_account(other, world.clock.now_ms())
    run = world.settle(replace(kfold(), account="other"), "seedlings-2")
    assert statuses(run)["train.fold0"] == "reused"
    assert run.savings == {}


# --- stopped early --------------------------------------------------------------------------------


def test_a_fold_that_a_rule_stops_saves_the_epochs_that_were_left(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.6, NAN, 0.7, 0.7, 0.7, 0.7, 0.7]))
    run = world.settle(kfold(folds=1))
    (saving,), attempt = run.savings.values(), run.current("train.fold0")
    assert (saving.kind, saving.job) == ("early-stop", "train.fold0")
    assert attempt and attempt.started_ms is not None and attempt.ended_ms is not None
    ran_ms = attempt.ended_ms - attempt.started_ms
    assert saving.amount_ms == 8 * MINUTE_MS - ran_ms
    assert saving.derivation.startswith("train.fold0 was stopped with likely 4 min")
    assert "3 epochs of its own" in saving.derivation
    assert [one.amount_ms for one in world.ledger.savings("lab")] == [saving.amount_ms]


def test_devices_count_in_what_is_saved(tmp_path: Path) -> None:
    world = World(
        tmp_path, lambda task: epochs([0.5, 0.6, NAN, 0.7, 0.7, 0.7], metric="val_loss"), devices=2
    )
    rules = kfold().job("train.fold0").stop
    run = world.settle(graph(job("train", devices=2, limit_s=7200, stop=rules)))
    (saving,) = run.savings.values()
    (attempt,) = run.attempts.values()
    assert attempt.started_ms is not None and attempt.ended_ms is not None
    assert saving.amount_ms == 2 * (6 * MINUTE_MS - (attempt.ended_ms - attempt.started_ms))


def in_the_second_fold(tmp_path: Path) -> World:
    world = World(tmp_path, folds([0.5, 0.6], [0.5, 0.6], [0.5, 0.6]))
    world.submit(kfold())
    world.until(
        lambda state: any(a.job == "train.fold1" and a.reports for _, a in state.live_attempts())
    )
    return world


def test_of_what_a_person_stops_only_the_fold_that_had_begun_saves_hours(tmp_path: Path) -> None:
    world = in_the_second_fold(tmp_path)
    world.stop(scope="group", target="train")
    run = world.until_settled().runs[RUN]
    assert statuses(run)["train.fold2"] == "stopped"
    assert run.current("train.fold2") is None
    attempt = run.current("train.fold1")
    assert attempt and attempt.started_ms is not None and attempt.ended_ms is not None
    left_ms = FOLD_MS - (attempt.ended_ms - attempt.started_ms)
    assert told(run) == {"train.fold1": ("early-stop", left_ms)}


@pytest.mark.parametrize("reason", ["cancelled", "aborted"])
def test_whoever_ends_a_whole_run_has_saved_no_hours(tmp_path: Path, reason: str) -> None:
    world = in_the_second_fold(tmp_path)
    world.stop(reason=reason)
    assert told(world.until_settled().runs[RUN]) == {}


def test_folds_that_a_persons_yes_to_a_rule_kept_from_starting_save_theirs(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.5, NAN, 0.5, 0.5, 0.5]))
    asking = (StopRule("broken", mode="ask"),)
    jobs = tuple(
        replace(one, params={"epochs": 6}, stop=asking) if one.devices else one
        for one in kfold().jobs
    )
    world.submit(replace(kfold(), jobs=jobs))
    state = world.until(lambda state: any(run.verdicts for run in state.runs.values()))
    (asked,) = state.runs[RUN].verdicts
    yes = AnswerVerdict(run=RUN, rule="broken", target=asked.target, answer="stop", by="ana")
    world.store.ask(yes, world.clock.now_ms())
    run = world.until_settled().runs[RUN]
    assert statuses(run)["train.fold2"] == "stopped"
    assert told(run)["train.fold2"] == ("early-stop", 6 * MINUTE_MS)


def test_folds_that_a_rule_kept_from_starting_save_what_the_first_one_foretold(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, folds([0.5, 0.5, NAN, 0.5, 0.5, 0.5]))
    jobs = tuple(replace(one, params={"epochs": 6}) if one.devices else one for one in kfold().jobs)
    run = world.settle(replace(kfold(), jobs=jobs))
    assert statuses(run)["train.fold2"] == "stopped"
    assert told(run)["train.fold1"] == told(run)["train.fold2"] == ("early-stop", 6 * MINUTE_MS)


def test_without_a_measured_basis_nothing_is_booked(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=600))  # it reports nothing
    world.submit(kfold(folds=2))
    world.until(lambda state: any(a.devices for _, a in state.live_attempts()))
    world.stop(reason="cancelled")
    run = world.until_settled().runs[RUN]
    assert reasons(run)["train.fold0"] == reasons(run)["train.fold1"] == "cancelled"
    assert run.savings == {}


def test_no_more_is_saved_than_the_limit_left(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.5, NAN, *[0.5] * 997]))
    run = world.settle(kfold(folds=1, limit_s=600))
    (saving,), attempt = run.savings.values(), run.current("train.fold0")
    assert attempt and attempt.started_ms is not None and attempt.ended_ms is not None
    assert saving.amount_ms == 600_000 - (attempt.ended_ms - attempt.started_ms)


def test_a_job_that_its_own_limit_ended_saved_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5] * 100))
    run = world.settle(kfold(folds=1, limit_s=300))
    assert reasons(run)["train.fold0"] == "deadline"
    assert run.savings == {}


def test_a_stopped_cpu_job_saves_no_accelerator_hours(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5] * 10))
    world.submit(graph(job("scan")))
    world.until(lambda state: any(len(a.reports) > 3 for _, a in state.live_attempts()))
    world.stop(reason="cancelled")
    assert world.until_settled().runs[RUN].savings == {}


# --- refused --------------------------------------------------------------------------------------


def test_siblings_of_a_fold_that_failed_save_what_it_took_to_fail(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        return Script(seconds=20, code=1) if task.fold == 0 else training(task)

    run = World(tmp_path, script_of).settle(kfold())
    assert told(run) == {
        "train.fold1": ("early-stop", 20_000),
        "train.fold2": ("early-stop", 20_000),
    }
    first = next(iter(run.savings.values()))
    assert first.derivation == (
        "train.fold1 would have run the code that failed in seedlings-1.train.fold0.1 after 20 s"
    )


def test_siblings_that_are_tried_after_all_have_saved_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=20, code=int(task.fold == 0)))
    world.settle(kfold())
    assert world.ledger.balance("lab", world.clock.now_ms()).saved["early-stop"] == 40_000
    request = RetryJobs(run=RUN, scope="run", target=RUN)
    world.store.ask(request, world.clock.now_ms())
    world.scheduler.tick()
    assert world.ledger.balance("lab", world.clock.now_ms()).saved["early-stop"] == 0


def smoked(stop_smoke: bool) -> Graph:
    """scan → smoke test → train; the smoke test may be left out, as one may in a plan."""
    smoke = job("train.smoke", "scan", smoke=True)
    train = job("train", "scan", *(["train.smoke"] if stop_smoke else []), devices=1, limit_s=600)
    return graph(job("scan"), *([smoke] if stop_smoke else []), train)


def fails_in_smoke(task: Task) -> Script:
    if task.job == "train.smoke":
        return Script(seconds=3, code=1)
    return Script(seconds=100, code=1) if task.job == "train" else training(task)


def test_a_failed_smoke_test_books_nothing_where_nobody_knows_the_cost(tmp_path: Path) -> None:
    """Edge 46: a failing preflight on CPUs costs no accelerator hours; nor does it claim any."""
    world = World(tmp_path, fails_in_smoke)
    run = world.settle(smoked(True))
    assert statuses(run)["train"] == "skipped"
    assert (world.settled_ms, run.savings) == (0, {})


def test_a_failed_smoke_test_saves_what_the_same_job_was_charged_before(tmp_path: Path) -> None:
    world = World(tmp_path, fails_in_smoke)
    world.settle(smoked(False))
    assert world.settled_ms == 100_000
    run = world.settle(smoked(True), "seedlings-2")
    assert told(run) == {"train": ("refused", 100_000)}
    (saving,) = run.savings.values()
    assert saving.derivation == (
        "seedlings-1.train.1 was charged 1 min 40 s for the same job;"
        " this time its smoke test failed first"
    )


# --- parked ---------------------------------------------------------------------------------------


def parked(run: RunState, **changes: Any) -> RunState:
    """The run's one accelerator attempt as if the end of a session had cut it; it goes on."""
    (attempt,) = [a for a in run.attempts.values() if a.devices]
    assert attempt.started_ms is not None
    known: dict[str, Any] = {
        "edge": "session",
        "outcome": "deadline",
        "checkpoint_ms": attempt.started_ms + 120_000,
        **changes,
    }
    waits = replace(run.jobs[attempt.job], status="waiting")
    return replace(
        run,
        attempts={**run.attempts, attempt.id: replace(attempt, **known)},
        jobs={**run.jobs, attempt.job: waits},
    )


@pytest.mark.parametrize(
    ("changes", "saved_ms"),
    [
        ({}, 120_000),
        ({"edge": ""}, None),  # no edge cut it
        ({"outcome": "done"}, None),  # it ended before the edge came
        ({"checkpoint_ms": None}, None),  # nothing was kept: the time is lost
        ({"checkpoint_ms": 1}, None),  # a clock that was set
        ({"checkpoint_ms": 2**50}, FOLD_MS),
    ],
)
def test_a_parked_attempt_saves_its_charge_up_to_its_checkpoint(
    tmp_path: Path, changes: dict[str, Any], saved_ms: int | None
) -> None:
    world = World(tmp_path, training)
    run = world.settle(kfold(folds=1))
    (settled,) = world.kept(AllocationSettled)
    assert (settled.charged_ms, len(settled.shares)) == (FOLD_MS, 1)
    state = replace(world.scheduler.state, runs={RUN: parked(run, **changes)})
    accounts = {account.name: account for account in world.ledger.accounts()}
    savings = [*found(state, [settled], Inputs(accounts=accounts), 7)]
    assert [saving.amount_ms for saving in savings] == ([] if saved_ms is None else [saved_ms])
    if savings:
        assert savings[0].kind == "parked"
        assert savings[0].saving.startswith("seedlings-1.train.fold0.1.parked.")
        assert "goes on from its checkpoint" in savings[0].derivation


def test_credits_are_saved_as_credits(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    machines = (Machine("t4", 1_190, 1),)
    paid = Account(
        "colab", "simulated", "simulated", (weekly(90 * HOUR_MS),), unit="credit", machines=machines
    )
    world.ledger.add_account(paid, world.clock.now_ms())
    world.settle(replace(kfold(folds=1), account="colab"))
    run = world.settle(replace(kfold(folds=1), account="colab"), "seedlings-2")
    (saving,) = run.savings.values()
    assert saving.amount_ms == FOLD_MS * 1_190 // 1_000
    assert saving.derivation.endswith("was charged 0.05 credits for the same result")
    assert saved_words([saving]) == "0.05 credits saved by known results"


def test_a_job_longer_than_a_session_is_parked_and_what_it_kept_is_saved(tmp_path: Path) -> None:
    """Edge 37: a job longer than a session is split at its checkpoints, and loses nothing."""

    def script_of(task: Task) -> Script:
        def at(minute: int) -> tuple[float, dict[str, Any]]:
            step = 100 * task.fence + minute
            return 60.0 * minute, {"kind": "checkpoint", "path": "x", "epoch": 1, "step": step}

        minutes = 11 if task.fence == 1 else 4
        return Script(seconds=60 * minutes, lines=tuple(at(n) for n in range(1, minutes)))

    world = World(tmp_path, script_of)
    session = Session(max_ms=8 * MINUTE_MS)
    short = Account("short", "simulated", "simulated", (weekly(HOUR_MS),), session=session)
    world.ledger.add_account(short, world.clock.now_ms())
    train = job("train", devices=1, limit_s=1800, grace_s=30, resumes=True, at_edge="park")
    run = world.settle(graph(train, account="short"))
    parked_first = run.attempts[f"{RUN}.train.1"]
    assert parked_first.edge == "session" and len(run.attempts) > 1
    first = next(iter(run.savings.values()))
    assert (first.kind, first.job) == ("parked", "train")
    assert parked_first.started_ms is not None and parked_first.ended_ms is not None
    ran_ms = parked_first.ended_ms - parked_first.started_ms
    assert first.amount_ms == ran_ms // MINUTE_MS * MINUTE_MS
