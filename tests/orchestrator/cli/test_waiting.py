"""Commands that wait while schedulers come and go: real processes, a simulated device."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from orchestrator.commands import StopJobs
from orchestrator.home import Home
from orchestrator.store.store import Store
from tests.terminal import QuickTerminal, Terminal, until

UNTIL_A_FILE_IS_THERE = """
import pathlib, sys, time, skint
skint.report(epoch=1, epochs=2, val_acc=0.5)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.05)
"""


@pytest.fixture
def gates(terminal: Terminal) -> Iterator[Terminal]:
    """Plans a.yaml and b.yaml, whose runs end once a.txt and b.txt are there."""
    program = terminal.write("gate.py", UNTIL_A_FILE_IS_THERE)
    for name in "ab":
        gate = terminal.folder / f"{name}.txt"
        terminal.write(
            f"{name}.yaml",
            f'name: {name}\njobs:\n  wait: {{run: "{sys.executable} {program} {gate}"}}\n',
        )
    yield terminal
    for name in "ab":
        terminal.write(f"{name}.txt", "")  # also after a failure no job waits for ever


def home_of(terminal: Terminal) -> Home:
    return Home(terminal.folder / "home")


def status_of(terminal: Terminal, run: str) -> str:
    """As `skint status --json` says it, without a process each time."""
    said = QuickTerminal(terminal.folder).skint("status", "--json")
    runs = json.loads(said.out)["runs"] if said.code == 0 else ()
    return next((str(view["status"]) for view in runs if view["name"] == run), "")


def is_running(terminal: Terminal, run: str, command: subprocess.Popen[str] | None = None) -> bool:
    """Whether it runs; fails at once if the command that should run it has ended."""
    assert command is None or command.poll() is None, command.communicate()
    return status_of(terminal, run) == "running"


def freeze(terminal: Terminal, pid: int) -> None:
    """Stop a scheduler between two transactions: in the middle of one nobody else could write."""

    def stopped_outside() -> bool:
        os.kill(pid, signal.SIGSTOP)
        with closing(sqlite3.connect(home_of(terminal).store, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.rollback()
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                return False
        return True

    until(stopped_outside)


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=300)
    finally:
        process.kill()


def test_a_run_queued_beside_a_foreground_run_goes_on_when_that_ends(gates: Terminal) -> None:
    foreground = gates.begin("run", "a.yaml")
    until(lambda: is_running(gates, "a-1", foreground))
    assert gates.skint("submit", "b.yaml").code == 0
    assert home_of(gates).scheduler_pid() == foreground.pid
    gates.write("a.txt", "")
    _, err = end(foreground)
    assert foreground.returncode == 0, err
    assert "a background scheduler goes on with b-1" in err
    assert home_of(gates).scheduler_pid() not in (None, foreground.pid)
    gates.write("b.txt", "")
    until(lambda: status_of(gates, "b-1") == "done")


def test_a_run_alone_in_the_foreground_leaves_no_scheduler_behind(gates: Terminal) -> None:
    gates.write("a.txt", "")
    said = gates.skint("run", "a.yaml")
    assert said.code == 0 and "background" not in said.err
    assert home_of(gates).scheduler_pid() is None


def test_a_run_that_is_followed_goes_on_when_its_scheduler_dies(gates: Terminal) -> None:
    assert gates.skint("scheduler", "start").code == 0
    follower = gates.begin("run", "a.yaml")
    until(lambda: is_running(gates, "a-1", follower))
    killed = home_of(gates).scheduler_pid()
    assert killed is not None and killed != follower.pid
    os.kill(killed, signal.SIGKILL)
    until(lambda: home_of(gates).scheduler_pid() not in (None, killed))
    gates.write("a.txt", "")
    out, err = end(follower)
    assert follower.returncode == 0, err
    assert "no scheduler was running" in err and "a-1 done" in out


def test_ctrl_c_cancels_a_run_that_is_followed(gates: Terminal) -> None:
    assert gates.skint("scheduler", "start").code == 0
    follower = gates.begin("run", "a.yaml")
    until(lambda: is_running(gates, "a-1", follower))
    follower.send_signal(signal.SIGINT)
    out, err = end(follower)
    assert follower.returncode == 130
    assert "checkpoints are kept" in err and "a-1 cancelled" in out


def test_term_stops_a_run_as_ctrl_c_does(gates: Terminal) -> None:
    """Slurm sends it some time before a job is over (docs/guides/slurm.md)."""
    running = gates.begin("run", "a.yaml")
    until(lambda: is_running(gates, "a-1", running))
    running.send_signal(signal.SIGTERM)
    out, err = end(running)
    assert running.returncode == 130
    assert "checkpoints are kept" in err and "a-1 cancelled: cancelled by TERM" in out


def test_a_command_is_answered_by_the_next_scheduler_if_the_first_dies(gates: Terminal) -> None:
    assert gates.skint("submit", "a.yaml").code == 0
    until(lambda: is_running(gates, "a-1"))
    frozen = home_of(gates).scheduler_pid()
    assert frozen is not None
    freeze(gates, frozen)  # it has the lock, and answers nothing
    asking = gates.begin("cancel", "a-1")
    until(lambda: _asked(home_of(gates)) == 1)
    os.kill(frozen, signal.SIGKILL)
    out, err = end(asking)
    assert asking.returncode == 0, err
    assert "being stopped" in out
    until(lambda: status_of(gates, "a-1") == "cancelled")


def _asked(home: Home) -> int:
    with closing(sqlite3.connect(home.store)) as db:
        (count,) = db.execute("SELECT count(*) FROM command WHERE ok IS NULL").fetchone()
        return int(count)


def test_a_scheduler_that_is_told_to_leave_answers_first(gates: Terminal) -> None:
    home = home_of(gates)
    assert gates.skint("scheduler", "start").code == 0
    pid = home.scheduler_pid()
    assert pid is not None
    freeze(gates, pid)
    with Store(home.store) as store:
        asked = store.ask(StopJobs(run="none", scope="run", target="none"), 0)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        until(lambda: home.scheduler_pid() is None)
        reply = store.reply(asked)
    assert reply is not None and reply.text == "there is no run none"


def test_a_name_whose_folder_is_taken_is_refused_in_the_foreground(gates: Terminal) -> None:
    (home_of(gates).runs / "old").mkdir(parents=True)
    said = gates.skint("run", "a.yaml", "--name", "old")
    assert said.code == 1
    assert "error: " in said.err and "folder of an earlier run" in said.err


def test_a_command_that_cannot_be_written_is_one_clear_error(gates: Terminal) -> None:
    assert gates.skint("submit", "a.yaml").code == 0
    until(lambda: is_running(gates, "a-1"))
    full = subprocess.run(
        ["sh", "-c", f"ulimit -f 0; exec {sys.executable} -P -m orchestrator.cli cancel a-1"],
        env={**os.environ, "SKINT_HOME": str(home_of(gates).path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert full.returncode == 1
    assert full.stderr.startswith("error: ")
    assert "the command cannot be put into the store: " in full.stderr
    assert "Traceback" not in full.stderr
    gates.write("a.txt", "")
    until(lambda: status_of(gates, "a-1") == "done")


def test_an_account_that_nothing_can_run_on_says_so(terminal: Terminal) -> None:
    said = terminal.skint("account", "add", "kaggle-tpu", "--preset", "kaggle-tpu")
    assert said.code == 0
    assert "this version cannot run anything there yet" in said.out
    assert "cannot" not in terminal.skint("account", "add", "lab", "--preset", "lab-server").out
