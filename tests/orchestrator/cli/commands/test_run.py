"""`skint run`: whose run it is that a terminal waits for."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from orchestrator.commands import SubmitRun
from orchestrator.home import Home
from orchestrator.store.store import Store
from orchestrator.submitting.asked import Asked
from tests.terminal import Said, Terminal

PLAN = "name: toy\njobs: {it: {run: 'true'}}\n"


def ask_first(terminal: Terminal, run: str) -> None:
    """Another terminal asks for this name, and its scheduler dies before it answers."""
    other = terminal.write("other.yaml", PLAN.replace("true", "false"))
    graph = replace(Asked(path=str(other)).read().graph, name="other")
    with Store(terminal.folder / "home" / "store.db") as store:
        store.ask(SubmitRun(run=run, graph=graph.to_json()), time.time_ns() // 1_000_000)


@pytest.fixture
def beside(terminal: Terminal) -> tuple[Said, Said]:
    """A plan and a program that are run while others have asked for their names."""
    terminal.write("plan.yaml", PLAN)
    ask_first(terminal, "toy-1")
    plan = terminal.skint("run", "plan.yaml")
    ask_first(terminal, "echo-1")
    return plan, terminal.skint("exec", "--cpu", "--", "echo", "mine")


def test_of_a_name_that_another_terminal_has_asked_for_the_next_is_taken(
    terminal: Terminal, beside: tuple[Said, Said]
) -> None:
    plan, program = beside
    assert plan.code == 0 and "toy-2 done: 1 done" in plan.out, plan.err
    assert plan.out.startswith("run toy-2 queued\n")
    assert (program.code, program.out) == (0, "mine\n")
    assert "echo-2 done" in program.err
    with Store(terminal.folder / "home" / "store.db") as store:
        graphs = {name: run.graph.name for name, run in store.state().runs.items()}
    assert graphs == {"toy-1": "other", "toy-2": "toy", "echo-1": "other", "echo-2": "echo"}


def test_what_does_not_fit_is_not_queued_and_leaves_no_scheduler(terminal: Terminal) -> None:
    job = "{run: 'true', devices: 1, limit: 3h}"
    terminal.write("plan.yaml", f"name: toy\naccount: practice\njobs: {{it: {job}}}\n")
    refused = Terminal(terminal.folder, {"SKINT_DEVICES": "simulated"}).skint("run", "plan.yaml")
    assert refused.code == 5 and refused.out == ""
    assert refused.err.startswith(
        "error: plan.yaml: it reserves 3.01 h, practice never has more than 1.00 h"
    )
    home = Home(terminal.folder / "home")
    assert home.scheduler_pid() is None
    with Store(home.store) as store:
        assert not store.state().runs
