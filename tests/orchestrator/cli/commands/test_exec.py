"""`skint exec`: any program under the budget, in this shell's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.store.store import read_state
from skint.errors import NOT_FOUND, OVER_BUDGET, RUN_FAILED, USAGE
from tests.terminal import Terminal, until

BOTH = 'echo "$WORD from $(pwd)"; echo trouble >&2; exit 3'


def state_of(terminal: Terminal):  # type: ignore[no-untyped-def]
    return read_state(terminal.folder / "home" / "store.db")


def test_a_program_has_our_folder_environment_streams_and_exit_code_and_is_charged_once(
    terminal: Terminal,
) -> None:
    shell = Terminal(terminal.folder, {"WORD": "saltmarsh", "SLACK_BOT_TOKEN": "xoxb-1"})
    words = ("--account", "practice", "--for", "1m", "--name", "first")
    said = shell.skint("exec", *words, "--", "sh", "-c", BOTH + " # $SLACK_BOT_TOKEN")
    assert said.code == 3
    assert said.out == f"saltmarsh from {terminal.folder}\n"
    assert "trouble\n" in said.err
    run = state_of(terminal).runs["first"]
    (allocation,) = run.allocations.values()
    assert allocation.status == "settled"
    assert "first · practice (simulated) reserves 1 min 32.000 s" in said.err
    assert f"charged 0.{allocation.charged_ms % 1000:03d} s of 1 min 32.000 s reserved" in said.err
    home = terminal.folder / "home"
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "log.txt"]
    assert [path for path in files if b"saltmarsh" in path.read_bytes()] == []
    assert [path for path in files if b"xoxb-1" in path.read_bytes()] == []


def test_ctrl_c_is_term_and_grace_and_the_charge_is_what_it_took(terminal: Terminal) -> None:
    script = 'trap "echo saved; exit 0" TERM; touch ready; while :; do sleep 0.05; done'
    begun = terminal.begin(
        *("exec", "--account", "practice", "--for", "30m", "--name", "long", "--", "sh", "-c"),
        script,
    )
    until(lambda: (terminal.folder / "ready").exists())
    begun.send_signal(signal.SIGINT)
    out, err = begun.communicate(timeout=300)
    assert begun.returncode == 130
    assert out == "saved\n"
    assert "stopped: cancelled by Ctrl-C" in err
    (allocation,) = state_of(terminal).runs["long"].allocations.values()
    assert allocation.status == "settled"
    assert 0 < allocation.charged_ms < 60_000


def test_a_program_whose_words_nobody_reads_any_more_is_stopped(terminal: Terminal) -> None:
    script = "while echo word; do sleep 0.05; done"
    begun = terminal.begin("exec", "--cpu", "--name", "chatty", "--", "sh", "-c", script)
    assert begun.stdout is not None and begun.stderr is not None
    assert begun.stdout.readline() == "word\n"
    begun.stdout.close()
    err = begun.stderr.read()
    assert begun.wait(timeout=300) == 141
    assert err == "chatty · free of charge, on CPUs · no limit\n"
    job = state_of(terminal).runs["chatty"].jobs["program"]
    assert (job.status, job.sentence) == ("stopped", "cancelled by its reader, who has left")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
@pytest.mark.parametrize(
    ("output", "words", "status"),
    [
        (">/dev/full", ("what it prints cannot be written", "No space left"), "stopped"),
        (">&-", ("there is nowhere to print to", "say --detach"), None),
    ],
)
def test_where_nothing_can_be_printed_is_one_error(
    terminal: Terminal, output: str, words: tuple[str, ...], status: str | None
) -> None:
    line = [sys.executable, "-P", "-m", "orchestrator.cli", "-q", "exec", "--cpu", "--name", "mute"]
    script = "while echo word; do sleep 0.05; done"
    said = subprocess.run(
        ["sh", "-c", f'exec "$@" {output}', "sh", *line, "--", "sh", "-c", script],
        cwd=terminal.folder,
        env={**os.environ, "SKINT_HOME": str(terminal.folder / "home")},
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert said.returncode == 1
    assert said.stderr.startswith("error: ")
    assert [word for word in (*words,) if word not in said.stderr] == []
    assert "Traceback" not in said.stderr
    run = state_of(terminal).runs.get("mute")
    assert (run.jobs["program"].status if run else None) == status


def test_a_scheduler_in_the_background_gives_it_the_environment_of_the_shell(
    terminal: Terminal,
) -> None:
    shell = Terminal(terminal.folder, {"WORD": "saltmarsh"})
    # It starts a scheduler, with the environment of this shell; the next shell has another one.
    said = shell.skint("exec", "--cpu", "--detach", "--name", "alone", "--", "sh", "-c", BOTH)
    assert (said.code, said.out) == (0, "alone\n")
    log = terminal.folder / "home/runs/alone/program/1/log.txt"
    until(lambda: log.exists() and "trouble" in log.read_text())
    assert "saltmarsh" in log.read_text()
    shell = Terminal(terminal.folder, {"WORD": "sandbank"})
    # 75 is what a worker says that was asked to stop; a program's codes are its own.
    own = BOTH.replace("exit 3", "exit 75")
    said = shell.skint("exec", "--cpu", "--name", "there", "--json", "--", "sh", "-c", own)
    answer = json.loads(said.out)
    assert (said.code, answer["exit_code"], answer["status"]) == (75, 75, "failed")
    assert answer["ended_by"] == "program"
    assert f"sandbank from {terminal.folder}\n" in said.err  # what is printed makes room for JSON
    # At its limit it is asked, and then ended: that is skint's doing, not the program's.
    stubborn = 'trap "" TERM; sleep 60'
    said = shell.skint(
        *("exec", "--json", "--cpu", "--for", "100ms", "--grace", "0s", "--", "sh", "-c", stubborn)
    )
    answer = json.loads(said.out)
    assert (said.code, answer["ended_by"]) == (RUN_FAILED, "skint")
    assert "its limit was over" in answer["sentence"]


@pytest.fixture
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["account", "add", "practice", "--preset", "simulated", "--quota", "1h"]) == 0


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("-- true", USAGE, ("what pays for the accelerator", "--account NAME, or --cpu")),
        ("--account practice -- true", USAGE, ("how long it may take", "--for TIME")),
        ("--account nobody --for 1h -- true", NOT_FOUND, ("no such account", "practice")),
        ("--account practice --for 2x -- true", USAGE, ("not a duration", "--for")),
        ("--account practice --for 0s -- true", USAGE, ("no time at all",)),
        ("--cpu --account practice -- true", USAGE, ("needs no account",)),
        ("--account practice --devices 9 --for 1m -- true", USAGE, ("so many devices", "got")),
        ("--cpu --name a.b -- true", USAGE, ("cannot have this name",)),
        ("--cpu -- no-such-program", NOT_FOUND, ("no such program", "PATH")),
        ("--cpu --", USAGE, ("wants a program", "-- PROGRAM")),
        ("--cpu echo --lr 3", USAGE, ("its own words from the program's", "`--` before")),
        (
            "--account practice --for 3h -- true",
            OVER_BUDGET,
            (
                "3 h 00 min 32.000 s on practice",
                "1 h 00 min 00.000 s are free",
                "--for 59m",
                "--park",
                "--cpu",
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_reserved(
    line: str,
    code: int,
    words: tuple[str, ...],
    practice: None,
    capsys: pytest.CaptureFixture[str],
    skint_home: Path,
) -> None:
    capsys.readouterr()
    assert main(["exec", *line.split()]) == code
    said = capsys.readouterr().err
    assert [word for word in words if word not in said] == []
    assert not (skint_home / "runs").exists()
    assert os.environ["SKINT_HOME"] == str(skint_home)
