"""`skint config`: settings from the command line, and that they have an effect."""

from __future__ import annotations

import json
from pathlib import Path

from tests.orchestrator.cli.conftest import InProcess

PLAN = "name: toy\njobs: {it: {run: 'true', devices: 1, limit: 5m}}\n"


def test_the_usual_account_is_charged_and_the_plan_says_so(
    in_process: InProcess, tmp_path: Path
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    in_process("account", "add", "practice", "--preset", "simulated")
    assert in_process("plan", "plan.yaml").code == 2  # it needs an account and names none
    done = in_process("config", "set", "account", "practice")
    assert (done.code, done.err) == (0, "")
    planned = in_process("plan", "plan.yaml")
    assert planned.code == 0, planned.err
    assert "from your settings    account practice" in planned.out
    refused = in_process("config", "set", "account", "elsewhere")
    assert refused.code == 3 and "no such account" in refused.err
    assert in_process("config", "get", "account").out == "practice\n"
    in_process("account", "remove", "practice", "--yes")
    missing = in_process("plan", "plan.yaml")
    assert missing.code == 2
    assert "the account that your settings name is not there" in missing.err


def test_what_is_set_is_listed_for_programs_and_can_be_unset(in_process: InProcess) -> None:
    assert in_process("config", "get", "cpus").code == 3
    assert in_process("config", "set", "cpus", "2", "notify.console.level", "end").code == 2
    assert in_process("config", "get", "cpus").code == 3  # all of it or nothing
    assert in_process("config", "set", "cpus", "2").code == 0
    listed = json.loads(in_process("config", "list", "--json").out)
    assert listed["schema"] == "config/1"
    assert listed["settings"] == {"cpus": 2}
    assert in_process("config", "unset", "cpus").code == 0
    assert json.loads(in_process("config", "list", "--json").out)["settings"] == {}
