"""What is this machine's own: two shims for one attempt, broken records, strays, a reboot."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.executors import local, local_processes
from orchestrator.executors.base import ExecutorRefused, ExecutorUnreachable, Submission
from orchestrator.executors.local import LocalExecutor
from skint.attempt import AttemptDir, StopHow, StopRequest, Task, write_json
from skint.process import descendants, identity, is_alive, kill_all, survivors
from tests.terminal import until

STOP = StopRequest("step", "end", "cancelled")


class Place:
    """A folder of runs, as every home has one."""

    def __init__(self, path: Path) -> None:
        self.runs = path
        self.made: list[Submission] = []

    def executor(self) -> LocalExecutor:
        return LocalExecutor(self.runs, devices=(), cpus=1)

    def submission(self, script: str = "sleep 600") -> Submission:
        name = f"run-1.job{len(self.made)}.1"
        task = Task(name, 1, "run-1", "job", argv=("sh", "-c", script), cwd="/")
        folder = self.runs / "run-1" / f"job{len(self.made)}" / "1"
        self.made.append(Submission(name, (task,), (folder,), cpus=1, mem_mb=0))
        return self.made[-1]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "runs")
    yield made
    clean(made)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Place]:
    """The runs of another SKINT_HOME."""
    made = Place(tmp_path / "other" / "runs")
    yield made
    clean(made)


def clean(place: Place) -> None:
    for submission in place.made:
        place.executor().cancel(submission.handle)
        kill_all(survivors(submission.name, submission.folders[0]))


def directory(submission: Submission) -> AttemptDir:
    return AttemptDir(submission.folders[0])


def condition(executor: LocalExecutor, submission: Submission) -> str:
    return executor.poll([submission.handle])[submission.name].condition


def shim_of(submission: Submission) -> int:
    pid = json.loads(directory(submission).handle.read_text())["pid"]
    assert isinstance(pid, int)
    return pid


def run(executor: LocalExecutor, submission: Submission) -> None:
    """Start it, and wait until its program runs."""
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "running")
    until(lambda: bool(survivors(submission.name, submission.folders[0])))


def test_a_shim_that_comes_second_is_no_proof_that_the_first_one_is_lost(place: Place) -> None:
    for _ in range(5):
        first, second = place.executor(), place.executor()
        submission = place.submission("exit 0")
        first.submit(submission)
        second.submit(submission)  # as a scheduler would that was restarted in between
        seen: set[str] = set()
        while seen.isdisjoint({"ended", "lost"}):
            seen |= {condition(first, submission), condition(second, submission)}
        assert "lost" not in seen


def test_a_shim_that_left_because_another_one_has_the_claim_is_no_proof_either(
    place: Place,
) -> None:
    executor = place.executor()
    for _ in range(20):
        before = children()
        submission = place.submission("exit 0")
        executor.submit(submission)
        directory(submission).claim.touch()  # the other one, which has not said yet who it is
        shims = children() - before
        until(lambda pids=shims: not any(identity(pid) for pid in pids))  # type: ignore[misc]
        if not directory(submission).handle.exists():  # else it was faster than this test
            assert [condition(executor, submission) for _ in range(3)] == ["pending"] * 3
            return
    raise AssertionError("the shim always came first")


def test_a_shim_that_dies_before_its_first_word_is_lost(place: Place, tmp_path: Path) -> None:
    executor = place.executor()
    submission = place.submission()
    submission.folders[0].mkdir(parents=True)
    directory(submission).create(submission.tasks[0])
    directory(submission).task.write_text("{")  # what it is to do cannot be read
    directory(submission).claim.touch()
    assert condition(executor, submission) == "pending"
    age_claim(submission)
    assert condition(executor, submission) == "lost"


def test_a_stop_that_was_cut_short_before_its_record_ends_as_lost(place: Place) -> None:
    submission = place.submission()
    submission.folders[0].mkdir(parents=True)
    directory(submission).request_stop(STOP)
    directory(submission).claim.touch()  # and there the scheduler was killed
    assert condition(place.executor(), submission) == "pending"
    age_claim(submission)
    assert condition(place.executor(), submission) == "lost"


def age_claim(submission: Submission) -> None:
    claim = directory(submission).claim
    then = claim.stat().st_mtime - local.CLAIM_TIMEOUT_S - 1
    os.utime(claim, (then, then))


NO_RECORDS = [
    "",
    "{",
    "[]",
    "{}",
    '{"code": 0}',
    '{"code": "0", "reason": "done", "started_ms": 1, "ended_ms": 2}',
    '{"code": 0, "reason": "done", "started_ms": 1, "ended_ms": null}',
    '{"code": 0, "reason": "done", "started_ms": 1, "ended_ms": 2, "outputs": []}',
]


@pytest.mark.parametrize("text", NO_RECORDS)
def test_without_its_shim_an_exit_record_that_is_none_is_lost_and_hides_nobody_else(
    place: Place, text: str
) -> None:
    executor = place.executor()
    broken, fine = place.submission("exit 0"), place.submission("exit 0")
    for submission in (broken, fine):
        executor.submit(submission)
        until(lambda one=submission: condition(executor, one) == "ended")  # type: ignore[misc]
    until(lambda: not living(broken))
    directory(broken).exit.write_text(text)
    seen = place.executor().poll([broken.handle, fine.handle])
    assert [seen[one.name].condition for one in (broken, fine)] == ["lost", "ended"]
    assert str(directory(broken).exit) in seen[broken.name].reason


def test_a_record_that_was_begun_and_not_written_tells_of_a_full_disk(place: Place) -> None:
    executor, submission = place.executor(), place.submission()
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "running")
    (submission.folders[0] / "exit.json.17.tmp").touch()
    os.kill(shim_of(submission), signal.SIGKILL)
    until(lambda: condition(executor, submission) == "lost")
    seen = place.executor().poll([submission.handle])[submission.name]
    assert "the disk is full" in seen.reason


def test_with_its_shim_alive_an_exit_record_that_is_none_says_nothing(place: Place) -> None:
    submission = place.submission("setsid sleep 600 & wait")
    run(place.executor(), submission)
    until(lambda: len(survivors(submission.name, submission.folders[0])) >= 2)
    directory(submission).exit.write_text('{"code": "0"}')
    assert condition(place.executor(), submission) == "running"
    os.kill(shim_of(submission), signal.SIGKILL)
    until(lambda: condition(place.executor(), submission) == "lost")
    assert living(submission) == ()


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"pid": "1", "start_ticks": "", "boot_id": 1}'])
def test_a_shim_that_cannot_be_read_is_found_by_what_it_was_started_for(
    place: Place, text: str
) -> None:
    submission = place.submission()
    run(place.executor(), submission)
    shim = shim_of(submission)
    directory(submission).handle.write_text(text)
    executor = place.executor()
    assert condition(executor, submission) == "running"
    assert [handle.name for handle in executor.discover()] == [submission.name]
    os.kill(shim, signal.SIGKILL)
    until(lambda: condition(executor, submission) == "lost")
    assert living(submission) == ()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_cancel_after_its_folder_was_removed_is_no_proof_that_it_never_started(
    place: Place, restarted: bool
) -> None:
    submission = place.submission("setsid sleep 600 & wait")
    executor = place.executor()
    run(executor, submission)
    until(lambda: len(survivors(submission.name, submission.folders[0])) >= 2)
    shutil.rmtree(place.runs / "run-1")
    executor = place.executor() if restarted else executor
    executor.cancel(submission.handle)
    assert not directory(submission).claim.exists()
    until(lambda: condition(executor, submission) in ("ended", "lost"))
    seen = executor.poll([submission.handle])[submission.name]
    if seen.condition == "ended":  # its shim has found the request, and measured
        assert seen.started_ms is not None and seen.ended_ms is not None
        assert seen.started_ms < seen.ended_ms
    until(lambda: not living(submission))


@pytest.mark.parametrize("restarted", [False, True])
def test_what_runs_without_its_folder_is_ended_and_then_lost(place: Place, restarted: bool) -> None:
    submission = place.submission("setsid sleep 600 & wait")
    executor = place.executor()
    run(executor, submission)
    until(lambda: len(survivors(submission.name, submission.folders[0])) >= 2)
    shutil.rmtree(place.runs / "run-1")
    executor = place.executor() if restarted else executor
    seen = executor.poll([submission.handle])[submission.name]
    assert seen.condition == "lost" and "removed" in seen.reason
    assert living(submission) == ()


def test_what_outlived_its_shim_and_its_folder_is_ended_too(place: Place) -> None:
    submission = place.submission("setsid sleep 600 & wait")
    run(place.executor(), submission)
    until(lambda: len(survivors(submission.name, submission.folders[0])) >= 2)
    os.kill(shim_of(submission), signal.SIGKILL)
    shutil.rmtree(place.runs / "run-1")
    assert survivors(submission.name, submission.folders[0])
    assert condition(place.executor(), submission) == "lost"
    assert living(submission) == ()


def test_a_shim_that_is_alive_may_still_begin_however_old_its_claim_is(place: Place) -> None:
    executor = place.executor()
    for _ in range(20):
        before = children()
        submission = place.submission("exit 0")
        executor.submit(submission)
        for shim in children() - before:
            os.kill(shim, signal.SIGSTOP)
        if directory(submission).handle.exists():  # it was faster than this test
            os.kill(shim_of(submission), signal.SIGCONT)
            continue
        (shim,) = children() - before
        directory(submission).claim.touch()
        age_claim(submission)
        assert condition(executor, submission) == "pending"
        assert condition(place.executor(), submission) == "pending"  # a restarted one knows too
        os.kill(shim, signal.SIGKILL)
        until(lambda one=submission: condition(executor, one) == "lost")  # type: ignore[misc]
        return
    raise AssertionError("the shim always came first")


def test_by_a_clock_that_was_set_back_nobody_knows_until_when_it_ran(place: Place) -> None:
    """Edge 3: the clock was set back while it ran."""
    said, started, neither = (place.submission() for _ in range(3))
    later_s = time.time() + 3600
    for submission in (said, started, neither):
        run(place.executor(), submission)
        os.kill(shim_of(submission), signal.SIGKILL)
    with directory(said).events.open("a") as events:
        line = {"attempt": said.name, "fence": 1, "seq": 9, "at": round(later_s * 1000)}
        events.write(json.dumps({**line, "kind": "note", "text": ""}) + "\n" + '{"at": ')
    os.utime(directory(started).handle, (later_s, later_s))
    until(lambda: condition(place.executor(), neither) == "lost")
    seen = place.executor().poll([one.handle for one in (said, started, neither)])
    assert {one.condition for one in seen.values()} == {"lost"}
    assert [seen[one.name].ended_ms is None for one in (said, started, neither)] == [1, 1, 0]


def test_the_folder_of_another_attempt_of_the_same_name_is_refused(place: Place) -> None:
    submission = place.submission("exit 0")
    place.executor().submit(submission)
    until(lambda: condition(place.executor(), submission) == "ended")
    place.executor().submit(submission)  # the same again changes nothing
    other = replace(submission.tasks[0], argv=("sh", "-c", "exit 1"))
    with pytest.raises(ExecutorRefused, match="another attempt"):
        place.executor().submit(replace(submission, tasks=(other,)))
    assert directory(submission).read_task() == submission.tasks[0]
    directory(submission).task.write_text("{}")
    with pytest.raises(ExecutorRefused, match="cannot be read"):
        place.executor().submit(submission)


def test_what_cannot_be_read_is_passed_over_when_what_runs_is_listed(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    no_task, bad_task, fine = (place.submission() for _ in range(3))
    for submission in (no_task, bad_task, fine):
        run(place.executor(), submission)
    directory(no_task).task.unlink()
    directory(bad_task).task.write_text("[]")
    bad_handle = place.runs / "run-1" / "older" / "1"
    bad_handle.mkdir(parents=True)
    (bad_handle / "handle.json").mkdir()
    (place.runs / "notes.txt").touch()
    with caplog.at_level(logging.WARNING):
        assert [handle.name for handle in place.executor().discover()] == [fine.name]
    passed_over = [directory(no_task).path, directory(bad_task).path, bad_handle]
    assert all(str(path) in caplog.text for path in passed_over)


def test_where_the_disk_refuses_the_executor_cannot_be_reached(place: Place) -> None:
    executor = place.executor()
    submission = place.submission()
    place.runs.mkdir()
    (place.runs / "run-1").touch()  # a file where the folder of the run should be
    with pytest.raises(ExecutorUnreachable):
        executor.signal(submission.handle, STOP)
    with pytest.raises(ExecutorUnreachable):
        executor.cancel(submission.handle)
    with pytest.raises(ExecutorUnreachable):
        executor.read(submission.name, submission.folders[0], 0)
    (place.runs / "run-1").unlink()
    assert executor.read(submission.name, submission.folders[0], 7) == ((), 7)


def living(submission: Submission) -> tuple[int, ...]:
    return local_processes.living(submission.name, submission.folders[0])


def test_a_stop_file_that_is_no_request_is_replaced_by_one(place: Place) -> None:
    executor = place.executor()
    submission = place.submission()
    submission.folders[0].mkdir(parents=True)
    directory(submission).stop.write_text('{"how": "gently"}')
    executor.signal(submission.handle, STOP)
    assert directory(submission).read_stop() == STOP


def test_a_request_is_replaced_by_a_stricter_one_only(place: Place) -> None:
    executor = place.executor()
    submission = place.submission()
    asked: list[StopHow] = ["epoch", "step", "epoch", "kill", "step"]
    stands = []
    for how in asked:
        executor.signal(submission.handle, StopRequest(how, "end", "cancelled"))
        request = directory(submission).read_stop()
        stands.append(request.how if request else None)
    assert stands == ["epoch", "step", "step", "kill", "kill"]


def test_strays_of_an_attempt_are_not_those_of_its_namesake_in_another_home(
    place: Place, elsewhere: Place
) -> None:
    script = "setsid sh -c 'while :; do sleep 1; done' & wait"
    here, there = place.submission(script), elsewhere.submission(script)
    assert here.name == there.name
    run(place.executor(), here)
    other = elsewhere.executor()
    run(other, there)
    os.kill(shim_of(here), signal.SIGKILL)
    until(lambda: condition(place.executor(), here) == "lost")
    assert survivors(here.name, here.folders[0]) == ()
    assert condition(other, there) == "running"
    assert survivors(there.name, there.folders[0]) != ()


def test_what_is_still_dying_keeps_its_device(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = place.submission("setsid sleep 600 & wait")
    run(place.executor(), submission)
    until(lambda: len(survivors(submission.name, submission.folders[0])) >= 2)
    os.kill(shim_of(submission), signal.SIGKILL)
    monkeypatch.setattr(local_processes, "KILL_ROUNDS", 0)  # as if nothing could be ended in time
    executor = place.executor()
    until(lambda: condition(executor, submission) == "unknown")
    monkeypatch.undo()
    assert condition(executor, submission) == "lost"


def test_after_a_reboot_it_is_lost_and_nobody_knows_since_when(place: Place) -> None:
    """Edge 14: a power cut."""
    submission = place.submission()
    run(place.executor(), submission)
    os.kill(shim_of(submission), signal.SIGKILL)
    handle = directory(submission).handle
    write_json(handle, {**json.loads(handle.read_text()), "boot_id": "another"})
    seen = place.executor().poll([submission.handle])[submission.name]
    assert seen.condition == "lost"
    assert seen.started_ms is not None and seen.ended_ms is None


def test_the_same_pid_after_a_reboot_is_somebody_else(place: Place) -> None:
    """Edge 18: the pid is given out again."""
    submission = place.submission()
    submission.folders[0].mkdir(parents=True)
    directory(submission).create(submission.tasks[0])
    directory(submission).claim.touch()
    me = identity(os.getpid())
    assert me is not None
    write_json(
        directory(submission).handle,
        {"pid": me.pid, "start_ticks": me.start_ticks, "boot_id": "another"},
    )
    assert condition(place.executor(), submission) == "lost"


def test_no_zombie_is_left_of_a_shim_that_has_ended(place: Place) -> None:
    executor = place.executor()
    submission = place.submission("exit 0")
    before = children()
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "ended")
    until(lambda: not executor.poll([]) and children() <= before)


def children() -> set[int]:
    """Direct children of this process, dead ones that nobody has reaped included."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(path.parent.name))
    return found


def test_the_shim_goes_on_when_whoever_started_it_is_gone(place: Place) -> None:
    submission = place.submission("while ! [ -e $SKINT_OUT/go ]; do sleep 0.02; done")
    run(place.executor(), submission)  # this executor is forgotten at once
    shim = identity(shim_of(submission))
    assert shim is not None and is_alive(shim) and descendants(shim.pid)
    (directory(submission).out / "go").touch()
    until(lambda: condition(place.executor(), submission) == "ended")
