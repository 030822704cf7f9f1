"""What a job of the CPU lane has of other runs: their results in the making and their unfinished
work."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph, Job
from orchestrator.state.state import RunState
from skint.attempt import Task
from tests.orchestrator.worlds import World, graph, job, kfold, statuses, training

RESUMING = job("packed", resumes=True)
ALONE = graph(RESUMING)


HALFWAY = ((30.0, {"kind": "progress", "done": 5, "total": 10}),)


def minute(task: Task) -> Script:
    return Script(seconds=60, lines=HALFWAY, outputs={task.job: b"x"})


def attempts(run: RunState) -> list[str]:
    return [attempt.id for attempt in run.attempts.values()]


def stopped_in_the_middle(world: World, run: str, of: Graph = ALONE) -> RunState:
    world.submit(of, run)
    world.until(lambda state: run in state.runs and _is_halfway(state.runs[run]))
    world.stop(run)
    return world.until_settled(run).runs[run]


def _is_halfway(run: RunState) -> bool:
    return any(attempt.live and attempt.progress for attempt in run.attempts.values())


# --- one result is made once ----------------------------------------------------------------------


def test_two_runs_that_need_one_result_make_it_once(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    world.submit(graph(job("packed"), job("folds", "packed")), "one-1")
    world.submit(graph(job("packed"), job("stats", "packed")), "two-1")
    state = world.until(lambda state: "two-1" in state.runs)
    waiting = state.runs["two-1"].jobs["packed"]
    assert (waiting.status, waiting.reason) == ("waiting", "being-made")
    assert waiting.sentence == "waits for packed of one-1, which makes the same result"
    state = world.until_settled("two-1")
    assert statuses(state.runs["two-1"]) == {"packed": "reused", "stats": "done"}
    assert state.runs["two-1"].jobs["packed"].sentence == "the same as packed of one-1"
    assert attempts(state.runs["two-1"]) == ["two-1.stats.1"]


def test_two_jobs_of_one_run_that_are_the_same_are_one(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    twin = replace(job("packed"), id="again", group="again")
    run = world.settle(graph(job("packed"), twin), "one-1")
    assert statuses(run) == {"packed": "done", "again": "reused"}


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_whoever_waited_for_a_result_that_did_not_come_makes_it(how: str, tmp_path: Path) -> None:
    fails = how == "fails"

    def script_of(task: Task) -> Script:
        code = 1 if fails and task.run == "one-1" else 0
        return Script(seconds=60, lines=HALFWAY, code=code, outputs={"it": b"x"})

    world = World(tmp_path, script_of)
    world.submit(graph(job("packed")), "one-1")
    world.submit(graph(job("packed")), "two-1")
    world.until(lambda state: "two-1" in state.runs and _is_halfway(state.runs["one-1"]))
    if not fails:
        world.stop("one-1")
    state = world.until_settled("two-1")
    assert state.runs["one-1"].jobs["packed"].status == ("failed" if fails else "stopped")
    assert statuses(state.runs["two-1"]) == {"packed": "done"}
    assert attempts(state.runs["two-1"]) == ["two-1.packed.1"]


def test_a_run_that_is_to_do_it_again_waits_for_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    world.submit(graph(job("packed")), "one-1")
    world.submit(graph(job("packed")), "two-1", again=True)
    state = world.until(lambda state: "two-1" in state.runs)
    assert state.runs["two-1"].jobs["packed"].status == "running"


def test_a_retry_of_the_first_does_not_run_beside_the_second(tmp_path: Path) -> None:
    """The first fails and has a retry: the second started meanwhile, and now the first waits."""

    def script_of(task: Task) -> Script:
        code = 1 if task.attempt == "one-1.packed.1" else 0
        return Script(seconds=60, lines=HALFWAY, code=code, outputs={"it": b"x"})

    world = World(tmp_path, script_of)
    world.submit(graph(job("packed", retries=1)), "one-1")
    world.submit(graph(job("packed")), "two-1")
    world.until_settled("one-1")
    state = world.until_settled("two-1")
    ran = [name for run in state.runs.values() for name in attempts(run)]
    assert len(ran) == 2, ran
    assert {*statuses(state.runs["one-1"]).values(), *statuses(state.runs["two-1"]).values()} == {
        "done",
        "reused",
    }


# --- unfinished work goes on ----------------------------------------------------------------------


def test_a_job_that_resumes_goes_on_from_what_a_stopped_run_left(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    before = stopped_in_the_middle(world, "one-1").attempts["one-1.packed.1"]
    run = world.settle(ALONE, "two-1")
    assert run.attempts["two-1.packed.1"].previous == before.out
    assert run.jobs["packed"].remark == "goes on from what one-1 had done"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (job("packed"), job("packed")),  # does not resume
        (RESUMING, replace(RESUMING, static_key="another")),
        (replace(RESUMING, smoke=True), replace(RESUMING, smoke=True)),
    ],
)
def test_what_is_not_the_same_or_does_not_resume_starts_from_the_beginning(
    before: Job, after: Job, tmp_path: Path
) -> None:
    world = World(tmp_path, minute)
    stopped_in_the_middle(world, "one-1", graph(before))
    run = world.settle(graph(after), "two-1")
    assert run.attempts["two-1.packed.1"].previous is None


def test_two_new_runs_do_not_take_the_same_unfinished_work(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    stopped_in_the_middle(world, "one-1")
    world.submit(ALONE, "two-1")
    world.submit(ALONE, "three-1", again=True)  # waits for nobody
    state = world.until(lambda state: "three-1" in state.runs)
    taken = [
        state.runs[name].attempts[f"{name}.packed.1"].previous for name in ("two-1", "three-1")
    ]
    assert sorted(map(bool, taken)) == [False, True]


def test_of_several_interrupted_attempts_the_newest_is_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    stopped_in_the_middle(world, "one-1")
    newer = stopped_in_the_middle(world, "two-1").attempts["two-1.packed.1"]
    run = world.settle(ALONE, "three-1")
    assert run.attempts["three-1.packed.1"].previous == newer.out


def test_work_that_was_taken_away_or_pruned_is_not_offered(tmp_path: Path) -> None:
    world = World(tmp_path, minute)
    before = stopped_in_the_middle(world, "one-1").attempts["one-1.packed.1"]
    for file in Path(before.out).iterdir():
        file.unlink()
    assert world.settle(ALONE, "two-1").attempts["two-1.packed.1"].previous is None


def test_what_failed_while_going_on_starts_from_the_beginning(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        return Script(
            seconds=60, lines=HALFWAY, code=1 if task.run == "two-1" else 0, outputs={"it": b"x"}
        )

    world = World(tmp_path, script_of)
    stopped_in_the_middle(world, "one-1")
    failed = world.settle(ALONE, "two-1")
    assert failed.jobs["packed"].status == "failed"
    assert failed.attempts["two-1.packed.1"].previous is not None
    assert world.settle(ALONE, "three-1").attempts["three-1.packed.1"].previous is None


@pytest.mark.parametrize("stopped_before", [False, True])
def test_what_was_killed_from_outside_is_gone_on_from(tmp_path: Path, stopped_before: bool) -> None:
    """As by the kernel for want of memory, be it in the first attempt or in one that went on."""

    def script_of(task: Task) -> Script:
        code = 137 if task.run == "two-1" else 0
        return Script(seconds=60, lines=HALFWAY, code=code, outputs={"it": b"x"})

    world = World(tmp_path, script_of)
    if stopped_before:
        stopped_in_the_middle(world, "one-1")
    killed = world.settle(ALONE, "two-1").attempts["two-1.packed.1"]
    assert (killed.outcome, killed.previous is not None) == ("failed", stopped_before)
    run = world.settle(ALONE, "three-1")
    assert run.attempts["three-1.packed.1"].previous == killed.out
    assert run.jobs["packed"].status == "done"


def test_within_a_run_its_own_attempt_comes_first(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        failing = task.attempt == "two-1.packed.1"
        return Script(seconds=60, lines=HALFWAY, code=1 if failing else 0, outputs={"it": b"x"})

    world = World(tmp_path, script_of)
    stopped_in_the_middle(world, "one-1")
    run = world.settle(graph(replace(RESUMING, retries=1)), "two-1")
    assert run.attempts["two-1.packed.2"].previous == run.attempts["two-1.packed.1"].out


# --- results that cannot be used ------------------------------------------------------------------


def test_a_fold_whose_files_are_gone_is_paid_for_again_and_says_so_once(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    first = world.settle(kfold(folds=2))
    shutil.rmtree(first.jobs["train.fold1"].out)
    second = world.settle(kfold(folds=2), "seedlings-2")
    assert statuses(second)["train.fold0"] == "reused"
    assert second.jobs["train.fold1"].remark == (
        "made again: in train.fold1 of seedlings-1 its files are gone"
    )
    assert [event.job for event in world.kept(e.JobRemarked)] == ["train.fold1"]
    assert world.store.replayed() == world.store.state()
