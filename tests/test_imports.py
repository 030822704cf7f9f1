"""What stays unloaded: a command that shows or asks must not wait for torch, and neither must a
user's script that imports skint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "textual", "slack_sdk", "numpy", "pydantic", "PIL", "sklearn", "matplotlib"}

RUN_COMMAND = """
import json, sys
from orchestrator.cli import main
sys.argv = ["skint", *sys.argv[1:]]
code = 0
try:
    code = main() or 0
except SystemExit as stop:
    code = stop.code or 0
print()
print(json.dumps({"code": code, "loaded": sorted(sys.modules)}))
"""


def loaded_by(program: str, *arguments: str, cwd: Path) -> dict[str, object]:
    """The last line that `program` prints, from JSON; it runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer


def top_level(loaded: object) -> set[str]:
    assert isinstance(loaded, list)
    return {str(name).partition(".")[0] for name in loaded}


def test_importing_skint_loads_neither_pydantic_nor_numpy_nor_torch(tmp_path: Path) -> None:
    answer = loaded_by(
        "import json, sys, skint; print(json.dumps({'loaded': sorted(sys.modules)}))", cwd=tmp_path
    )
    assert "skint" in top_level(answer["loaded"])
    assert top_level(answer["loaded"]) & HEAVY == set()


@pytest.mark.parametrize("module", ["skint.shim", "skint.worker"])
def test_the_shim_and_the_worker_start_with_skint_alone(module: str, tmp_path: Path) -> None:
    answer = loaded_by(
        f"import json, sys, {module}; print(json.dumps({{'loaded': sorted(sys.modules)}}))",
        cwd=tmp_path,
    )
    names = top_level(answer["loaded"])
    assert "skint" in names
    assert names & HEAVY == set()
    assert names & {"budget", "jobs", "notifiers", "orchestrator"} == set()


@pytest.mark.parametrize(
    "line",
    ["--help", "status", "budget", "ledger list", "account list", "metrics x", "compare x"],
)
def test_a_command_that_shows_loads_nothing_heavy(line: str, tmp_path: Path) -> None:
    answer = loaded_by(RUN_COMMAND, *line.split(), cwd=tmp_path)
    assert answer["code"] == (3 if line.endswith(" x") else 0), "there is no run x"
    assert "orchestrator" in top_level(answer["loaded"])
    assert top_level(answer["loaded"]) & HEAVY == set()


def test_the_status_of_runs_is_read_without_the_ledger(tmp_path: Path) -> None:
    answer = loaded_by(RUN_COMMAND, "status", cwd=tmp_path)
    loaded = answer["loaded"]
    assert isinstance(loaded, list) and "orchestrator.views.run.view" in loaded
    assert "budget.ledger" not in loaded
