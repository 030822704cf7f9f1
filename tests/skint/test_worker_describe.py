"""What the worker says of a job without running it, and of what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs import BUILTIN
from tests.skint.user_jobs import TRAIN, plan_folder


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's folder with a module of jobs."""
    return plan_folder(tmp_path)


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
