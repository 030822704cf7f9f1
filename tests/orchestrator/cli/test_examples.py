"""Every example of every command, in order, in one folder with one home.

The folder has twelve pictures in two classes, a plan for them and its training program; the home
has a simulated account `demo`. What earlier commands leave behind, later ones use: `skint run`
makes the runs `seedlings-1` and `bold`, `skint submit` others that go on.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.cli import main
from orchestrator.cli.commands import COMMANDS, parser_of
from orchestrator.home import Home
from orchestrator.state.state import RunState
from orchestrator.store.store import read_state
from skint.errors import OK
from tests.terminal import until

PLAN = """\
name: seedlings
account: demo
jobs:
  scan: {uses: scan, with: {source: data}}
  packed: {uses: resize, needs: [scan], with: {size: 8}}
  folds: {uses: folds, needs: [packed], with: {k: 2}}
  train:
    run: python train.py {fold} {lr} {wait}
    needs: [folds]
    per: fold
    devices: 1
    limit: 5m
    grace: 1s
    resume: true
    metric: val_acc
    stop: [{broken: {mode: ask}}]
    with: {lr: 0.01, wait: 0}
"""
PROGRAM = """\
import sys, time, skint
fold, lr, wait = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
for epoch in (1, 2, 3):
    loss = 1 / epoch if lr < 1 else float("nan")
    skint.report(epoch=epoch, epochs=3, val_acc=0.6 + epoch / 10 + fold / 50 - lr, val_loss=loss)
time.sleep(wait)
"""
DRAWS = {"skint top": "a screen of its own: tests/orchestrator/dashboard and tests/terminal"}
"""Lines that wait for somebody's keys, and where they are tried instead."""


def examples_of(name: str) -> tuple[str, ...]:
    return tuple(getattr(parser_of(name)[0], "EXAMPLES", ()))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example_of_itself(name: str) -> None:
    lines = examples_of(name)
    assert lines
    assert [line for line in lines if not line.startswith("skint ")] == []
    assert any(shlex.split(line)[1] == name for line in lines)


def words_of(lines: tuple[str, ...]) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in lines if line not in DRAWS]


def write_folder(folder: Path) -> None:
    for number, kind in enumerate(("charlock", "cleavers")):
        (folder / "data" / kind).mkdir(parents=True)
        for n in range(6):
            picture = Image.new("RGB", (12, 12), (40 * n, 120 * number, 200 - 30 * n))
            picture.save(folder / "data" / kind / f"{n}.png")
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "train.py").write_text(PROGRAM)


def test_every_example_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")  # and it is as it was when this test is over
    assert main(["account", "add", "demo", "--preset", "simulated"]) == OK
    failed = []
    try:
        for name in COMMANDS:
            for words in words_of(examples_of(name)):
                code = main(words)
                said = capfd.readouterr()
                if code != OK:
                    failed.append(f"{code}: skint {shlex.join(words)}\n{said.out}{said.err}")
                elif words[0] in ("submit", "exec", "resume", "retry"):
                    until_begun(shlex.join(words))
    finally:
        main(["scheduler", "stop"])
        for run in read_state(Home.find().store).live_runs():
            failed.append(f"{run.name} was left running")
    assert "\n".join(failed) == ""


def until_begun(line: str) -> None:
    """What has been asked for is under way and has said all it has to say."""

    def waits_for() -> list[str]:
        runs = read_state(Home.find().store).live_runs()
        return [run.name for run in runs if not has_reported(run)]

    try:
        until(lambda: not waits_for(), 20)
    except AssertionError:
        pytest.fail(f"after {line}: {waits_for()} did not begin")


def has_reported(run: RunState) -> bool:
    return any(len(one.reports) == 3 for one in run.live_attempts)
