"""Attempts of this machine: two shims for one, stops before the start, a folder that went."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from orchestrator.executors import local
from orchestrator.executors.base import Submission
from skint.attempt import StopRequest
from skint.process import survivors
from tests.orchestrator.executors.local_places import (
    Place,
    children,
    condition,
    directory,
    living,
    run,
    shim_of,
)
from tests.terminal import until

STOP = StopRequest("step", "end", "cancelled")


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
    executor = place.executor(forks=False)  # one that starts slowly enough for that
    for _ in range(20):
        submission = place.submission("exit 0")
        executor.submit(submission)
        directory(submission).claim.touch()  # the other one, which has not said yet who it is
        until(lambda name=submission.name: executor._shims[name].poll() == 0)  # type: ignore[misc]
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


def test_a_shim_that_is_alive_may_still_begin_however_old_its_claim_is(place: Place) -> None:
    executor = place.executor(forks=False)  # one that starts slowly enough to be stopped before
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
