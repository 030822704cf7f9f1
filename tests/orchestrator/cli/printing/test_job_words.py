"""What jobs said: the first of it in the table, all of it below; errors whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.printing.job_words import below, cut
from orchestrator.home import Home
from orchestrator.views.run.job_row import JobRow
from tests.terminal import Terminal

SAYING = """
import skint
from pydantic import BaseModel

class Params(BaseModel):
    pass

@skint.job()
def says(params: Params, ctx: skint.Context) -> None:
    ctx.note("3 files quarantined: a.jpg is empty, and that is told at some length")
    ctx.note("300 pictures in 10 classes")

@skint.job()
def fails(params: Params, ctx: skint.Context) -> None:
    raise skint.SkintError(
        "the column lable is missing",
        where="train.csv:1",
        got="id, label, price",
        wanted="a column lable",
        next="correct `targets` of scan",
    )
"""
PLAN = """
name: wordy
jobs:
  scan: {uses: "./saying.py:says"}
  second: {uses: "./saying.py:fails"}
"""
ERROR = """
second
  where   train.csv:1
  got     id, label, price
  wanted  a column lable
  next    correct `targets` of scan
"""


@pytest.fixture
def wordy(terminal: Terminal) -> Terminal:
    terminal.write("saying.py", SAYING)
    terminal.write("plan.yaml", PLAN)
    return terminal


@pytest.mark.parametrize("background", [False, True])
def test_run_and_show_have_all_notes_and_the_whole_error(wordy: Terminal, background: bool) -> None:
    if background:
        assert wordy.skint("scheduler", "start").code == 0
    said = wordy.skint("run", "plan.yaml")
    assert said.code == 6, said.err
    for text in (said.out, wordy.skint("show", "wordy-1").out):
        table = text[text.index("job     lane") :].split("\n\n")[0]
        assert "3 files quarantined: a.jpg" in table and "300 pictures" not in table
        assert max(map(len, table.splitlines())) <= 80
        assert (
            "scan\n  3 files quarantined: a.jpg is empty, and that is told at some length\n"
            "  300 pictures in 10 classes\n"
        ) in text
        assert ERROR in f"\n{text}"


def test_a_terminal_breaks_long_words_between_them(wordy: Terminal) -> None:
    wordy.skint("run", "plan.yaml")
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator.cli", "show", "wordy-1"],
        env={**os.environ, "SKINT_HOME": str(wordy.folder / "home"), "COLUMNS": "60"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    assert process.wait() == 0
    lines = said.decode().replace("\r", "").splitlines()
    begin = lines.index("scan")
    assert lines[begin + 1 : begin + 3] == [
        "  3 files quarantined: a.jpg is empty, and that is told at",
        "    some length",
    ]


def test_show_says_when_nobody_looks_after_a_run(wordy: Terminal) -> None:
    wordy.write("plan.yaml", "name: long\njobs:\n  one: {run: sleep 600}\n")
    assert wordy.skint("submit", "plan.yaml").code == 0
    home = Home(Path(wordy.folder) / "home")
    assert "none runs" not in wordy.skint("show", "long-1").out
    assert wordy.skint("scheduler", "stop").code == 0
    assert home.scheduler_pid() is None
    for words in (("show", "long-1"), ("status",)):
        assert "scheduler   none runs; 1" in wordy.skint(*words).out, words
    assert wordy.skint("cancel", "long-1", "--kill").code == 0


def test_jobs_that_say_the_same_share_their_lines() -> None:
    rows = [
        JobRow(f"f{n}", f"fold {n}", "train", "cpu", "done", notes=("few steps", "small"))
        for n in range(3)
    ]
    assert below(rows, 40) == ["fold 0, fold 1, fold 2", "  small"]
    assert below(rows, 5) == ["fold 0, fold 1, fold 2", "  few steps", "  small"]
    assert cut("few steps", 5) == "few…" and cut("few", 3) == "few"


def test_how_far_a_job_is_stands_below_a_table_that_has_no_room_for_it() -> None:
    row = JobRow("a", "scan", "scan", "cpu", "running", counted="12 of 100 pictures")
    assert below([row], 40) == []
    assert below([row], 0) == ["scan", "  12 of 100 pictures"]
