"""The queue: in which order jobs will start, when, and why they wait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.commands import PauseJobs, SetHold
from orchestrator.graph import Graph
from orchestrator.state.state import State
from orchestrator.views.queue import Queue, queue_view
from orchestrator.views.run.view import run_view
from tests.orchestrator.worlds import FOLD_MS, World, graph, job, kfold, training

OTHER = "other-1"


def another(name: str) -> Graph:
    """The same plan with other pictures: nothing of it is known."""
    plain = kfold(name)
    jobs = (replace(job, static_key=f"{name} {job.static_key}") for job in plain.jobs)
    return replace(plain, jobs=tuple(jobs))


def second_fold(path: Path) -> World:
    """Fold 0 of one run is done, fold 1 has told one epoch; another run waits behind."""
    world = World(path, training)
    world.submit(kfold())
    world.submit(another("other"), OTHER)

    def begun(state: State) -> bool:
        run = state.runs.get("seedlings-1")
        attempt = run.current("train.fold1") if run else None
        return attempt is not None and bool(attempt.reports)

    world.until(begun)
    return world


def view(world: World, most: int | None = None) -> Queue:
    return queue_view(world.scheduler.state, world.clock.now_ms(), most=most, cores=2)


def test_jobs_stand_in_the_order_in_which_they_start(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    queue = view(world)
    names = [f"{row.run} {row.job}" for row in queue.rows]
    assert names[:2] == ["seedlings-1 train.fold1", "seedlings-1 train.fold2"]
    assert names[2:5] == [f"{OTHER} train.fold{n}" for n in range(3)]
    assert sorted(names[5:]) == [f"{OTHER} errors", "seedlings-1 errors"]
    running, following = queue.rows[:2]
    assert (queue.running, queue.waiting, queue.more) == (1, 6, 0)
    assert (running.status, running.reason, running.account) == ("running", "", "lab")
    assert (following.status, following.reason) == ("waiting", "devices")
    assert "waits for 1 of 1 devices" in following.why
    end_ms = world.clock.now_ms() + running.likely_ms
    assert following.start_ms == end_ms
    assert following.start_known
    assert following.likely_ms == FOLD_MS
    third = queue.rows[2]
    assert third.start_ms == end_ms + FOLD_MS
    errors = {row.run: row for row in queue.rows if row.job == "errors"}
    assert errors["seedlings-1"].reason == "needs"
    assert errors["seedlings-1"].why == "needs train.fold1, train.fold2"
    assert (errors["seedlings-1"].account, errors["seedlings-1"].devices) == (None, 0)
    # It starts when the last fold ends, and that is known.
    assert errors["seedlings-1"].start_ms == end_ms + FOLD_MS


def test_they_do_start_in_that_order(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    told = [(row.run, row.job) for row in view(world).rows if row.account]
    world.until_settled(OTHER)
    attempts = [
        (run.name, attempt.job, attempt.started_ms or 0)
        for run in world.scheduler.state.runs.values()
        for attempt in run.attempts.values()
        if attempt.devices
    ]
    began = [(run, job) for run, job, _ in sorted(attempts, key=lambda one: one[2])]
    assert began[-len(told) :] == told


def test_what_was_never_measured_takes_its_limit_at_most(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    parts = [job(f"part{n}", devices=1, limit_s=600) for n in range(2)]
    world.submit(graph(*parts), "small-1")
    world.until(lambda state: "small-1" in state.runs and any(state.runs["small-1"].live_attempts))
    first, second = view(world).rows
    assert not first.known
    assert first.high_ms <= 632_000
    assert not second.start_known
    assert second.start_ms == world.clock.now_ms() + first.likely_ms


def test_only_so_many_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    whole, some = view(world), view(world, most=3)
    assert some.rows == whole.rows[:3]
    assert some.more == len(whole.rows) - 3


def test_a_priority_comes_first(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.submit(another("urgent"), "urgent-1", priority=5)
    world.until(lambda state: "urgent-1" in state.runs and bool(state.runs["urgent-1"].ready))
    rows = [row.run for row in view(world).rows if row.account and row.status == "waiting"]
    assert rows[:3] == ["urgent-1"] * 3


def test_what_is_held_or_paused_says_so_and_has_no_start(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.store.ask(PauseJobs(run=OTHER, scope="run", target=OTHER, by="ana"), 0)
    world.store.ask(SetHold(account="lab", reason="too warm", by="ben"), 0)
    world.scheduler.tick()
    rows = {(row.run, row.job): row for row in view(world).rows}
    held, paused = rows["seedlings-1", "train.fold2"], rows[OTHER, "train.fold0"]
    assert (held.reason, held.start_ms) == ("held", None)
    assert held.why.startswith("held by ben since Sat 21 Nov 2026")
    assert held.why.endswith(": too warm")
    assert (paused.status, paused.reason, paused.start_ms) == ("paused", "paused", None)
    assert [row.run for row in view(world).rows][-1] == OTHER
    state, now_ms = world.scheduler.state, world.clock.now_ms()
    shown = run_view(state.runs["seedlings-1"], now_ms, state.runs, state.holds)
    assert shown.row("train.fold2").why == held.why
    assert shown.row("errors").why == "needs train.fold1, train.fold2"
    assert run_view(state.runs[OTHER], now_ms).status == "paused"
    free = replace(state, holds=())
    assert queue_view(free, now_ms).rows[1].reason == "devices"


def test_an_empty_queue_is_empty() -> None:
    assert queue_view(State(), 0) == Queue((), 0, 0)
