"""`skint config`: settings from the command line, and that they have an effect."""

from __future__ import annotations

import json

from tests.terminal import Terminal

PLAN = "name: toy\njobs: {it: {run: 'true', devices: 1, limit: 5m}}\n"


def test_the_usual_account_is_charged_and_the_plan_says_so(terminal: Terminal) -> None:
    terminal.write("plan.yaml", PLAN)
    assert terminal.skint("plan", "plan.yaml").code == 2  # it needs an account and names none
    done = terminal.skint("config", "set", "account", "practice")
    assert (done.code, done.err) == (0, "")
    planned = terminal.skint("plan", "plan.yaml")
    assert planned.code == 0, planned.err
    assert "from your settings    account practice" in planned.out
    terminal.skint("config", "set", "account", "elsewhere")
    missing = terminal.skint("plan", "plan.yaml")
    assert missing.code == 2
    assert "your settings" in missing.err and "practice" in missing.err


def test_what_is_set_is_listed_for_programs_and_can_be_unset(terminal: Terminal) -> None:
    assert terminal.skint("config", "get", "cpus").code == 3
    assert terminal.skint("config", "set", "cpus", "2", "notify.console.level", "end").code == 2
    assert terminal.skint("config", "get", "cpus").code == 3  # all of it or nothing
    assert terminal.skint("config", "set", "cpus", "2").code == 0
    listed = json.loads(terminal.skint("config", "list", "--json").out)
    assert listed["schema"] == "config/1"
    assert listed["settings"] == {"cpus": 2}
    assert terminal.skint("config", "unset", "cpus").code == 0
    assert json.loads(terminal.skint("config", "list", "--json").out)["settings"] == {}
