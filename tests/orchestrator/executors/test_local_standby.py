"""Attempts that this machine starts ahead of their devices."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.executors.base import ExecutorRefused, Handle, StandbyGone, Submission
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.local_records import identity_of
from skint.attempt import AttemptDir, StopRequest, Task
from skint.process import is_alive, kill_all, survivors
from tests.terminal import until

KILL = StopRequest("kill", "end", "dropped")
WAITS = "until grep -q GPU-1 $SKINT_ATTEMPT_DIR/go.json 2>/dev/null; do sleep 0.01; done"
ALLOCATION = "run-1.allocation-1.u"


class Ahead:
    """One attempt, as it is started ahead and as it is given its devices."""

    def __init__(self, path: Path) -> None:
        self.runs = path
        self.folder = path / "run-1" / "job" / "1"
        self.directory = AttemptDir(self.folder)
        argv = ("sh", "-c", WAITS)
        self.task = Task("run-1.job.1", 1, "run-1", "job", argv=argv, cwd="/", limit_s=60.0)
        ahead = replace(self.task, standby_s=60.0)
        self.first = Submission(self.task.attempt, (ahead,), (self.folder,), cpus=1, mem_mb=0)

    def executor(self) -> LocalExecutor:
        return LocalExecutor(self.runs, devices=(), cpus=1)

    def second(self, allocation: str = ALLOCATION) -> Submission:
        task = replace(self.task, devices=("GPU-1",))
        return Submission(allocation, (task,), (self.folder,), cpus=1, mem_mb=0)

    def handle(self, allocation: str = ALLOCATION) -> Handle:
        return self.second(allocation).handle

    def start(self, executor: LocalExecutor) -> None:
        executor.submit(self.first)
        until(lambda: executor.poll([self.first.handle])[self.first.name].condition == "running")

    def close(self) -> None:
        self.executor().cancel(self.first.handle)
        kill_all(survivors(self.task.attempt, self.folder))


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Ahead]:
    made = Ahead(tmp_path / "runs")
    yield made
    made.close()


def test_its_allocation_is_absent_until_it_has_been_given(ahead: Ahead) -> None:
    executor = ahead.executor()
    ahead.start(executor)
    assert executor.poll([ahead.handle()])[ALLOCATION].condition == "absent"
    before_ms = time.time_ns() // 1_000_000
    executor.submit(ahead.second())
    executor.submit(ahead.second())
    ahead.executor().submit(ahead.second())  # after a restart in between
    until(lambda: executor.poll([ahead.handle()])[ALLOCATION].condition == "ended")
    seen = ahead.executor().poll([ahead.handle()])[ALLOCATION]
    exit = seen.attempts[ahead.task.attempt].exit
    assert exit is not None and exit.reason == "done"
    assert seen.started_ms == exit.started_ms and exit.started_ms >= before_ms
    assert seen.started_ms == (ahead.directory.read_go() or exit).at_ms  # type: ignore[union-attr]
    assert executor._shims == {}


def test_another_allocation_cannot_have_it(ahead: Ahead) -> None:
    executor = ahead.executor()
    ahead.start(executor)
    executor.submit(ahead.second())
    with pytest.raises(StandbyGone):
        executor.submit(ahead.second("run-1.allocation-2.u"))


def test_one_that_was_told_to_end_gets_no_devices(ahead: Ahead) -> None:
    executor = ahead.executor()
    ahead.start(executor)
    executor.signal(ahead.first.handle, KILL)
    until(lambda: executor.poll([ahead.first.handle])[ahead.first.name].condition == "ended")
    seen = executor.poll([ahead.first.handle])[ahead.first.name]
    exit = seen.attempts[ahead.task.attempt].exit
    assert exit is not None and exit.reason == "unused"
    with pytest.raises(StandbyGone):
        executor.submit(ahead.second())
    never = executor.poll([ahead.handle()])[ALLOCATION]
    assert (never.condition, never.started_ms, never.ended_ms) == ("ended", None, None)


def test_a_stop_of_its_allocation_reaches_it_before_its_devices_do(ahead: Ahead) -> None:
    """Whether its shim lives or not: nobody waits for an answer that cannot come."""
    executor = ahead.executor()
    ahead.start(executor)
    executor.signal(ahead.handle(), StopRequest("step", "end", "cancelled"))
    seen = ahead.executor().poll([ahead.handle()])[ALLOCATION]
    sight = seen.attempts[ahead.task.attempt]
    assert (seen.condition, seen.started_ms) == ("ended", None)
    assert sight.exit is not None and sight.exit.reason == "unused"
    until(lambda: ahead.directory.exit.exists())
    end = ahead.directory.read_exit()
    assert end is not None and end.started_ms == end.ended_ms


def test_one_whose_shim_is_dead_gets_no_devices(ahead: Ahead) -> None:
    executor = ahead.executor()
    ahead.start(executor)
    shim = identity_of(ahead.directory)
    assert shim is not None
    os.kill(shim.pid, signal.SIGKILL)
    until(lambda: executor.poll([ahead.first.handle])[ahead.first.name].condition == "lost")
    with pytest.raises(StandbyGone):
        ahead.executor().submit(ahead.second())
    go = ahead.directory.read_go()
    assert go is not None and go.void


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Ahead, Ahead]]:
    """Two attempts that were started ahead and are to be given their devices together."""
    one, other = Ahead(tmp_path / "runs"), Ahead(tmp_path / "others")
    other.task = replace(other.task, attempt="run-1.other.1", job="other")
    other.first = replace(
        other.first, name=other.task.attempt, tasks=(replace(other.task, standby_s=60.0),)
    )
    yield one, other
    one.close()
    other.close()


def together(one: Ahead, other: Ahead) -> Submission:
    tasks = (*one.second().tasks, *other.second().tasks)
    return replace(one.second(), tasks=tasks, folders=(one.folder, other.folder))


@pytest.mark.parametrize("dead", [0, 1], ids=["first", "second"])
def test_of_two_side_by_side_none_has_its_devices_where_one_has_ended(
    pair: tuple[Ahead, Ahead], dead: int
) -> None:
    """Those of the one that has ended would be kept for nothing until the other one ends."""
    executor = pair[0].executor()
    for one in pair:
        one.start(executor)
    shim = identity_of(pair[dead].directory)
    assert shim is not None
    os.kill(shim.pid, signal.SIGKILL)
    until(lambda: not is_alive(shim))
    both = together(*pair)
    for _ in range(2):
        with pytest.raises(StandbyGone):
            pair[0].executor().submit(both)
    seen = pair[0].executor().poll([both.handle])[ALLOCATION]
    assert (seen.condition, seen.started_ms) == ("ended", None)
    assert {one.exit and one.exit.reason for one in seen.attempts.values()} == {"unused"}
    until(lambda: pair[1 - dead].directory.exit.exists())
    assert not any("GPU-1" in one.directory.go.read_text() for one in pair)


def test_of_two_side_by_side_one_that_ends_behind_the_other_s_devices_changes_nothing_for_it(
    pair: tuple[Ahead, Ahead],
) -> None:
    """The scheduler died as it gave them, and is asked again."""
    kept, gone = pair
    executor = kept.executor()
    for one in pair:
        one.start(executor)
    executor.submit(kept.second())
    executor.signal(gone.first.handle, KILL)
    until(lambda: executor.poll([gone.first.handle])[gone.first.name].condition == "ended")
    both = together(kept, gone)
    executor.submit(both)
    until(lambda: executor.poll([both.handle])[ALLOCATION].condition == "ended")
    seen = executor.poll([both.handle])[ALLOCATION]
    ran, never = (seen.attempts[one.task.attempt].exit for one in pair)
    assert never is not None and never.reason == "unused"
    assert ran is not None and ran.reason == "done"
    assert (seen.started_ms, seen.ended_ms) == (ran.started_ms, ran.ended_ms)


def test_one_that_was_started_for_another_task_is_not_used(ahead: Ahead) -> None:
    executor = ahead.executor()
    ahead.start(executor)
    other = replace(ahead.second().tasks[0], params={"epochs": 3})
    with pytest.raises(StandbyGone):
        executor.submit(replace(ahead.second(), tasks=(other,)))


def test_an_ordinary_attempt_is_not_given_anything(ahead: Ahead) -> None:
    executor = ahead.executor()
    executor.submit(replace(ahead.first, tasks=(ahead.task,)))
    until(lambda: ahead.directory.claim.exists())
    with pytest.raises(ExecutorRefused, match="another attempt"):
        executor.submit(ahead.second())
    assert ahead.directory.read_go() is None
