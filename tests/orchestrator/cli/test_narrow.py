"""What is shown of runs and hours fits a narrow terminal, and nothing of it is lost there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from budget.ledger import Ledger
from orchestrator.cli import main
from orchestrator.events.events import RunSubmitted
from orchestrator.home import Home
from orchestrator.state.state import State
from orchestrator.store.store import Store
from tests.orchestrator.pasts import folds_graph, run_of
from tests.orchestrator.trained import trained

COLUMNS = 60
PLAN = """
name: toy
account: practice
jobs:
  prepare: {run: "true"}
  train: {run: "echo {n}", needs: [prepare], matrix: {n: [0, 1, 2, 3]}, devices: 1, limit: 1h}
"""
Show = Callable[..., str]


@pytest.fixture
def kept(skint_home: Path) -> None:
    """A run that waits and one that was stopped; an account of which others have used some."""
    waits = run_of(folds_graph(), [], name="a-longer-name-1", over=False)
    jobs = {
        id: replace(job, sentence="waits for its turn: other jobs come first on practice")
        for id, job in waits.jobs.items()
    }
    runs = (replace(waits, jobs=jobs), trained("bold", 0.7, None, None))
    events = [
        RunSubmitted(at_ms=run.submitted_ms, run=run.name, graph=run.graph.to_json())
        for run in runs
    ]
    with Store(Home(skint_home).store) as store:
        store.keep(events, State({run.name: run for run in runs}))
    assert main(["account", "add", "practice", "--preset", "simulated"]) == 0
    assert main(["ledger", "adjust", "practice", "+3h", "--reason", "by hand"]) == 0
    assert main(["ledger", "reading", "practice", "--used", "12h"]) == 0


@pytest.fixture
def show(kept: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    def shown(line: str, columns: int | None = None) -> str:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            if columns is not None:
                patch.setenv("COLUMNS", str(columns))
                patch.setattr(sys.stdout, "isatty", lambda: True)
            assert main(line.split()) == 0
        return capsys.readouterr().out

    return shown


def words(text: str) -> list[str]:
    """Without bars and rules, whose length is that of the screen."""
    return [word for word in text.split() if word.strip("█▓▒▚▤░")]


@pytest.mark.parametrize("line", ["status", "budget", "budget --exact"])
def test_lines_are_broken_and_say_the_same(show: Show, line: str) -> None:
    wide, narrow = show(line), show(line, COLUMNS)
    assert max(map(len, wide.splitlines())) > COLUMNS, "else there is nothing to break"
    assert max(map(len, narrow.splitlines())) <= COLUMNS
    assert words(narrow) == words(wide)


def test_why_jobs_wait_stands_below_them_where_there_is_no_room_beside(show: Show) -> None:
    narrow = show("queue", COLUMNS)
    assert max(map(len, narrow.splitlines())) <= COLUMNS
    assert "lane" not in narrow and "lane" in show("queue")
    at = narrow.splitlines().index("    waits for its turn: other jobs come first on practice")
    assert narrow.splitlines()[at - 1].startswith("a-longer-name-1")


@pytest.mark.parametrize("columns", [60, 80])
def test_a_run_is_shown_without_what_its_table_has_no_room_for(show: Show, columns: int) -> None:
    narrow = show("show a-longer-name-1", columns)
    assert max(map(len, narrow.splitlines())) <= columns
    assert "  waits for its turn: other jobs come first on practice" in narrow.splitlines()
    assert "…" not in narrow and "…" in show("show a-longer-name-1")


def test_a_plan_is_shown_without_what_its_table_has_no_room_for(show: Show, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    wide, narrow = show(f"plan {path}"), show(f"plan {path}", COLUMNS)
    assert max(map(len, wide.splitlines())) > COLUMNS >= max(map(len, narrow.splitlines()))
    assert "needs" in wide.splitlines()[0] and "needs" not in narrow.splitlines()[0]
    assert "charged" in narrow.splitlines()[0]


def test_bars_are_shorter_in_proportion(show: Show) -> None:
    def bars(text: str) -> tuple[int, int]:
        return text.count("▚"), text.count("░")

    assert bars(show("budget")) == (12, 24)
    assert bars(show("budget", COLUMNS)) == (10, 21)


def test_less_than_a_second_that_was_saved_is_not_told(show: Show) -> None:
    now_ms = time.time_ns() // 1_000_000
    for id, amount_ms, is_told in (("a", 400, False), ("b", 5_000, True)):
        with Ledger(Home.find().ledger) as ledger:
            ledger.book_saving(id, "practice", "bold", "early-stop", amount_ms, "by hand", now_ms)
        assert ("saved" in show("budget")) is is_told
