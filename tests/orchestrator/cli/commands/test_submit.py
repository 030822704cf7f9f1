"""`skint submit`: what is said of a run as a whole."""

from __future__ import annotations

import json

from orchestrator.store.store import Store
from tests.terminal import Terminal


def test_a_run_may_be_given_a_priority(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: 'true'}}\n")
    assert terminal.skint("submit", "plan.yaml", "--priority", "7").code == 0
    with Store(terminal.folder / "home" / "store.db") as store:
        run = store.state().runs["toy-1"]
        assert (run.priority, run.park) == (7, False)


def test_a_priority_is_a_whole_number(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: 'true'}}\n")
    wrong = terminal.skint("submit", "plan.yaml", "--priority", "high")
    assert wrong.code == 2
    assert "--priority" in wrong.err and "Traceback" not in wrong.err


def test_of_several_terminals_each_gets_a_number_of_its_own(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: 'true'}}\n")
    begun = [terminal.begin("submit", "plan.yaml", "--again", "--json") for _ in range(3)]
    said = [json.loads(one.communicate(timeout=300)[0]) for one in begun]
    assert [one.returncode for one in begun] == [0, 0, 0]
    assert sorted(one["run"] for one in said) == ["toy-1", "toy-2", "toy-3"]


def test_what_was_run_before_is_told_and_not_queued(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: 'true'}}\n")
    assert terminal.skint("run", "plan.yaml").code == 0
    again = terminal.skint("submit", "plan.yaml")
    assert again.code == 0 and again.out.startswith("this was run before: toy-1")
    told = json.loads(terminal.skint("submit", "plan.yaml", "--json").out)
    assert (told["run"], told["known_run"]) == (None, "toy-1")
    with Store(terminal.folder / "home" / "store.db") as store:
        assert list(store.state().runs) == ["toy-1"]
