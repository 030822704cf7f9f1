"""Processes of an attempt: strays, zombies, what outlives its shim, and ids given again."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest

from orchestrator.executors import local_processes
from skint.attempt import write_json
from skint.process import descendants, identity, is_alive, survivors
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
    executor.prepare()
    submission = place.submission("exit 0")
    before = children()
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "ended")
    until(lambda: not executor.poll([]) and children() <= before)


def test_the_shim_goes_on_when_whoever_started_it_is_gone(place: Place) -> None:
    submission = place.submission("while ! [ -e $SKINT_OUT/go ]; do sleep 0.02; done")
    run(place.executor(), submission)  # this executor is forgotten at once
    shim = identity(shim_of(submission))
    assert shim is not None and is_alive(shim) and descendants(shim.pid)
    (directory(submission).out / "go").touch()
    until(lambda: condition(place.executor(), submission) == "ended")
