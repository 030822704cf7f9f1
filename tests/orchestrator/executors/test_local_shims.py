"""Shims from the nursery: what they run cannot tell, and the nursery may die at any time."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.clock import SystemClock
from orchestrator.executors import local_shims
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.local_processes import living_shims
from skint import nursery, shim
from skint.bell import Bell
from skint.process import Identity, identity, is_alive
from tests.orchestrator.executors.local_places import Place, condition, directory, run, shim_of
from tests.terminal import until

LOOK = """
import json, os, resource, sys
def of(pid):
    status = dict(l.split(":", 1) for l in open(f"/proc/{pid}/status").read().splitlines())
    folder = f"/proc/{pid}/fd"
    return {
        "cwd": os.readlink(f"/proc/{pid}/cwd"),
        "umask": status["Umask"],
        "signals": [status[n] for n in ("SigBlk", "SigIgn", "SigCgt")],
        "own session": os.getsid(pid) == pid,
        "own group": os.getpgid(pid) == pid,
        "limits": open(f"/proc/{pid}/limits").read(),
        "nice": os.getpriority(os.PRIO_PROCESS, pid),
        "cores": sorted(os.sched_getaffinity(pid)),
        "threads": status["Threads"],
        "streams": [os.readlink(f"{folder}/{n}").rpartition("/")[2] for n in (0, 1, 2)],
        "command": open(f"/proc/{pid}/cmdline").read().rstrip("\\0").split("\\0")[:-1],
    }
shim = of(os.getppid())
shim["command"] = shim["command"][:-1] + [os.path.basename(shim["command"][-1])]
own = {**of(os.getpid()), "environ": dict(os.environ)}
for name in [n for n in own["environ"] if n.startswith(("SKINT_", "PYTEST_"))]:
    own["environ"].pop(name)
own["mine"] = os.environ.get("MINE")
print(json.dumps({"own": own, "shim": shim}))
"""


def said(place: Place, executor: LocalExecutor) -> dict[str, Any]:
    submission = place.submission()
    task = submission.tasks[0]
    argv = (sys.executable, "-S", "-c", LOOK, "last")
    changed = type(task)(**{**vars(task), "argv": argv})
    submission = type(submission)(
        **{**vars(submission), "tasks": (changed,), "env": {"MINE": "a ü \udcff value"}}
    )
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "ended")
    text = directory(submission).log.read_text()
    assert text.startswith("{"), text
    answer = json.loads(text)
    assert isinstance(answer, dict)
    return answer


def nursery_of(executor: LocalExecutor) -> Identity:
    line = executor._starter._nursery
    assert line is not None
    found = identity(line._process.pid)
    assert found is not None
    return found


def test_neither_a_program_nor_who_looks_at_its_shim_can_tell_how_that_was_started(
    place: Place,
) -> None:
    forked, started = (said(place, place.executor(forks=forks)) for forks in (True, False))
    assert forked == started
    assert forked["own"]["mine"] == "a ü \udcff value"
    assert forked["shim"]["own session"] and forked["shim"]["cwd"] == "/"
    ignored = int(forked["own"]["signals"][1], 16)
    assert not ignored & (1 << signal.SIGINT - 1 | 1 << signal.SIGHUP - 1)
    assert forked["shim"]["threads"].strip() == "1"


def test_a_forked_shim_is_found_by_its_folder_like_any_other(place: Place) -> None:
    executor = place.executor()
    submission = place.submission()
    run(executor, submission)
    assert living_shims(submission.folders[0]) == (shim_of(submission),)
    command = psutil.Process(shim_of(submission)).cmdline()
    assert shim.__file__ in command and str(submission.folders[0]) in command


def test_attempts_outlive_a_nursery_that_is_killed_and_the_next_ones_start_after_it(
    place: Place,
) -> None:
    executor = place.executor()
    waits = place.submission("while ! [ -e $SKINT_OUT/go ]; do sleep 0.02; done")
    dies = place.submission()
    for submission in (waits, dies):
        run(executor, submission)
    os.kill(nursery_of(executor).pid, signal.SIGKILL)
    after = place.submission("exit 0")
    executor.submit(after)
    until(lambda: condition(executor, after) == "ended")
    again = place.submission("exit 0")
    executor.submit(again)
    assert is_alive(nursery_of(executor))  # there is another one
    assert condition(executor, waits) == "running"
    os.kill(shim_of(dies), signal.SIGKILL)
    until(lambda: condition(executor, dies) == "lost")
    (directory(waits).out / "go").touch()
    until(lambda: condition(executor, waits) == "ended")
    until(lambda: condition(executor, again) == "ended")
    for submission in (waits, after, again):
        exit = directory(submission).read_exit()
        assert exit is not None and exit.reason == "done"


def test_a_nursery_that_says_nothing_is_given_up_and_nothing_runs_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = place.executor()
    first = place.submission("exit 0")
    executor.submit(first)
    stuck = nursery_of(executor)
    os.kill(stuck.pid, signal.SIGSTOP)
    monkeypatch.setattr(local_shims, "ANSWER_TIMEOUT_S", 0.1)
    submission = place.submission("echo ran >> $SKINT_OUT/ran")
    executor.submit(submission)
    assert not is_alive(stuck)
    until(lambda: condition(executor, submission) == "ended")
    assert (directory(submission).out / "ran").read_text() == "ran\n"
    until(lambda: condition(executor, first) == "ended")


def test_where_there_can_be_no_nursery_each_shim_starts_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "PADDING", "")  # no room for a title, and it says so
    executor = place.executor()
    for _ in range(local_shims.MAX_FAILURES + 1):
        submission = place.submission("exit 0")
        executor.submit(submission)
        until(lambda one=submission: condition(executor, one) == "ended")  # type: ignore[misc]
    assert executor._starter._nursery is None


def test_what_the_nursery_cannot_start_was_not_started(place: Place) -> None:
    submission = place.submission("exit 0")
    folder = submission.folders[0].joinpath(*["x" * 200] * 60)
    long = type(submission)(**{**vars(submission), "folders": (folder,)})
    home = local_shims.Nursery(dict(os.environ))
    with pytest.raises(OSError, match="too long"):
        home.fork(directory(long), {}, "")
    home.close()
    assert condition(place.executor(), submission) == "absent"


def test_the_nursery_ends_with_its_executor_and_attempts_go_on(place: Place) -> None:
    executor = place.executor()
    submission = place.submission()
    run(executor, submission)
    home = nursery_of(executor)
    executor.close()
    assert not is_alive(home)
    assert condition(executor, submission) == "running"
    del executor
    assert condition(place.executor(), submission) == "running"


@pytest.mark.parametrize("killed", [False, True])
def test_the_end_of_an_attempt_rings_also_where_its_shim_was_killed(
    tmp_path: Path, killed: bool
) -> None:
    place = Place(tmp_path / "runs")
    bell = Bell(tmp_path / "bell")
    clock = SystemClock(bell)
    executor = LocalExecutor(place.runs, devices=(), cpus=1, bell=tmp_path / "bell")
    submission = place.submission("while ! [ -e $SKINT_OUT/go ]; do sleep 0.02; done")
    run(executor, submission)
    bell.silence()
    if killed:
        os.kill(shim_of(submission), signal.SIGKILL)
    else:
        (directory(submission).out / "go").touch()
    clock.sleep(600)
    until(lambda: condition(executor, submission) == ("lost" if killed else "ended"))
    bell.close()
