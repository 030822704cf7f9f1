"""What may start: the account, the cores, the devices, and results that are known."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from skint.attempt import Task
from tests.orchestrator.worlds import (
    FOLD_MS,
    HOUR_MS,
    SATURDAY_MS,
    WALL_MS,
    World,
    graph,
    job,
    kfold,
    reasons,
    statuses,
    training,
)

WEEK_MS = 7 * 24 * HOUR_MS


# --- the account ----------------------------------------------------------------------------------


def test_cpu_only_does_the_free_work_and_leaves_the_rest_out(tmp_path: Path) -> None:
    world = World(tmp_path, training, week_ms=0)
    run = world.settle(kfold(), cpu_only=True)
    assert run.outcome == "done"
    left_out = {name for name, known in run.jobs.items() if known.reason == "cpu-only"}
    assert left_out == {"train.fold0", "train.fold1", "train.fold2", "errors"}
    assert [statuses(run)[name] for name in ("scan", "packed", "folds")] == ["done"] * 3
    assert not run.allocations


def test_what_does_not_fit_waits_for_the_weekly_reset_and_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    # Two folds fit: the reservation of the third does not, after the charges of two.
    world = World(tmp_path, training, week_ms=WALL_MS + FOLD_MS)
    world.submit(kfold())
    state = world.until(
        lambda s: (
            s.runs["seedlings-1"].jobs["train.fold2"].reason == "over-budget" if s.runs else False
        )
    )
    waiting = state.runs["seedlings-1"].jobs["train.fold2"]
    assert (waiting.status, waiting.reason) == ("waiting", "over-budget")
    assert waiting.until_ms == SATURDAY_MS + WEEK_MS
    assert "resets Sat 28 Nov 2026 00:00 UTC" in waiting.sentence
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    *_, last = run.allocations.values()
    assert last.start_ms == SATURDAY_MS + WEEK_MS
    assert world.settled_ms == FOLD_MS  # of the new week
    assert not world.kept(e.AllocationRefused)  # the ledger was not even asked


def test_it_is_asked_again_as_soon_as_a_settlement_frees_hours(tmp_path: Path) -> None:
    # Two devices, hours for one reservation: the second fold follows when the first is charged.
    world = World(tmp_path, training, devices=2, week_ms=2 * WALL_MS - 1)
    run = world.settle(kfold(folds=2))
    first, second = run.allocations.values()
    assert (first.status, second.status) == ("settled", "settled")
    assert second.start_ms == first.end_ms


def test_hours_that_another_run_gives_back_count_as_well(tmp_path: Path) -> None:
    # The younger run is refused in the round in which the older one's hours come back.
    world = World(tmp_path, training, devices=2, week_ms=2 * WALL_MS - 1)
    older = replace(graph(job("a", devices=1, fold=0, limit_s=1800)), name="older")
    younger = replace(graph(job("b", devices=1, fold=0, limit_s=1800)), name="younger")
    world.submit(younger, "younger-1")
    world.submit(older, "older-1")
    world.until_settled("younger-1")
    state = world.until_settled("older-1")
    assert {run.outcome for run in state.runs.values()} == {"done"}
    assert world.clock.now_ms() < SATURDAY_MS + HOUR_MS


def test_two_devices_for_one_job_cost_twice(tmp_path: Path) -> None:
    world = World(tmp_path, training, devices=2)
    run = world.settle(graph(job("train", devices=2, fold=0, limit_s=1800)))
    (allocation,) = run.allocations.values()
    assert len(set(allocation.devices)) == 2
    assert allocation.charged_ms == 2 * FOLD_MS == world.settled_ms


def test_what_the_account_can_never_hold_is_refused_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, training, week_ms=WALL_MS - 1)
    run = world.settle(kfold())
    assert reasons(run)["train.fold0"] == "too-big"
    assert "never has more" in run.jobs["train.fold0"].sentence
    assert world.clock.now_ms() < SATURDAY_MS + HOUR_MS


def test_a_name_that_an_earlier_store_has_paid_under_is_not_paid_by_it(tmp_path: Path) -> None:
    World(tmp_path, training).settle(kfold())
    (tmp_path / "store.db").unlink()
    shutil.rmtree(tmp_path / "runs")
    again = World(tmp_path, training)
    again.settle(kfold())
    assert again.settled_ms == 6 * FOLD_MS


def test_a_job_that_wants_more_than_there_is_fails_with_both_numbers(tmp_path: Path) -> None:
    wants = graph(
        job("cores", cpus=64),
        job("memory", mem_mb=1 << 20),
        job("devices", devices=4, limit_s=60),
    )
    run = World(tmp_path).settle(wants)
    assert set(reasons(run).values()) == {"too-big"}
    assert "64" in run.jobs["cores"].sentence and "has 2" in run.jobs["cores"].sentence
    assert "1024.0 GB" in run.jobs["memory"].sentence
    assert "wants 4" in run.jobs["devices"].sentence and "has 1" in run.jobs["devices"].sentence


def test_a_simulated_device_is_never_charged_to_a_real_account(tmp_path: Path) -> None:
    world = World(tmp_path)
    real = Account("real", "machine", "simulated", (weekly(HOUR_MS),))
    world.ledger.add_account(real, SATURDAY_MS)
    run = world.settle(graph(job("train", devices=1, limit_s=60), account="real"))
    assert reasons(run) == {"train": "too-big"}
    assert world.ledger.charges() == ()


@pytest.mark.parametrize("account", ["nobody", "kaggle-gpu"])
def test_an_account_that_cannot_be_used_here_fails_its_jobs(tmp_path: Path, account: str) -> None:
    world = World(tmp_path)
    kaggle = Account("kaggle-gpu", "provider", "kaggle", (weekly(HOUR_MS),))
    world.ledger.add_account(kaggle, SATURDAY_MS)
    run = world.settle(graph(job("train", devices=1, limit_s=60), account=account))
    assert reasons(run) == {"train": "account"}


# --- sharing --------------------------------------------------------------------------------------


def test_cpu_jobs_share_the_cores_and_say_when_they_wait(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=10))
    run = world.settle(graph(job("a"), job("all", cpus=0), job("b"), job("c")))
    spans = {a.job: (a.started_ms, a.ended_ms) for a in run.attempts.values()}
    assert spans["a"] == spans["b"]  # two cores
    assert spans["all"][0] == spans["a"][1]  # alone
    (waited,) = [x for x in world.kept(e.JobWaited) if x.job == "all"]
    assert (waited.reason, waited.sentence) == ("cores", "waits for 2 of 2 cores")


def test_two_runs_share_one_device_in_turn_the_older_one_first(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    for name in ("older", "younger"):
        only = job(f"train-{name}", devices=1, fold=0, limit_s=1800, group="train")
        world.submit(graph(only, replace(only, id="second", static_key=f"{name}2")), name)
    world.scheduler.tick()
    world.restart()  # who is older must not be forgotten
    world.until_settled("older")
    state = world.until_settled("younger")
    spans = [
        (allocation.start_ms, allocation.end_ms)
        for name in ("older", "younger")
        for allocation in state.runs[name].allocations.values()
    ]
    flat = [at for span in spans for at in span if at is not None]
    assert len(flat) == 8 and flat == sorted(flat)


def test_several_attempts_share_an_allocation_and_its_charge(tmp_path: Path) -> None:
    world = World(tmp_path, training, Faults(capabilities=Capabilities(attempts_per_allocation=2)))
    run = world.settle(kfold())
    both, last = run.allocations.values()
    assert (both.wall_ms, last.wall_ms) == (2 * WALL_MS, WALL_MS)
    assert dict(both.shares) == {
        "seedlings-1.train.fold0.1": FOLD_MS,
        "seedlings-1.train.fold1.1": FOLD_MS,
    }
    assert world.settled_ms == 3 * FOLD_MS


def test_no_more_attempts_share_an_allocation_than_the_account_can_pay(tmp_path: Path) -> None:
    several = Faults(capabilities=Capabilities(attempts_per_allocation=3))
    world = World(tmp_path, training, several, week_ms=2 * WALL_MS)
    run = world.settle(kfold())
    assert run.outcome == "done"
    assert [len(a.attempts) for a in run.allocations.values() if a.charged_ms] == [2, 1]


# --- results that are known -----------------------------------------------------------------------


def test_what_another_run_has_done_is_not_done_again(tmp_path: Path) -> None:
    """Edge 35: a result that is known costs nothing."""
    world = World(tmp_path, training)
    world.settle(kfold())
    started = len(world.engine.starts)
    changed = kfold()
    changed = replace(
        changed,
        jobs=(*changed.jobs[:-1], replace(changed.jobs[-1], static_key="errors, but redder")),
    )
    run = world.settle(changed, "seedlings-2")
    assert statuses(run).pop("errors") == "done"
    assert [name for name, status in statuses(run).items() if status != "reused"] == ["errors"]
    assert world.engine.starts[started:] == ["seedlings-2.errors.1"]
    assert "train.fold1 of seedlings-1" in run.jobs["train.fold1"].sentence
    assert run.jobs["train.fold1"].saved_ms == FOLD_MS
    assert world.settled_ms == 3 * FOLD_MS


def test_another_content_upstream_is_another_job(tmp_path: Path) -> None:
    content = b"1"

    def script_of(task: Task) -> Script:
        return Script(outputs={"it": content if task.job == "scan" else b"same"})

    world = World(tmp_path, script_of)
    world.settle(graph(job("scan"), job("packed", "scan")))
    content = b"2"
    new_scan = graph(replace(job("scan"), static_key="changed"), job("packed", "scan"))
    run = world.settle(new_scan, "seedlings-2")
    assert statuses(run) == {"scan": "done", "packed": "done"}
    # And the same content by other means is the same job.
    content = b"1"
    newer_scan = graph(replace(job("scan"), static_key="again"), job("packed", "scan"))
    run = world.settle(newer_scan, "seedlings-3")
    assert statuses(run) == {"scan": "done", "packed": "reused"}


def test_a_result_whose_files_are_gone_is_made_again(tmp_path: Path) -> None:
    """Edge 35: marked as done, and not there."""
    world = World(tmp_path, training)
    first = world.settle(graph(job("scan")))
    Path(first.jobs["scan"].out, "scan.csv").unlink()
    Path(first.jobs["scan"].out).rmdir()
    assert statuses(world.settle(graph(job("scan")), "seedlings-2")) == {"scan": "done"}


def test_again_pays_again_and_only_for_the_accelerator(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    run = world.settle(kfold(), "seedlings-2", again=True)
    assert {n for n, s in statuses(run).items() if s == "done"} == {
        "train.fold0",
        "train.fold1",
        "train.fold2",
    }
    assert world.settled_ms == 6 * FOLD_MS
