"""A group is not begun unless it can be finished, or somebody has said what to do if not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.state.state import State
from skint.attempt import Task
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, graph, job, reasons, statuses

RESET_MS = SATURDAY_MS + 7 * 24 * HOUR_MS


def folds(n: int = 3, *, limit_s: float = 3600, static: str = "", **more: Any) -> Graph:
    more = {"when_short": "wait", "grace_s": 58, "group": "train", "devices": 1, **more}
    jobs = (job(f"train.fold{k}", fold=k, folds=n, limit_s=limit_s, **more) for k in range(n))
    return graph(*(replace(one, static_key=f"{one.id}{static}") for one in jobs))


def one_hour(task: Task) -> Script:
    return Script(3600 - 61)


def waits_for(reason: str) -> Any:
    def holds(state: State) -> bool:
        return any(j.reason == reason for run in state.runs.values() for j in run.jobs.values())

    return holds


def test_a_group_that_does_not_fit_now_waits_for_the_reset_and_then_begins(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=5 * HOUR_MS)
    world.ledger.adjust("lab", 3 * HOUR_MS, "by hand", SATURDAY_MS, "hand")
    world.submit(folds(3))
    state = world.until(waits_for("group"))
    told = state.runs["seedlings-1"].jobs["train.fold0"]
    assert told.until_ms == RESET_MS
    assert told.sentence == (
        "train has 3 jobs to do and is not begun before all of them fit: lab has 2.00 h left of"
        " 5.00 h and this needs 3.05 h: 1.05 h too much; it resets"
        " Sat 28 Nov 2026 00:00 UTC; --park, or `when-short: begin` in the plan, begins it all the"
        " same"
    )
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert min(a.started_ms or 0 for a in run.attempts.values()) == RESET_MS


def test_with_park_it_begins_at_once_with_what_fits(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=5 * HOUR_MS)
    world.ledger.adjust("lab", 3 * HOUR_MS - 120_000, "by hand", SATURDAY_MS, "hand")
    run = world.settle(folds(3), park=True)
    starts = sorted(a.started_ms or 0 for a in run.attempts.values())
    assert starts[0] == SATURDAY_MS and starts[1] < RESET_MS and starts[2] == RESET_MS


def test_so_it_does_where_the_plan_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=5 * HOUR_MS)
    world.ledger.adjust("lab", 3 * HOUR_MS, "by hand", SATURDAY_MS, "hand")
    run = world.settle(folds(3, when_short="begin"))
    assert min(a.started_ms or 0 for a in run.attempts.values()) == SATURDAY_MS


def test_a_group_that_has_begun_is_gone_on_with(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=5 * HOUR_MS)
    world.submit(folds(3))
    world.until(lambda state: bool(world.engine.starts))
    # Now somebody works by hand, and the rest does not fit any more.
    world.ledger.adjust("lab", int(2.5 * HOUR_MS), "by hand", world.clock.now_ms(), "hand")
    run = world.until_settled().runs["seedlings-1"]
    starts = sorted(a.started_ms or 0 for a in run.attempts.values())
    assert starts[1] < RESET_MS and starts[2] == RESET_MS


def test_a_group_larger_than_any_window_is_refused_with_the_way_out(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=2 * HOUR_MS)
    run = world.settle(folds(3))
    assert set(reasons(run).values()) == {"too-big"}
    assert run.jobs["train.fold0"].sentence == (
        "train has 3 jobs to do and is not begun before all of them fit: they need 3.05 h, lab"
        " never has more than 2.00 h; --park, or `when-short: begin` in the plan, begins it all"
        " the same"
    )
    assert not run.allocations


def test_jobs_that_took_less_the_last_time_need_less(tmp_path: Path) -> None:
    # Each reserves an hour and took ten minutes: three of them need half an hour together.
    world = World(tmp_path, lambda task: Script(600), week_ms=5 * HOUR_MS)
    assert world.settle(folds(3)).outcome == "done"
    world.ledger.adjust("lab", 3 * HOUR_MS, "by hand", world.clock.now_ms(), "hand")
    run = world.settle(folds(3, static="other"), "seedlings-2")
    assert run.outcome == "done"
    assert world.clock.now_ms() < SATURDAY_MS + 2 * HOUR_MS


def test_a_small_job_does_not_wait_for_a_group_that_does(tmp_path: Path) -> None:
    world = World(tmp_path, one_hour, week_ms=5 * HOUR_MS)
    world.ledger.adjust("lab", 3 * HOUR_MS, "by hand", SATURDAY_MS, "hand")
    world.submit(folds(3))
    world.until(waits_for("group"))
    run = world.settle(graph(job("small", devices=1, limit_s=3600)), "small-1")
    assert statuses(run) == {"small": "done"}
    assert world.clock.now_ms() < SATURDAY_MS + 2 * HOUR_MS


def test_sixty_jobs_that_wait_do_not_tell_it_again_with_each_one_that_runs(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(60))
    run = world.settle(folds(60, limit_s=600))
    assert run.outcome == "done"
    # Each once that it waits for its turn, and once more when it is the next one.
    assert len(world.kept(e.JobWaited)) <= 2 * 60
