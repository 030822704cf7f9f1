"""The worker as a process: what it describes, what it says of mistakes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs import BUILTIN
from skint.attempt import EXIT_UNSAVED, StopRequest

Make = Callable[..., Any]

TRAIN = """
from pathlib import Path
from pydantic import BaseModel, ConfigDict, Field
import skint

print("chatter while importing")

class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    source: Path
    epochs: int = Field(3, ge=1)

@skint.job(devices=1, cpus=2, smoke=True, resume=True)
def fit(params: Params, ctx: skint.Context) -> None:
    ctx.report(epoch=1, source=str(ctx.resolve(params.source)), inputs=len(ctx.inputs))
    ctx.out.joinpath("result.txt").write_text(str(params.epochs))

@skint.job()
def bug(params: Params, ctx: skint.Context) -> None:
    ctx.progress(1, 2)
    [][params.epochs]

@skint.job()
def mistake(params: Params, ctx: skint.Context) -> None:
    raise skint.SkintError("the folder is empty", where="data", got="0 files", wanted="pictures")

@skint.job()
def waits(params: Params, ctx: skint.Context) -> None:
    ctx.out.joinpath("up").touch()
    while True:
        try:
            ctx.check()
        except Exception:
            pass

@skint.job()
def leaves(params: Params, ctx: skint.Context) -> None:
    raise SystemExit(4)

@skint.job()
def ignores(params: Params, ctx: skint.Context) -> None:
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)

@skint.job()
def untyped(params, ctx):
    pass

@skint.job()
def alone() -> None:
    pass

def plain(params: Params, ctx: skint.Context) -> None:
    pass

@skint.job()
def noted(params: Params, ctx: skint.Context) -> None:
    error = ValueError("five")
    error.add_note("the traceback of\\nanother process\\n")
    raise error

@skint.job()
def full(params: Params, ctx: skint.Context) -> None:
    from skint.checkpoint import CheckpointError
    raise CheckpointError("the checkpoint could not be written", got="the disk is full")

number = 3
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's folder with a module of jobs."""
    (tmp_path / "my_jobs.py").write_text(TRAIN)
    return tmp_path


def describe(uses: str, base: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-P", "-m", "skint.worker", "--describe", uses, "--base", str(base)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=base)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("uses", ["my_jobs:fit", "./my_jobs.py:fit", "my_jobs.py:fit"])
def test_a_users_job_is_described(plan: Path, uses: str) -> None:
    code, found = describe(uses, plan)
    assert code == 0
    assert found["params"]["properties"]["epochs"] == {
        "default": 3,
        "minimum": 1,
        "title": "Epochs",
        "type": "integer",
    }
    assert found["params"]["required"] == ["source"]
    assert found.pop("params")["additionalProperties"] is False
    assert found == {
        "uses": uses,
        "devices": 1,
        "cpus": 2,
        "smoke": True,
        "resume": True,
        "standby": False,
        "measures": False,
        "libraries": {},
        "source": str(plan / "my_jobs.py"),
        "line": 13,
    }


def test_a_built_in_job_is_described_beside_a_users_jobs_module(plan: Path) -> None:
    (plan / "jobs.py").write_text("raise RuntimeError('not this one')")
    code, found = describe("folds", plan)
    assert code == 0
    assert (found["devices"], Path(found["source"]).name) == (0, "job.py")
    assert found["params"]["properties"]


def test_a_job_in_a_package_and_in_a_folder_is_described(plan: Path) -> None:
    for folder in ("package", "scripts"):
        (plan / folder).mkdir()
        (plan / folder / "deep.py").write_text("from near import fit")
    (plan / "package" / "__init__.py").touch()
    (plan / "near.py").write_text(TRAIN)
    assert describe("package.deep:fit", plan)[0] == 0
    assert describe("scripts/deep.py:fit", plan)[0] == 0


def test_a_file_with_the_name_of_an_installed_module_is_still_itself(plan: Path) -> None:
    (plan / "test.py").write_text(TRAIN)  # Python has a package `test`
    code, found = describe("./test.py:fit", plan)
    assert (code, found["source"]) == (0, str(plan / "test.py"))


SHADOWED = "a module called jobs would be shadowed by skint's own package jobs"

MISTAKES: dict[str, dict[str, str]] = {
    "resise": {
        "what": "there is no built-in job resise",
        "wanted": ", ".join([*sorted(BUILTIN), "or module:function, or ./file.py:function"]),
        "next": "did you mean resize?",
    },
    "my_jobs:fitt": {
        "what": "my_jobs has no function fitt",
        "where": "{plan}/my_jobs.py",
        "wanted": "fit, bug, mistake, waits, leaves, ignores, untyped, alone, noted, full",
        "next": "did you mean fit?",
    },
    "my_job:fit": {
        "what": "there is no module my_job",
        "where": "{plan}",
        "got": "uses: my_job:fit",
        "wanted": "my_job.py in the plan's folder, or an installed package",
        "next": "did you mean my_jobs?",
    },
    "my_jobs.inner:fit": {
        "what": "there is no module my_jobs.inner",
        "where": "{plan}",
        "got": "uses: my_jobs.inner:fit",
    },
    "./my_job.py:fit": {
        "what": "there is no file ./my_job.py",
        "where": "{plan}/my_job.py",
        "wanted": "the file of `uses: ./my_job.py:fit`",
        "next": "did you mean my_jobs.py?",
    },
    "my_jobs:plain": {
        "what": "my_jobs:plain is not a job",
        "got": "a function without the decorator",
        "next": "write @skint.job(devices=0) above `def plain(params, ctx)`",
    },
    "my_jobs:number": {
        "what": "my_jobs:number is not a job",
        "got": "a int without the decorator",
        "next": "write @skint.job(devices=0) above `def number(params, ctx)`",
    },
    "my_jobs:untyped": {
        "what": "my_jobs:untyped does not say which parameters it takes",
        "where": "{plan}/my_jobs.py:45",
        "got": "`params` without an annotation",
        "wanted": "a pydantic model, e.g. `params: Params`",
    },
    "my_jobs:alone": {
        "what": "my_jobs:alone does not take what a job takes",
        "where": "{plan}/my_jobs.py:49",
        "got": "()",
        "wanted": "(params, ctx)",
    },
    "jobs:fit": {
        "what": SHADOWED,
        "where": "{plan}/jobs.py",
        "got": "uses: jobs:fit",
        "next": "uses: ./jobs.py:fit, or rename it",
    },
    "random:fit": {
        "what": "the module random is hidden by another one of that name",
        "where": "{plan}/random.py",
        "got": "{random}, which is imported first",
        "next": "uses: ./random.py:fit, or rename it",
    },
    "imports_jobs:fit": {
        "what": SHADOWED,
        "where": "{plan}/jobs.py",
        "got": "import jobs",
        "next": "rename it",
    },
    "broken:fit": {
        "what": "broken:fit cannot be imported",
        "where": "{plan}/broken.py:2",
        "got": "SyntaxError: '(' was never closed",
    },
    "lacking:fit": {
        "what": "lacking:fit cannot be imported",
        "where": "{plan}/lacking.py:2",
        "got": "ModuleNotFoundError: No module named 'not_installed_here'",
    },
}


@pytest.mark.parametrize("uses", MISTAKES)
def test_what_cannot_be_described_is_explained(plan: Path, uses: str) -> None:
    import random

    (plan / "jobs.py").write_text(TRAIN)
    (plan / "random.py").write_text(TRAIN)
    (plan / "imports_jobs.py").write_text("import jobs\nfit = jobs.fit")
    (plan / "broken.py").write_text("\nprint(")
    (plan / "lacking.py").write_text("\nimport not_installed_here")
    code, answer = describe(uses, plan)
    assert code == 2
    found = {key: value for key, value in answer["error"].items() if value is not None}
    names = {"plan": str(plan), "random": random.__file__}
    assert found == {key: text.format(**names) for key, text in MISTAKES[uses].items()}


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
