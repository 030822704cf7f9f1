"""Records of attempts that are broken, missing, or of another time."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from dataclasses import replace

import pytest

from orchestrator.executors.base import ExecutorRefused, ExecutorUnreachable
from skint.attempt import StopHow, StopRequest
from skint.process import survivors
from tests.orchestrator.executors.local_places import (
    Place,
    condition,
    directory,
    living,
    run,
    shim_of,
)
from tests.terminal import until

STOP = StopRequest("step", "end", "cancelled")
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
