"""The worker as a process: what it does with a job, what it says of mistakes, its exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skint.attempt import EXIT_UNSAVED, StopRequest
from tests.skint.user_jobs import plan_folder

Make = Callable[..., Any]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's folder with a module of jobs."""
    return plan_folder(tmp_path)


def run(attempt: Make, uses: str, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run it; the exit and the parts of its error event that are set."""
    one = attempt(uses=uses, params=params)
    end = one.run()
    head = ("attempt", "fence", "seq", "at", "kind")
    errors = [
        {key: value for key, value in line.items() if value is not None and key not in head}
        for line in one.events("error")
    ]
    assert len(errors) <= 1
    assert ("Traceback" in one.log()) == any(error["trace"] for error in errors)
    return end, errors[0] if errors else {}


def test_a_job_runs_and_its_result_is_hashed(attempt: Make, plan: Path) -> None:
    one = attempt(uses="my_jobs:fit", params={"source": "data", "epochs": 5})
    end = one.run()
    assert (end.code, end.reason, list(end.outputs)) == (0, "done", ["result.txt"])
    assert (one.directory.out / "result.txt").read_text() == "5"
    (report,) = one.events("report")
    assert report["values"] == {"epoch": 1, "source": str(plan / "data"), "inputs": 0}
    assert "chatter while importing" in one.log()


PARAMETER_MISTAKES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"source": "a", "epocs": 3},
        {
            "what": "my_jobs:fit has no parameter epocs",
            "where": "with.epocs",
            "got": "3",
            "wanted": "epochs, source",
            "next": "did you mean epochs?",
            "trace": False,
        },
    ),
    (
        {"source": "a", "epochs": "many"},
        {
            "what": "the parameter epochs of my_jobs:fit is not valid",
            "where": "with.epochs",
            "got": "'many'",
            "wanted": "input should be a valid integer, unable to parse string as an integer",
            "trace": False,
        },
    ),
    (
        {"epochs": 3},
        {
            "what": "my_jobs:fit needs the parameter source",
            "where": "with.source",
            "got": "nothing",
            "trace": False,
        },
    ),
]


@pytest.mark.parametrize(("params", "error"), PARAMETER_MISTAKES)
def test_a_wrong_parameter_is_explained_without_a_traceback(
    attempt: Make, plan: Path, params: dict[str, Any], error: dict[str, Any]
) -> None:
    end, found = run(attempt, "my_jobs:fit", params)
    assert (end.code, end.reason, found) == (2, "failed", error)


def test_a_missing_function_is_explained_without_a_traceback(attempt: Make, plan: Path) -> None:
    end, found = run(attempt, "my_jobs:fitt", {})
    assert end.code == 2
    assert (found["what"], found["next"]) == ("my_jobs has no function fitt", "did you mean fit?")


def test_a_checkpoint_that_cannot_be_written_has_a_code_of_its_own(
    attempt: Make, plan: Path
) -> None:
    end, found = run(attempt, "my_jobs:full", {"source": "a"})
    assert (end.code, end.reason) == (EXIT_UNSAVED, "failed")
    assert found["got"] == "the disk is full"


def test_a_mistake_that_the_job_names_is_passed_on(attempt: Make, plan: Path) -> None:
    end, found = run(attempt, "my_jobs:mistake", {"source": "a"})
    assert end.code == 2
    assert found == {
        "what": "the folder is empty",
        "where": "data",
        "got": "0 files",
        "wanted": "pictures",
        "trace": False,
    }


def test_a_bug_leaves_its_traceback_in_the_log_and_its_place_in_the_event(
    attempt: Make, plan: Path
) -> None:
    end, found = run(attempt, "my_jobs:bug", {"source": "a"})
    assert (end.code, end.reason) == (1, "failed")
    assert found == {
        "what": "IndexError: list index out of range",
        "where": f"{plan / 'my_jobs.py'}:21",
        "trace": True,
    }


def test_a_bug_is_named_by_its_message_and_not_by_what_was_noted_beside_it(
    attempt: Make, plan: Path
) -> None:
    end, found = run(attempt, "my_jobs:noted", {"source": "a"})
    assert (end.code, end.reason) == (1, "failed")
    assert found["what"] == "ValueError: five"


def test_a_job_that_calls_exit_has_failed(attempt: Make, plan: Path) -> None:
    end, found = run(attempt, "my_jobs:leaves", {"source": "a"})
    assert (end.code, end.reason) == (1, "failed")
    assert found["what"] == "my_jobs:leaves called sys.exit(4)"


def test_a_job_stops_at_its_next_check_even_inside_except_exception(
    attempt: Make, plan: Path
) -> None:
    one = attempt(uses="my_jobs:waits", params={"source": "a"})
    one.start()
    one.wait_for("up")
    one.directory.request_stop(StopRequest("step", "requeue", "parked"))
    end = one.end()
    assert (end.code, end.reason) == (75, "stopped")
    assert one.events("error") == []


def test_a_job_that_ends_well_in_spite_of_term_is_done(attempt: Make, plan: Path) -> None:
    end, _ = run(attempt, "my_jobs:ignores", {"source": "a"})
    assert (end.code, end.reason) == (0, "done")


def test_an_environment_without_skint_is_told(attempt: Make, plan: Path) -> None:
    # -S -P would do: an interpreter that has no site-packages.
    bare = plan / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    one = attempt(uses="my_jobs:fit", params={"source": "a"}, python=str(bare))
    assert one.run().reason == "failed"
    (error,) = one.events("error")
    assert error["what"] == "the worker ended with code 1"
    assert "No module named" in error["got"]


def test_the_end_without_taking_modules_apart_waits_writes_and_keeps_the_code() -> None:
    program = """
import atexit, sys, threading, time
from skint.worker import leave

def late():
    time.sleep(0.2)
    print("thread", end=" ")

atexit.register(print, "atexit", end="")
threading.Thread(target=late).start()
print("begun", end=" ")
leave(75)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (75, "begun thread atexit")
