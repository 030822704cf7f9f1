"""Real 5-fold runs of the photographs: what goes wrong stops itself, and a stop is undone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_state
from tests.stand_ins.slack import CHANNEL, TOKEN, SlackStandIn
from tests.terminal import Terminal, until

pytest.importorskip("pytorch_lightning")
pytestmark = [pytest.mark.torch, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAN = """
name: photos
account: demo
jobs:
  scan:   {uses: scan, with: {source: data}}
  packed: {uses: resize, needs: [scan], with: {size: 64}}
  folds:  {uses: folds, needs: [packed], with: {k: 5, stratify: true, seed: 0}}
  train:
    uses: train
    needs: [folds]
    per: fold
    devices: 1
    limit: 10m
    smoke: false
    with: {model: efficientnet-lite0, weights: package, freeze: backbone, epochs: 5,
      batch_size: 16, lr: 0.003}
    stop: [broken, {chance: {mode: auto}}, beats-baseline]
"""
FAST = PLAN.replace("freeze: backbone, ", "").replace("lr: 0.003", "lr: 3.0")
"""A thousand times the learning rate, for all layers."""
MIXED_UP = PLAN.replace(
    "  train:\n", "  mixed:  {uses: './mistake.py:mixed_up', needs: [packed]}\n  train:\n"
).replace("needs: [folds]\n    per", "needs: [folds, mixed]\n    per")
"""The network is given the labels in another order than the pictures."""
MISTAKE = """
import csv
import random
import shutil

from pydantic import BaseModel

import skint


class Params(BaseModel):
    pass


@skint.job(devices=0)
def mixed_up(params: Params, ctx: skint.Context) -> None:
    source = ctx.find("dataset.json").parent
    for path in source.iterdir():
        if path.is_file() and path.name != "samples.csv":
            shutil.copy(path, ctx.out / path.name)
    with (source / "samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    random.Random(0).shuffle(labels)
    with (ctx.out / "samples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "label": label} for row, label in zip(rows, labels))
"""


TOLD = f"notify: {{console: {{}}, slack: {{channel: {CHANNEL}}}}}\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A home in which the plan has been trained once as it should be: the baseline."""
    folder = tmp_path_factory.mktemp("photos")
    shutil.copytree(EXAMPLES / "photos" / "data", folder / "data")
    (folder / "mistake.py").write_text(MISTAKE)
    terminal = Terminal(folder, {"OMP_NUM_THREADS": "1"})
    assert terminal.skint("account", "add", "demo", "--preset", "simulated").code == 0
    terminal.write("plan.yaml", PLAN)
    said = terminal.skint("run", "plan.yaml", "--name", "good")
    assert said.code == 0, said.out + said.err
    yield terminal
    terminal.skint("scheduler", "stop")


def run_of(terminal: Terminal, name: str) -> RunState:
    return read_state(terminal.folder / "home" / "store.db").runs[name]


def folds(run: RunState) -> list[str]:
    return [run.jobs[f"train.fold{n}"].status for n in range(5)]


@pytest.mark.parametrize(("name", "plan"), [("fast", FAST), ("mixed", MIXED_UP)])
def test_a_run_that_goes_wrong_is_stopped_in_its_first_fold(
    name: str, plan: str, trained: Terminal
) -> None:
    assert folds(run_of(trained, "good")) == ["done"] * 5
    trained.write(f"{name}.yaml", plan + TOLD)
    with SlackStandIn() as slack:
        credentials = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
        told = replace(trained, environ={**trained.environ, **credentials})
        said = told.skint("run", f"{name}.yaml", "--name", name)
        assert said.code == 6, said.out + said.err
        # What was not sent when the run was over goes out with the next scheduler.
        until(lambda: told.skint("tick").code == 0 and any(m.files for m in slack.messages))
        (head,) = slack.heads()
        thread = slack.thread(head)
    run = run_of(trained, name)
    assert folds(run) == ["stopped"] * 5
    assert [run.jobs[f"train.fold{n}"].attempts for n in range(1, 5)] == [()] * 4
    (verdict,) = run.verdicts
    assert verdict.rule in ("broken", "chance")
    assert re.search(r"\d", verdict.sentence)
    assert verdict.sentence in re.sub(r"\s+", " ", said.out)
    # The same in Slack: how it stands in the head, the sentence in its thread, the end with a plot.
    assert head.text.startswith(f"{name} · ") and head.edits > 0
    assert any(verdict.sentence in message.text for message in thread)
    assert [message.broadcast for message in thread].count(True) == 1
    (plot,) = (file for message in thread for file in message.files)
    assert plot.content.startswith(b"\x89PNG") and "val_acc by epoch" in plot.title
    # Four folds that were never begun, and the rest of the first.
    saved = {saving.job for saving in run.savings.values() if saving.amount_ms > 0}
    assert {f"train.fold{n}" for n in range(1, 5)} <= saved
    assert all(saving.booked for saving in run.savings.values())
    # What was stopped is kept, and a resumption of it would be possible.
    (attempt,) = (run.attempts[one] for one in run.jobs["train.fold0"].attempts)
    assert attempt.outcome == "stopped"
    assert (attempt.path / "out" / "checkpoints" / "last.ckpt").is_file()


def test_a_stop_is_undone_and_the_weights_are_those_of_a_run_that_nobody_stopped(
    trained: Terminal,
) -> None:
    words = ("submit", "plan.yaml", "--again", "--folds", "0", "--name", "again")
    assert trained.skint(*words).code == 0
    store = trained.folder / "home" / "store.db"

    def attempt(state: State) -> Any:
        return state.runs["again"].current("train.fold0")

    def has_learned() -> bool:
        now = attempt(read_state(store))
        return now is not None and len(now.reports) >= 2

    until(has_learned)
    assert trained.skint("cancel", "again").code == 0
    until(lambda: run_of(trained, "again").settled)
    before = run_of(trained, "again")
    first = attempt(read_state(store))
    assert (before.outcome, first.outcome) == ("cancelled", "stopped")
    assert len(first.reports) < 5
    said = trained.skint("resume", "again")
    assert said.code == 0, said.err
    assert "train.fold0 of again waits again; it goes on from its checkpoint" in said.out
    until(lambda: run_of(trained, "again").settled)
    run = run_of(trained, "again")
    assert run.outcome == "done"
    second = attempt(read_state(store))
    assert second.previous == first.out
    (whole,) = run_of(trained, "good").jobs["train.fold0"].attempts
    uninterrupted = run_of(trained, "good").attempts[whole].path
    for name in ("best.ckpt", "last.ckpt"):
        there, here = (
            tensors(path / "out" / "checkpoints" / name) for path in (uninterrupted, second.path)
        )
        assert len(there) > 100
        assert there == here
    # What the stop had saved is spent after all.
    assert sum(saving.amount_ms for saving in run.savings.values()) == 0
    assert "resumed" in trained.skint("show", "again").out
    assert trained.skint("resume", "again").code == 1


def tensors(path: Path) -> dict[str, bytes]:
    """Weights, averages and the optimizer's; not where the random generators stand in the end,
    when nothing more is drawn."""
    import torch

    found: dict[str, bytes] = {}

    def take(value: Any, name: str) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value.numpy().tobytes()
        elif isinstance(value, dict):
            for key, item in value.items():
                take(item, f"{name}/{key}")
        elif isinstance(value, list | tuple):
            for number, item in enumerate(value):
                take(item, f"{name}/{number}")

    take(torch.load(path, weights_only=False, map_location="cpu"), "")
    return {name: value for name, value in found.items() if "/random/" not in name}
