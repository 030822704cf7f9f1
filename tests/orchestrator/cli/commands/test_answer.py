"""Which verdict `skint answer` means, and when an answer counts."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.acting import login_name
from orchestrator.cli.commands.answer import NothingAsked, meant
from orchestrator.clock import SystemClock
from orchestrator.graph import StopRule
from orchestrator.home import Home
from orchestrator.store.store import read_state
from tests.orchestrator.worlds import World, epochs, kfold
from tests.terminal import Terminal, until

BROKEN = [float("nan"), *[0.5] * 20]


def test_an_answer_to_what_nobody_asked_names_what_was_asked(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs(BROKEN, metric="train_loss"))
    world.submit(kfold(stop=(StopRule("broken", mode="ask", after_s=600),)))
    world.until(lambda state: any(run.verdicts for run in state.runs.values()))
    home = Home(tmp_path)
    assert meant(home, "seedlings-1", "", "") == ("broken", "train")
    for rule, about, what in (
        ("chance", "", "chance has said nothing of seedlings-1"),
        ("", "train.fold1", "no stop rule has said anything of train.fold1"),
    ):
        with pytest.raises(NothingAsked) as refused:
            meant(home, "seedlings-1", rule, about)
        assert refused.value.what == what
        assert refused.value.wanted == "--rule broken --about train"
        assert refused.value.next == "skint show seedlings-1"


def test_an_answer_counts_although_no_scheduler_saw_the_time_run_out(terminal: Terminal) -> None:
    terminal.write(
        "nan.py",
        "import time, skint\n"
        "skint.report(epoch=1, epochs=600, train_loss=float('nan'))\n"
        "time.sleep(600)\n",
    )
    terminal.write(
        "plan.yaml",
        "name: bad\naccount: practice\njobs:\n"
        '  train: {run: "python nan.py", devices: 1, limit: 5m,'
        " stop: [{broken: {mode: ask, after: 5s}}]}\n",
    )
    assert terminal.skint("submit", "plan.yaml").code == 0

    def status() -> Any:
        return json.loads(terminal.skint("status", "--json").out)

    until(lambda: "train_loss became nan" in terminal.skint("show", "bad-1").out)
    os.kill(status()["scheduler_pid"], signal.SIGKILL)
    store = terminal.folder / "home" / "store.db"
    (asked,) = read_state(store).runs["bad-1"].verdicts
    assert asked.until_ms is not None
    overdue_ms = asked.until_ms
    until(lambda: SystemClock().now_ms() > overdue_ms)
    answered = terminal.skint("answer", "bad-1", "--let-run")
    assert answered.code == 0, answered.err
    (answer,) = read_state(store).runs["bad-1"].answers
    assert (answer.answer, answer.by) == ("let-run", login_name())
    assert terminal.skint("cancel", "bad-1").code == 0
