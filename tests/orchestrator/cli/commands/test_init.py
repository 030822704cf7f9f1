"""`skint init`: what it writes, asks and never does."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.orchestrator.cli.conftest import InProcess
from tests.orchestrator.starting.folders import pictures, table
from tests.terminal import Terminal


def cats_and_dogs(folder: Path) -> None:
    pictures(folder, [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(4)])


def test_a_first_plan_says_what_was_found_what_it_costs_and_what_comes_next(
    in_process: InProcess, tmp_path: Path
) -> None:
    cats_and_dogs(tmp_path / "pets")
    said = in_process("init", "pets")
    assert said.code == 0, said.err
    heads = [line.split()[0] for line in said.out.splitlines() if line[0] != " "]
    assert heads == ["found", "added", "wrote", "price", "next"]
    assert "2 class folders, 8 photos" in said.out
    assert "30.00 h free on practice (simulated)" in said.out
    # No account was there; the plan, which nobody has touched, can be carried out.
    planned = in_process("plan")
    assert planned.code == 0, planned.err
    assert "reserves 3 × 0.51 h" in planned.out
    lines = (tmp_path / "plan.yaml").read_text().splitlines()
    settings = [line for line in lines if ": " in line.partition("#")[0]]
    plain = [line for line in settings if "uses:" not in line and "needs:" not in line]
    above = {after for before, after in pairwise(lines) if before.strip()[:1] == "#"}
    bare = [line for line in plain if "#" not in line and line not in above]
    assert [line.strip() for line in bare] == ["devices: 1"]


def test_folders_that_stand_in_every_class_are_told(in_process: InProcess, tmp_path: Path) -> None:
    names = [f"{y}/{c}/{n}.png" for y in (2021, 2022) for c in ("cat", "dog") for n in range(4)]
    pictures(tmp_path / "years", names)
    assert "classes are 2021, 2022, and each has cat, dog in it" in in_process("init", "years").out
    pictures(tmp_path / "plain", [f"{c}/images/{n}.png" for c in ("cat", "dog") for n in range(4)])
    assert "the classes are" not in in_process("init", "plain", "-y").out


def test_a_plan_that_is_there_is_replaced_with_a_yes_only_and_kept(
    in_process: InProcess, tmp_path: Path
) -> None:
    cats_and_dogs(tmp_path / "pets")
    plan = tmp_path / "plan.yaml"
    plan.write_text("mine\n")
    refused = in_process("init", "pets")
    assert refused.code == 2 and "--yes" in refused.err
    assert plan.read_text() == "mine\n"
    assert in_process("init", "pets", "-y").code == 0
    assert plan.with_name("plan.yaml~").read_text() == "mine\n"
    assert plan.read_text().startswith("# Written by")


def test_at_a_terminal_it_asks_what_it_cannot_know(terminal: Terminal) -> None:
    pictures(terminal.folder / "set", [f"{n}.png" for n in range(8)])
    rows = [(f"{n}.png", "ab"[n % 2], "cd"[n // 4]) for n in range(8)]
    table(terminal.folder / "set" / "t.csv", ("file", "colour", "shape"), rows)
    terminal.skint("account", "add", "zoo", "--preset", "simulated")
    master, slave = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k != "CI"}
    asked = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator.cli", "init", "set"],
        cwd=terminal.folder,
        env={**environ, "SKINT_HOME": str(terminal.folder / "home"), "NO_COLOR": "1"},
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.write(master, b"2\nnine\n2\n")  # an account, then a word that is no number, then a column
    out, _ = asked.communicate(timeout=300)
    os.close(slave)
    os.close(master)
    assert asked.returncode == 0, out
    text = (terminal.folder / "plan.yaml").read_text()
    assert "account: zoo" in text
    assert "shape: class  " in text and "# colour: class" in text


def test_an_account_or_a_column_that_is_not_there_is_refused(
    in_process: InProcess, tmp_path: Path
) -> None:
    cats_and_dogs(tmp_path / "pets")
    assert in_process("init", "pets", "--account", "gone").code != 0
    assert in_process("init", "pets", "--target", "gone").code == 1
    assert in_process("init", "nowhere").code == 3
    assert not (tmp_path / "plan.yaml").exists()
