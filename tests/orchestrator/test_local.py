"""The whole scheduler on this machine: real processes, the system's clock, real files."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestrator.executors.local import LocalExecutor
from orchestrator.scheduler.shell import Scheduler
from orchestrator.state.state import State
from skint.attempt import AttemptDir
from tests.orchestrator.homes import HOUR_MS, LivingHome
from tests.terminal import until

WAITS_FOR_GO = "say 1; while ! [ -e go ]; do sleep 0.05; done; echo ready > $SKINT_OUT/it"
LEAVES_DAEMONS = """
trap '' TERM
(setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
sh -c 'trap "" TERM; while :; do sleep 1; done' &
say 1
while :; do sleep 1; done
"""
ACCELERATED = {"devices": 1, "limit_s": 300.0}


def reported(run: str = "small-1", jobs: int = 1) -> Callable[[State], bool]:
    """So many jobs of the run have said something."""

    def has_reported(state: State) -> bool:
        known = state.runs.get(run)
        return known is not None and sum(bool(a.reports) for a in known.attempts.values()) >= jobs

    return has_reported


def test_a_run_of_real_processes_ends_and_is_charged_to_the_millisecond(
    living: LivingHome,
) -> None:
    """Edge 31: from the start of the worker until its last process is gone."""
    folds = [
        living.job(
            f"train.fold{n}",
            f"say 1; cat $SKINT_INPUT_SCAN/it > $SKINT_OUT/it; echo {n} >> $SKINT_OUT/it; say 2",
            "scan",
            group="train",
            fold=n,
            folds=2,
            **ACCELERATED,
        )
        for n in range(2)
    ]
    living.submit(
        living.job("scan", "echo scanned > $SKINT_OUT/it"),
        *folds,
        living.job("errors", "exit 0", "train.fold0", "train.fold1"),
    )
    living.begin()
    run = living.until_settled()
    assert run.outcome == "done"
    assert living.started() == [attempt.id for attempt in run.attempts.values()]
    assert Path(run.jobs["train.fold1"].out, "it").read_text() == "scanned\n1\n"
    folds_reports = [run.attempts[f"small-1.train.fold{n}.1"].reports for n in range(2)]
    assert [[r["epoch"] for r in reports] for reports in folds_reports] == [[1, 2], [1, 2]]
    # Charged is what the shims measured, and the ledger says the same.
    took = living.ends()
    charged = {name: ms for a in run.allocations.values() for name, ms in a.shares.items()}
    assert charged == {name: took[name] for name in charged}
    balance = living.ledger.balance("lab", living.clock.now_ms())
    assert balance.settled_ms == sum(charged.values()) > 0
    assert balance.free_ms == HOUR_MS - balance.settled_ms
    assert living.store.state() == living.store.replayed()


def test_a_program_that_fails_says_how_and_what_needs_it_is_skipped(living: LivingHome) -> None:
    living.submit(
        living.job("scan", "echo no such disk >&2; exit 4", retries=1),
        living.job("packed", "exit 0", "scan"),
    )
    living.begin()
    run = living.until_settled()
    assert run.outcome == "failed"
    assert living.started() == ["small-1.scan.1", "small-1.scan.2"]
    error = run.attempts["small-1.scan.2"].error
    assert error is not None and error["got"] == "no such disk"
    assert run.jobs["packed"].reason == "needs-failed"


def test_after_a_cancel_no_process_of_the_run_is_alive(living: LivingHome) -> None:
    living.submit(
        living.job("train", LEAVES_DAEMONS, grace_s=0.5, **ACCELERATED),
        living.job("cpu", LEAVES_DAEMONS, grace_s=0.5),
        living.job("later", "exit 0", "train", "cpu"),
    )
    living.begin()
    living.until(reported(jobs=2))
    assert len(living.processes()) >= 6
    living.stop()
    run = living.until_settled()
    assert run.outcome == "cancelled"
    assert {attempt.outcome for attempt in run.attempts.values()} == {"killed"}
    assert living.processes() == []
    assert living.ledger.reservations(open_only=True) == ()
    (allocation,) = run.allocations.values()
    assert allocation.charged_ms == living.ends()["small-1.train.1"]


def test_a_scheduler_that_was_killed_is_followed_by_one_that_adopts_what_runs(
    living: LivingHome,
) -> None:
    """Edge 19: what is alive is adopted and not started a second time."""
    living.submit(
        living.job("train", WAITS_FOR_GO, **ACCELERATED),
        living.job("cpu", WAITS_FOR_GO),
        living.job("later", "exit 0", "train", "cpu"),
    )
    first = living.begin()
    living.until(reported(jobs=2))
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert len(living.processes()) >= 2  # they go on without anybody
    living.begin()
    (living.base / "go").touch()
    run = living.until_settled()
    assert run.outcome == "done"
    assert sorted(living.started()) == ["small-1.cpu.1", "small-1.later.1", "small-1.train.1"]
    assert [len(attempt.reports) for attempt in run.attempts.values()] == [1, 1, 0]
    assert living.store.state() == living.store.replayed()


def test_what_ended_while_no_scheduler_lived_is_charged_as_it_was(living: LivingHome) -> None:
    """Edge 13: the scheduler dies, the job goes on and ends."""
    living.submit(living.job("train", WAITS_FOR_GO, **ACCELERATED))
    first = living.begin()
    living.until(reported())
    first.send_signal(signal.SIGKILL)
    first.wait()
    (living.base / "go").touch()
    (folder,) = living.home.runs.glob("*/*/*")
    until(lambda: AttemptDir(folder).exit.exists())
    living.begin()
    run = living.until_settled()
    (allocation,) = run.allocations.values()
    assert allocation.charged_ms == living.ends()["small-1.train.1"]
    assert not allocation.estimated


def test_a_shim_that_was_killed_too_is_lost_tried_again_and_nothing_of_it_is_left(
    living: LivingHome,
) -> None:
    """Edge 14: the scheduler and what watches the job are both killed."""
    script = f'if [ "${{SKINT_ATTEMPT##*.}}" = 1 ]; then {LEAVES_DAEMONS}\nfi'
    living.submit(living.job("train", script, retries=1, **ACCELERATED))
    first = living.begin()
    living.until(reported())
    (folder,) = living.home.runs.glob("*/*/*")
    first.send_signal(signal.SIGKILL)
    first.wait()
    os.kill(json.loads(AttemptDir(folder).handle.read_text())["pid"], signal.SIGKILL)
    living.begin()
    run = living.until_settled()
    lost, done = run.attempts.values()
    assert (lost.outcome, done.outcome) == ("lost", "done")
    assert living.processes() == []
    first_allocation = next(iter(run.allocations.values()))
    assert 0 < first_allocation.charged_ms <= first_allocation.amount_ms


def test_values_of_variables_reach_the_job_and_are_stored_nowhere(living: LivingHome) -> None:
    secret = "correct-horse-battery-staple"
    script = "printf %s \"$TOKEN\" | sha256sum | cut -d' ' -f1 > $SKINT_OUT/digest; say 1"
    living.submit(
        replace(living.job("told", script), env=("TOKEN",)),
        living.job("not-told", script),
    )
    scheduler = Scheduler(
        living.store,
        living.ledger,
        {"local": LocalExecutor(living.home.runs, devices=())},
        living.clock,
        runs_dir=living.home.runs,
        environ={"TOKEN": secret},
    )
    scheduler.run(lambda state: "small-1" in state.runs and state.runs["small-1"].settled)
    run = scheduler.state.runs["small-1"]
    digests = {name: Path(job.out, "digest").read_text().strip() for name, job in run.jobs.items()}
    assert digests == {
        "told": hashlib.sha256(secret.encode()).hexdigest(),
        "not-told": hashlib.sha256(b"").hexdigest(),
    }
    files = [path for path in living.base.rglob("*") if path.is_file()]
    assert living.home.store in files and len(files) > 10
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
