"""`skint submit`: what is said of a run as a whole."""

from __future__ import annotations

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
