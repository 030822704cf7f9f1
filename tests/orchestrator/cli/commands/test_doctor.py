"""`skint doctor` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.orchestrator.cli.conftest import InProcess
from tests.terminal import Terminal

CHEAP = ("extras", "disk", "files", "accounts", "slack")


def test_what_is_bad_is_an_exit_code_and_a_shape_for_programs(
    in_process: InProcess, skint_home: Path
) -> None:
    well = in_process("doctor", *CHEAP)
    assert well.code == 0, well.out
    assert "ok    ledger" in well.out
    (skint_home / "config.yaml").write_text("acount: practice\n")
    ill = in_process("doctor", *CHEAP, "--json")
    assert ill.code == 1
    said = json.loads(ill.out)
    (bad,) = [one for one in said["findings"] if one["level"] == "bad"]
    assert (said["schema"], said["healthy"], bad["check"]) == ("doctor/1", False, "settings")
    assert "did you mean account" in bad["fix"]


def test_a_check_that_does_not_exist_is_a_mistake_on_the_line(in_process: InProcess) -> None:
    wrong = in_process("doctor", "diks")
    assert wrong.code == 2
    assert "disk" in wrong.err and "Traceback" not in wrong.err


def test_mending_starts_the_scheduler_that_a_run_waits_for(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: sleep 60}}\n")
    assert terminal.skint("submit", "plan.yaml").code == 0
    terminal.skint("scheduler", "stop")
    assert "toy-1 is not over" in terminal.skint("doctor", "scheduler").out
    mended = terminal.skint("doctor", "scheduler", "--fix")
    assert "fixed" in mended.out and "a scheduler runs" in mended.out
    assert terminal.skint("cancel", "toy-1", "-y").code == 0
