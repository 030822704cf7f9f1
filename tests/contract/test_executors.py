"""What every executor keeps to, tried on this machine and on simulated engines with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from orchestrator.executors.base import (
    Executor,
    Handle,
    Observation,
    StandbyGone,
    Submission,
)
from skint.attempt import Exit
from tests.contract.grounds import GROUNDS, KILL, STOP, Ground


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = GROUNDS[request.param](tmp_path)
    yield made
    made.close()


def start(ground: Ground, executor: Executor, submission: Submission) -> Handle:
    """Submit it, and wait until it is seen to run."""
    ground.do(lambda: executor.submit(submission))
    ground.until_seen(executor, submission.handle, "running")
    return submission.handle


def exit_of(seen: Observation, attempt: str) -> Exit:
    """The exit record that an observation of an ended attempt carries."""
    sight = seen.attempts[attempt]
    assert sight.condition == "ended" and sight.exit is not None
    return sight.exit


def test_what_is_submitted_twice_is_started_once(ground: Ground) -> None:
    """Edge 12: submitted again, after a crash in between."""
    executor, restarted = ground.connect(), ground.connect()
    submission = ground.submission("short")
    for one in (executor, executor, restarted, executor):
        ground.do(partial(one.submit, submission))
    ground.until_seen(restarted, submission.handle, "ended")
    ground.do(lambda: executor.submit(submission))  # nor after its end
    ground.until_seen(executor, submission.handle, "ended")
    assert ground.started() == [submission.name]


def test_of_a_name_that_it_never_heard_an_executor_is_sure_that_it_is_absent(
    ground: Ground,
) -> None:
    executor = ground.connect()
    known = ground.submission("short")
    unknown = ground.submission("listener").handle
    ground.do(lambda: executor.submit(known))
    seen = executor.poll([known.handle, unknown])  # one that is unknown does not hide the other
    assert set(seen) == {known.name, unknown.name}
    ground.until_seen(executor, unknown, "absent")
    ground.until_seen(executor, known.handle, "ended")


def test_a_restarted_scheduler_finds_it_by_the_same_handle_and_sees_its_end(
    ground: Ground,
) -> None:
    submission = ground.submission("short")
    ground.do(lambda: ground.connect().submit(submission))
    handle = Handle(submission.name, (submission.name,), submission.folders)
    end = exit_of(ground.until_seen(ground.connect(), handle, "ended"), submission.name)
    assert (end.code, end.reason) == (0, "done")
    # The end does not change however often it is looked at, and by whomever.
    again = exit_of(ground.until_seen(ground.connect(), handle, "ended"), submission.name)
    assert again == end


def test_lines_come_whole_and_once(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("short")
    (attempt,), (folder,) = submission.handle.attempts, submission.folders
    lines: list[bytes] = []
    cursor = 0

    def read(by: Executor) -> bool:
        nonlocal cursor
        new, cursor = by.read(attempt, folder, cursor)
        lines.extend(new)
        return True

    ground.do(lambda: read(executor))
    assert (lines, cursor) == ([], 0)  # nothing is there, and that is no error
    ground.do(lambda: executor.submit(submission))

    def ended() -> bool:
        read(executor)
        return executor.poll([submission.handle])[attempt].condition == "ended"

    ground.until(ended)
    restarted = ground.connect()  # it goes on from the cursor that was kept
    ground.do(lambda: read(restarted))
    ground.do(lambda: read(restarted))
    said = [json.loads(text) for text in lines]
    reports = [line for line in said if line["kind"] == "report"]
    assert [line["values"] for line in reports] == [{"epoch": n} for n in (1, 2, 3)]
    assert {(line["attempt"], line["fence"]) for line in said} == {(attempt, 7)}


def test_a_signal_lets_it_save_and_asking_again_changes_nothing(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("listener")
    handle = start(ground, executor, submission)
    (folder,) = handle.folders
    if executor.name == "local":
        ground.until(lambda: (folder / "out" / "ready").exists())
    ground.do(lambda: executor.signal(handle, STOP))
    ground.do(lambda: executor.signal(handle, STOP))
    end = exit_of(ground.until_seen(executor, handle, "ended"), handle.name)
    assert (end.code, end.reason, end.digest) == (75, "stopped", "")
    ground.do(lambda: executor.signal(handle, STOP))
    ground.do(lambda: executor.signal(handle, KILL))
    assert exit_of(ground.until_seen(executor, handle, "ended"), handle.name) == end
    ground.do(lambda: executor.collect(handle.name, folder))
    assert (folder / "out" / "saved").read_bytes() == b"whole"


def test_what_is_stopped_before_it_arrives_never_starts(ground: Ground) -> None:
    submission = ground.submission("short")
    ground.do(lambda: ground.connect().signal(submission.handle, STOP))
    executor = ground.connect()
    ground.do(lambda: executor.submit(submission))
    seen = ground.until_seen(executor, submission.handle, "ended")
    end = exit_of(seen, submission.name)
    assert end.reason == "stopped"
    assert end.started_ms == end.ended_ms and seen.started_ms == seen.ended_ms
    assert ground.started() == []


def test_a_stop_that_comes_alone_is_an_end_too(ground: Ground) -> None:
    handle = ground.submission("short").handle
    executor = ground.connect()
    ground.do(lambda: executor.signal(handle, STOP))
    assert exit_of(ground.until_seen(executor, handle, "ended"), handle.name).reason == "stopped"


def test_cancel_ends_what_ignores_every_request_where_the_engine_can(ground: Ground) -> None:
    """Edge 42: an engine that cannot cancel lets it run to its end."""
    executor = ground.connect()
    submission = ground.submission("stubborn")
    handle = start(ground, executor, submission)
    ground.wait_for_stubborn(handle)
    ground.do(lambda: executor.cancel(handle))
    ground.do(lambda: executor.cancel(handle))
    end = exit_of(ground.until_seen(executor, handle, "ended"), handle.name)
    assert not ground.is_running(handle)
    if ground.capabilities.hard_cancel:
        assert end.reason == "killed" and end.code != 0
    else:  # nothing was changed: it went on to its own end
        assert end.reason == "done"


def test_a_kill_is_not_softened_by_a_later_request(ground: Ground) -> None:
    executor = ground.connect()
    handle = start(ground, executor, ground.submission("stubborn"))
    ground.wait_for_stubborn(handle)
    ground.do(lambda: executor.signal(handle, KILL))
    ground.do(lambda: executor.cancel(handle))
    ground.do(lambda: executor.signal(handle, STOP))
    seen = ground.until_seen(executor, handle, "ended")
    assert exit_of(seen, handle.name).reason == "killed"


def test_the_times_of_the_exit_record_lie_within_what_was_observed(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("short")
    before_ms = ground.clock.now_ms()
    ground.do(lambda: executor.submit(submission))
    seen = ground.until_seen(executor, submission.handle, "ended")
    after_ms = ground.clock.now_ms()
    end = exit_of(seen, submission.name)
    assert seen.started_ms is not None and seen.ended_ms is not None
    assert before_ms <= seen.started_ms <= end.started_ms
    assert end.started_ms < end.ended_ms <= seen.ended_ms <= after_ms


def test_discover_lists_what_runs_and_nothing_else(ground: Ground) -> None:
    executor = ground.connect()

    def found() -> set[str]:
        return {
            name for one in ground.until(lambda: (executor.discover(),))[0] for name in one.attempts
        }

    assert found() == set()
    ended = ground.submission("short")
    ground.do(lambda: executor.submit(ended))
    ground.until_seen(executor, ended.handle, "ended")
    handle = start(ground, executor, ground.submission("listener"))
    executor = ground.connect()
    assert found() == {handle.name}
    (one,) = ground.until(lambda: (executor.discover(),))[0]
    ground.do(lambda: executor.signal(one, STOP))  # what was found can be addressed
    ground.until_seen(executor, handle, "ended")
    assert found() == set()


def test_collect_brings_what_it_left(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("short")
    (folder,) = submission.folders
    ground.do(lambda: executor.submit(submission))
    end = exit_of(ground.until_seen(executor, submission.handle, "ended"), submission.name)
    restarted = ground.connect()
    for _ in range(2):
        ground.do(lambda: restarted.collect(submission.name, folder))
        result = folder / "out" / "folder" / "result"
        assert result.read_text() == submission.name
    assert list(end.outputs) == ["folder/result"]
    assert end.digest


def test_it_is_lost_with_proof_only_and_then_nothing_of_it_is_left(ground: Ground) -> None:
    executor = ground.connect()
    handle = start(ground, executor, ground.submission("stubborn"))
    ground.wait_for_stubborn(handle)
    conditions = {executor.poll([handle])[handle.name].condition for _ in range(20)}
    assert "lost" not in conditions
    ground.lose(handle)
    seen = ground.until_seen(ground.connect(), handle, "lost")
    assert not ground.is_running(handle)
    sight = seen.attempts[handle.name]
    assert sight.condition == "lost" and sight.exit is None
    assert sight.started_ms is not None and seen.started_ms == sight.started_ms
    if seen.ended_ms is not None:
        assert sight.started_ms <= seen.ended_ms <= ground.clock.now_ms()


def test_at_its_limit_a_job_is_asked_to_stop(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("listener", limit_s=2)
    ground.do(lambda: executor.submit(submission))
    seen = ground.until_seen(executor, submission.handle, "ended")
    end = exit_of(seen, submission.name)
    assert end.reason == "deadline"
    assert end.ended_ms - end.started_ms >= 2_000


def test_at_its_deadline_a_job_that_ignores_that_is_killed(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("stubborn", limit_s=2)
    ground.do(lambda: executor.submit(submission))
    end = exit_of(ground.until_seen(executor, submission.handle, "ended"), submission.name)
    assert end.reason == "deadline"
    assert end.ended_ms - end.started_ms >= 2_500  # its grace is half a second
    assert not ground.is_running(submission.handle)


def test_a_failure_comes_with_its_exit_code_and_no_result(ground: Ground) -> None:
    executor = ground.connect()
    submission = ground.submission("failing")
    ground.do(lambda: executor.submit(submission))
    end = exit_of(ground.until_seen(executor, submission.handle, "ended"), submission.name)
    assert (end.code, end.reason, end.digest) == (3, "failed", "")


def test_several_attempts_of_an_allocation_run_in_turn_and_are_stopped_one_by_one(
    ground: Ground,
) -> None:
    if ground.capabilities.attempts_per_allocation < 3:
        pytest.skip("an allocation of it carries one attempt")
    executor = ground.connect()
    submission = ground.submission("short", "listener", "short", name="run-1.allocation-1")
    first, second, third = submission.handle.attempts
    handle = submission.handle
    ground.do(lambda: executor.submit(submission))
    only_second = Handle(handle.name, (second,), handle.folders[1:2])

    def second_runs() -> bool:
        sights = executor.poll([handle])[handle.name].attempts
        return second in sights and sights[second].condition == "running"

    ground.until(second_runs)
    ground.do(lambda: executor.signal(only_second, STOP))
    seen = ground.until_seen(executor, handle, "ended")
    ends = [exit_of(seen, name) for name in (first, second, third)]
    assert [end.reason for end in ends] == ["done", "stopped", "done"]
    assert ends[0].ended_ms <= ends[1].started_ms and ends[1].ended_ms <= ends[2].started_ms
    assert (seen.started_ms, seen.ended_ms) == (ends[0].started_ms, ends[2].ended_ms)


def test_attempts_side_by_side_have_ends_of_their_own(ground: Ground) -> None:
    if not ground.capabilities.together:
        pytest.skip("an allocation of it carries one attempt at a time")
    executor = ground.connect()
    made = ground.submission("short", "listener", "listener", name="run-1.allocation-1")
    tasks = tuple(replace(task, devices=(f"GPU-{n}",)) for n, task in enumerate(made.tasks))
    submission = replace(made, tasks=tasks, devices=("GPU-0", "GPU-1", "GPU-2"), together=True)
    first, second, third = submission.handle.attempts
    handle = submission.handle
    for one in (executor, executor, ground.connect()):
        ground.do(partial(one.submit, submission))
    if executor.name == "local":
        ready = [folder / "out" / "ready" for folder in handle.folders[1:]]
        ground.until(lambda: all(file.exists() for file in ready))

    def is_seen(attempt: str, condition: str) -> bool:
        seen = executor.poll([handle])[handle.name]
        return seen.attempts[attempt].condition == condition and seen.condition == "running"

    ground.until(lambda: is_seen(first, "ended"))
    for number, attempt in ((1, second), (2, third)):
        part = Handle(handle.name, (attempt,), handle.folders[number : number + 1])
        ground.do(partial(executor.signal, part, STOP))
        if attempt == second:
            ground.until(lambda: is_seen(second, "ended"))
    seen = ground.until_seen(ground.connect(), handle, "ended")
    ends = [exit_of(seen, name) for name in (first, second, third)]
    assert [end.reason for end in ends] == ["done", "stopped", "stopped"]
    assert seen.started_ms is not None
    assert seen.started_ms <= min(end.started_ms for end in ends)
    assert seen.ended_ms == max(end.ended_ms for end in ends)
    assert sorted(ground.started()) == sorted([first, second, third])


def ahead_and_after(ground: Ground) -> tuple[Submission, Submission]:
    """One attempt as it is started ahead, and as it gets its devices."""
    if not ground.capabilities.standby:
        pytest.skip("nothing can be started ahead on it")
    after = replace(ground.submission("waiter", limit_s=60), name="run-1.allocation-1")
    ground.handles.append(after.handle)
    (task,) = after.tasks
    ahead = replace(after, name=task.attempt, tasks=(replace(task, standby_s=60.0),))
    return ahead, after


def test_what_was_started_ahead_is_no_attempt_before_it_has_its_devices(ground: Ground) -> None:
    executor = ground.connect()
    ahead, after = ahead_and_after(ground)
    start(ground, executor, ahead)
    assert executor.poll([after.handle])[after.name].condition == "absent"
    before_ms = ground.clock.now_ms()
    for one in (executor, executor, ground.connect()):
        ground.do(partial(one.submit, after))
    seen = ground.until_seen(ground.connect(), after.handle, "ended")
    end = exit_of(seen, ahead.name)
    assert (end.reason, seen.started_ms) == ("done", end.started_ms)
    assert before_ms <= end.started_ms
    assert ground.started() == [ahead.name]


def test_what_was_told_to_end_gets_no_devices(ground: Ground) -> None:
    executor = ground.connect()
    ahead, after = ahead_and_after(ground)
    start(ground, executor, ahead)
    ground.do(lambda: executor.signal(ahead.handle, KILL))
    ground.do(lambda: executor.cancel(ahead.handle))
    end = exit_of(ground.until_seen(executor, ahead.handle, "ended"), ahead.name)
    assert end.reason == "unused"
    with pytest.raises(StandbyGone):
        ground.do(lambda: executor.submit(after))


def test_a_stop_that_comes_before_its_devices_ends_it_without_any(ground: Ground) -> None:
    executor = ground.connect()
    ahead, after = ahead_and_after(ground)
    start(ground, executor, ahead)
    ground.do(lambda: executor.signal(after.handle, STOP))
    seen = ground.until_seen(ground.connect(), after.handle, "ended")
    assert seen.started_ms == seen.ended_ms
    ground.until_seen(executor, ahead.handle, "ended")
    with pytest.raises(StandbyGone):
        ground.do(lambda: executor.submit(after))


def test_an_executor_says_what_it_has(ground: Ground) -> None:
    executor = ground.connect()
    capacity = executor.capacity()
    assert capacity.cpus >= 1 and capacity.mem_mb > 0
    assert executor.capabilities == ground.capabilities
    assert executor.name
