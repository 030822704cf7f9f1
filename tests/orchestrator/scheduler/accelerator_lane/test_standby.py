"""Workers that are started ahead of their devices: who gets one, and that nothing of it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import Graph
from orchestrator.scheduler.accelerator_lane.standby import PREPARES_MS
from orchestrator.state.state import State
from orchestrator.views.run.view import run_view
from skint.attempt import Task
from tests.orchestrator.worlds import HOUR_MS, WALL_MS, World, graph, job, kfold, statuses, training

CAN = Faults(capabilities=Capabilities(standby=True))
PREPARES_S = 40.0
COLD_MS = 190_000
"""What a fold is charged that prepares while its device is kept."""
WARM_MS = COLD_MS - 40_000


def prepared(task: Task) -> Script:
    """A fold spends some time before its first epoch."""
    script = training(task)
    if task.fold is None:
        return script
    late = tuple((at_s + PREPARES_S, line) for at_s, line in script.lines)
    return replace(script, seconds=script.seconds + PREPARES_S, lines=late, prepare_s=PREPARES_S)


def ahead(plan: Graph | None = None, **more: Any) -> Graph:
    """The same plan with folds that may be started ahead."""
    plan = plan or kfold(**more)
    jobs = tuple(replace(one, standby=bool(one.devices)) for one in plan.jobs)
    return replace(plan, jobs=jobs)


def made(tmp_path: Path, **more: Any) -> World:
    return World(tmp_path, **{"script_of": prepared, "faults": CAN, **more})


def charges(world: World) -> list[int]:
    return [event.charged_ms for event in world.kept(e.AllocationSettled)]


def fold1_is_ready(state: State) -> bool:
    return any((s.job, s.status) == ("train.fold1", "ready") for _, s in state.live_standbys())


def test_folds_prepare_before_they_have_the_device(tmp_path: Path) -> None:
    """The first one beside a device that is free, the others while the one before them trains."""
    world = made(tmp_path)
    run = world.settle(ahead())
    assert run.outcome == "done"
    assert charges(world) == [WARM_MS] * 3
    assert world.settled_ms == 3 * WARM_MS
    attempts = [run.attempts[f"seedlings-1.train.fold{n}.1"] for n in range(3)]
    assert [attempt.stood_by for attempt in attempts] == [True, True, True]
    assert [attempt.prepared_ms for attempt in attempts] == [round(PREPARES_S * 1000)] * 3
    assert not run.standbys
    assert len(world.kept(e.StandbyPlanned)) == len(world.kept(e.StandbyReady)) == 3
    assert not world.kept(e.StandbyEnded)
    starts = world.engine.starts
    assert len(set(starts)) == len(starts)


def test_one_that_stands_by_is_told_and_kept(tmp_path: Path) -> None:
    """On the screens, and in the snapshot that they read."""
    world = made(tmp_path)
    world.submit(ahead())
    state = world.until(lambda state: any(True for _ in state.live_standbys()))
    now_ms = world.clock.now_ms()
    why = run_view(state.runs["seedlings-1"], now_ms).row("train.fold0").why
    assert why.startswith("imports, opens its data and builds its network before")
    state = world.until(lambda state: any(s.job == "train.fold1" for _, s in state.live_standbys()))
    now_ms = world.clock.now_ms()
    why = run_view(state.runs["seedlings-1"], now_ms).row("train.fold1").why
    assert why.endswith("; its worker gets ready")
    state = world.until(fold1_is_ready)
    run = state.runs["seedlings-1"]
    assert run_view(run, now_ms).row("train.fold1").why.endswith("; its worker is ready")
    assert run_view(run, now_ms).row("train.fold2").why.endswith("on lab")
    assert run.standbys and world.store.state().runs["seedlings-1"] == run


def test_stages_that_a_job_names_are_kept(tmp_path: Path) -> None:
    lines = ((1.0, {"kind": "stage", "name": "128 px"}), (9.0, {"kind": "stage", "name": 7}))
    world = World(tmp_path, lambda task: Script(seconds=20, lines=lines, outputs={"x": b"1"}))
    run = world.settle(graph(job("train", devices=1, limit_s=60.0)))
    (attempt,) = run.attempts.values()
    assert attempt.started_ms is not None
    assert attempt.stages == ((attempt.started_ms + 1_000, "128 px"),)  # what is no name is none
    assert world.store.state() == world.store.replayed()


def test_nobody_is_started_ahead_where_the_engine_or_the_job_cannot(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "job").mkdir()
    for world, plan in (
        (made(tmp_path / "engine", faults=Faults()), ahead()),
        (made(tmp_path / "job"), kfold()),
    ):
        world.settle(plan)
        assert charges(world) == [COLD_MS] * 3
        assert not world.kept(e.StandbyPlanned)


def test_it_begins_once_the_one_before_it_is_at_work(tmp_path: Path) -> None:
    """Beside another one's imports it would make a paid start longer."""
    world = made(tmp_path)
    world.settle(ahead())
    reports = [event.reported_ms for event in world.kept(e.MetricsReported)]
    planned = world.kept(e.StandbyPlanned)[1]
    started = world.kept(e.AllocationStarted)[0].start_ms
    assert planned.at_ms >= min(min(reports), started + 60_000)


def test_a_stop_of_the_group_gives_it_up_and_charges_nothing_for_it(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(ahead())
    world.until(fold1_is_ready)
    world.stop(scope="group", target="train")
    run = world.until_settled().runs["seedlings-1"]
    assert statuses(run)["train.fold1"] == "stopped"
    assert not run.standbys and len(charges(world)) == 1
    assert len(run.attempts) == 4  # three of the CPU lane, one fold
    (dropped,), (ended,) = world.kept(e.StandbyDropped), world.kept(e.StandbyEnded)
    assert dropped.reason == "cancelled" and not ended.by_itself


def test_a_fold_that_fails_takes_the_one_along_that_stands_by(tmp_path: Path) -> None:
    def breaks(task: Task) -> Script:
        script = prepared(task)
        return replace(script, code=1, seconds=120) if task.fold == 0 else script

    world = made(tmp_path, script_of=breaks)
    run = world.settle(ahead())
    assert statuses(run)["train.fold1"] == "skipped"
    assert [event.attempt for event in world.kept(e.StandbyEnded)] == ["seedlings-1.train.fold1.1"]


def test_one_that_dies_while_it_prepares_is_no_failure_and_is_not_tried_again(
    tmp_path: Path,
) -> None:
    def dies(task: Task) -> Script:
        script = prepared(task)
        if task.fold == 1 and task.standby_s is not None:
            return replace(script, code=9, seconds=10)
        return script

    world = made(tmp_path, script_of=dies)
    run = world.settle(ahead())
    assert run.outcome == "done"
    assert charges(world) == [WARM_MS, COLD_MS, WARM_MS]
    assert run.jobs["train.fold1"].attempts == ("seedlings-1.train.fold1.2",)
    assert "code 9" in run.jobs["train.fold1"].unready
    assert "code 9" in run_view(run, world.clock.now_ms()).row("train.fold1").why
    assert len(world.kept(e.StandbyPlanned)) == 3


def test_one_whose_end_nobody_has_seen_when_its_devices_come_costs_nothing(
    tmp_path: Path,
) -> None:
    world = made(tmp_path)
    world.submit(ahead())
    world.until(fold1_is_ready)
    name = "seedlings-1.train.fold1.1"
    real = world.engine.submissions[name].attempts[0]
    # How many there will be is known: on several, further processes are started ahead as well.
    assert (real.task.devices, real.task.device_count) == ((), 1)
    first = world.engine.submissions[world.engine.submission_of["seedlings-1.train.fold0.1"]]
    # It dies in the moment in which its devices come free.
    world.engine._end(real, first.attempts[0].end_ms, "unused", 1)
    poll = type(world.scheduler.executors["simulated"]).poll

    def blind(self: Any, handles: Any) -> Any:
        return {k: v for k, v in poll(self, handles).items() if k != name}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.scheduler.executors["simulated"]), "poll", blind)
        run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert run.attempts[name].outcome == "unused"
    assert run.jobs["train.fold1"].attempts == (name, "seedlings-1.train.fold1.2")
    assert charges(world) == [WARM_MS] * 3  # another worker prepared for it
    assert len(world.kept(e.AllocationReleased)) == 1
    assert not world.ledger.reservations()


def test_cpu_work_comes_before_what_is_started_ahead(tmp_path: Path) -> None:
    """On this machine, where both are."""

    def slow(task: Task) -> Script:
        return Script(seconds=600) if task.job == "late" else prepared(task)

    plan = ahead(kfold(folds=2))
    jobs = tuple(replace(one, mem_mb=5_000) if one.devices else one for one in plan.jobs)
    early = job("early", mem_mb=1_000)
    late = job("late", "early", cpus=2, mem_mb=7_000)
    scripts = lambda task: Script(seconds=130) if task.job == "early" else slow(task)  # noqa: E731
    world = made(tmp_path, script_of=scripts)
    account = replace(world.ledger.account("lab"), executor="local")
    world.ledger.change_account(account, world.clock.now_ms())
    run = world.settle(replace(plan, jobs=(*jobs, early, late)))
    assert run.outcome == "done"
    (dropped,) = world.kept(e.StandbyDropped)
    assert dropped.reason == "cpu-work"
    assert charges(world) == [COLD_MS, COLD_MS]
    assert run.jobs["train.fold0"].attempts == ("seedlings-1.train.fold0.2",)


def test_a_restart_finds_it_again_at_every_moment(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(ahead())
    run = world.until_settled_with_restarts().runs["seedlings-1"]
    assert run.outcome == "done"
    assert charges(world) == [WARM_MS] * 3
    assert world.settled_ms < HOUR_MS


def test_one_that_nobody_needs_any_more_ends_by_itself(tmp_path: Path) -> None:
    """The scheduler is dead for longer than it waits."""
    world = made(tmp_path)
    world.submit(ahead(limit_s=600))
    world.until(fold1_is_ready)
    world.clock.advance(2 * 3600)
    assert not world.engine.submissions["seedlings-1.train.fold1.1"].attempts[0].exit.digest
    world.restart()
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert [event.by_itself for event in world.kept(e.StandbyEnded)] == [False]
    assert run.jobs["train.fold1"].attempts == ("seedlings-1.train.fold1.2",)


def test_a_device_does_not_wait_for_ever_for_a_worker_that_prepares(tmp_path: Path) -> None:
    slow_s = PREPARES_MS / 1000 + 60

    def dawdles(task: Task) -> Script:
        script = training(task)
        if task.fold is None:
            return script
        late = tuple((at_s + slow_s, line) for at_s, line in script.lines)
        return replace(script, seconds=script.seconds + slow_s, lines=late, prepare_s=slow_s)

    world = made(tmp_path, script_of=dawdles)
    run = world.settle(ahead(limit_s=1200))
    assert run.outcome == "done"
    first, *others = charges(world)
    assert WARM_MS < first <= WARM_MS + 61_000  # what it had not done yet, it did on the device
    assert others == [WARM_MS, WARM_MS]


@pytest.mark.parametrize(("mem_mb", "charged_ms"), [(1_000, WARM_MS), (2_000, COLD_MS)])
def test_beside_cores_that_are_all_taken_a_fold_prepares_but_not_without_its_memory(
    tmp_path: Path, mem_mb: int, charged_ms: int
) -> None:
    busy = tuple(job(f"busy{n}", cpus=1, mem_mb=3_500) for n in range(8))

    def scripts(task: Task) -> Script:
        return Script(seconds=1_000) if task.job.startswith("busy") else prepared(task)

    world = made(tmp_path, script_of=scripts)
    account = replace(world.ledger.account("lab"), executor="local")
    world.ledger.change_account(account, world.clock.now_ms())
    plan = ahead(kfold(folds=1))
    jobs = [replace(one, mem_mb=mem_mb) if one.devices else one for one in plan.jobs]
    run = world.settle(replace(plan, jobs=(*jobs, *busy)))
    assert run.outcome == "done"
    assert charges(world) == [charged_ms]


def behind_smoke(plan: Graph) -> Graph:
    """With a smoke test before the folds, as a plan has it, on all cores."""
    smoke = job("train.smoke", "folds", smoke=True, cpus=0)
    jobs = [replace(one, needs=(*one.needs, smoke.id)) if one.devices else one for one in plan.jobs]
    return replace(plan, jobs=(*jobs[:3], smoke, *jobs[3:]))


def test_the_first_fold_prepares_while_its_smoke_test_runs(tmp_path: Path) -> None:
    def scripts(task: Task) -> Script:
        return Script(seconds=60) if task.job == "train.smoke" else prepared(task)

    world = made(tmp_path, script_of=scripts)
    world.submit(behind_smoke(ahead()))
    state = world.until(lambda state: any(True for _ in state.live_standbys()))
    run = state.runs["seedlings-1"]
    assert statuses(run)["train.smoke"] == "running"
    assert list(run.standbys) == ["seedlings-1.train.fold0.1"]
    why = run_view(run, world.clock.now_ms()).row("train.fold0").why
    assert why == "needs train.smoke; its worker gets ready"
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done" and charges(world) == [WARM_MS] * 3
    assert "preparing" not in {event.reason for event in world.kept(e.JobWaited)}


def test_a_smoke_test_that_fails_takes_the_worker_along_that_stands_by(tmp_path: Path) -> None:
    def scripts(task: Task) -> Script:
        broken = task.job == "train.smoke"
        return Script(seconds=60, code=1) if broken else prepared(task)

    world = made(tmp_path, script_of=scripts)
    run = world.settle(behind_smoke(ahead()))
    assert statuses(run)["train.fold0"] == "skipped"
    (ended,) = world.kept(e.StandbyEnded)
    assert not ended.by_itself and not run.standbys and not charges(world)


def test_one_that_waits_for_hours_keeps_no_worker(tmp_path: Path) -> None:
    world = made(tmp_path, week_ms=WALL_MS + COLD_MS // 2)
    world.submit(ahead(kfold(folds=2)))
    state = world.until(lambda state: bool(world.kept(e.StandbyEnded)))
    (dropped,) = world.kept(e.StandbyDropped)
    known = state.runs["seedlings-1"].jobs["train.fold1"]
    assert dropped.reason == known.reason == "over-budget"


def test_a_device_that_waits_for_a_worker_is_given_to_nobody_else(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.submit(ahead(kfold(folds=1)))
    world.until(lambda state: any(True for _ in state.live_standbys()))
    world.submit(kfold(folds=1), "other-1", again=True)
    world.until(lambda state: sum(run.settled for run in state.runs.values()) == 2)
    first, second = world.kept(e.AllocationStarted)
    assert first.run == "seedlings-1" and second.start_ms >= first.start_ms + WARM_MS
