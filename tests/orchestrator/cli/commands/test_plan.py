"""`skint plan` and `skint submit`: how long, where the hours run out, what would fit."""

from __future__ import annotations

import re

import pytest

from budget.ledger import Ledger
from orchestrator.store.store import Store
from tests.orchestrator.plans.test_picture_recipes import PLAN as PREDICTED
from tests.terminal import Terminal

FIT = """
import time
import skint
from pydantic import BaseModel

class Params(BaseModel):
    epochs: int = 4
    lr: float = 0.1

@skint.job(devices=1, resume=True)
def fit(params: Params, ctx: skint.Context) -> None:
    for epoch in range(1, params.epochs + 1):
        time.sleep(0.2)
        ctx.report(epoch=epoch, epochs=params.epochs, val_acc=0.5)
"""
PLAN = """
name: toy
account: practice
jobs:
  train:
    uses: ./toy.py:fit
    matrix: {lr: [0.1, 0.2, 0.3]}
    with: {epochs: 4}
    devices: 1
    limit: 60s
    grace: 1s
"""


@pytest.fixture
def toy(terminal: Terminal) -> Terminal:
    terminal.write("toy.py", FIT)
    terminal.write("plan.yaml", PLAN)
    return terminal


def lines_of(text: str, beginning: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip().startswith(beginning)]


def test_what_was_measured_once_prices_the_next_plan_and_its_ways_out(toy: Terminal) -> None:
    """Edge 55: by its limits it would not fit; by what it will use it does, and is let in."""
    first = toy.skint("plan", "plan.yaml")
    assert first.code == 0
    assert "this plan reserves 0.05 h" in first.out
    assert "unknown: reserving limit 0.02 h" in first.out
    assert toy.skint("run", "plan.yaml").code == 0

    known = toy.skint("plan", "plan.yaml", "--again")
    assert known.code == 0
    assert re.search(r"train .* ~\d+ s \(\d+–\d+\)  reserves 3 × 0\.02 h", known.out)
    assert "3 runs of ./toy.py:fit on simulated device" in known.out

    # Three limits are 189 s, and what is left of the 66 s holds none of them.
    assert toy.skint("account", "set-quota", "practice", "66s").code == 0
    fits = toy.skint("plan", "plan.yaml", "--again")
    assert fits.code == 0, fits.err
    assert re.search(r"train\.lr=0\.\d would wait: it reserves 0\.02 h", fits.out)

    large = toy.skint("submit", "plan.yaml", "--set", "train.epochs=140")
    assert large.code == 5
    assert re.search(
        r"toy needs 0\.0\d h \(0\.0\d–0\.0\d\) on practice, 0\.0\d h are free", large.err
    )
    assert re.search(r"they run out in train\.lr=0\.[23]\n", large.err)
    (park,) = re.findall(r"--park +(train.*now, .*) after \w+ \d+ \w+ \d+ 00:00 UTC", large.err)
    assert "in two parts" in park
    (fewer,) = re.findall(r"--set train\.epochs=(\d+) +\d+ of 140 epochs, now", large.err)
    assert 35 <= int(fewer) < 140
    assert "Traceback" not in large.err
    planned = toy.skint("plan", "plan.yaml", "--set", "train.epochs=140")
    assert planned.code == 5 and "the hours run out in train.lr=" in planned.out
    assert toy.skint("plan", "plan.yaml", "--set", f"train.epochs={fewer}").code == 0


def test_park_lets_in_what_does_not_fit_but_not_what_never_will(toy: Terminal) -> None:
    """Edge 44: what does not fit spans windows only where that is asked for."""
    assert toy.skint("account", "set-quota", "practice", "50s").code == 0
    refused = toy.skint("submit", "plan.yaml")
    assert refused.code == 5 and "--park" in refused.err
    assert toy.skint("submit", "plan.yaml", "--park").code == 0
    with Store(toy.folder / "home" / "store.db") as store:
        assert store.state().runs["toy-1"].park
    assert toy.skint("cancel", "toy-1").code == 0

    toy.write("plan.yaml", PLAN.replace("devices: 1", "devices: 1\n    at-edge: hard-stop"))
    assert toy.skint("account", "set-quota", "practice", "20s").code == 0
    never = toy.skint("submit", "plan.yaml", "--park")
    assert never.code == 5
    assert "reserves 0.02 h, practice never has more than 0.01 h" in never.err


def test_folds_are_chosen_on_the_command_line(toy: Terminal) -> None:
    toy.write("data/a/1.png", "")
    wrong = toy.skint("plan", "plan.yaml", "--folds", "0;1")
    assert wrong.code == 2 and "these are not folds" in wrong.err
    none = toy.skint("plan", "plan.yaml", "--folds", "0")
    assert none.code == 2 and "no such fold" in none.err


def test_what_waits_in_the_queue_is_counted_before_a_new_plan(toy: Terminal) -> None:
    assert toy.skint("account", "set-quota", "practice", "300s").code == 0
    toy.write("toy.py", FIT.replace("0.2", "5"))
    assert toy.skint("submit", "plan.yaml").code == 0
    second = toy.skint("submit", "plan.yaml", "--set", "train.epochs=3")
    assert second.code == 5, second.out
    assert "--park" in second.err
    assert lines_of(toy.skint("plan", "plan.yaml", "--set", "train.epochs=3").out, "queued before")
    assert toy.skint("cancel", "toy-1").code == 0
    with Ledger(toy.folder / "home" / "ledger.db", read_only=True) as ledger:
        assert ledger.account("practice").name == "practice"


def test_why_a_job_runs_stands_below_the_table_where_it_takes_many_words(toy: Terminal) -> None:
    assert toy.skint("run", "plan.yaml").code == 0
    toy.write("toy.py", FIT + "\n\ndef helper() -> int:\n    return 1\n")
    planned = toy.skint("plan", "plan.yaml", "--set", "train.epochs=5")
    assert planned.code == 0
    table, reasons, *_ = planned.out.split("\n\n")
    assert re.search(r"^train +accelerator .* runs, see below ", table, re.MULTILINE)
    assert max(map(len, table.splitlines())) <= 100
    assert reasons == "train: runs: epochs 4 → 5; toy.py changed since toy-1"


def test_what_is_reserved_for_a_job_on_two_devices_counts_both(toy: Terminal) -> None:
    toy.write("plan.yaml", PLAN.replace("devices: 1", "devices: 2").replace("60s", "57m"))
    said = toy.skint("plan", "plan.yaml").out
    assert "reserves 3 × 1.90 h" in said and "this plan reserves 5.71 h" in said


def test_what_wants_more_devices_than_there_are_is_told_before_it_is_refused(
    toy: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.write("plan.yaml", PLAN.replace("devices: 1", "devices: 2"))
    said = " ".join(toy.skint("plan", "plan.yaml").out.split())
    assert "train wants 2 devices, this machine has 1 device: it cannot run here" in said
    assert "write `devices: 1`, or practise with SKINT_DEVICES=simulated:2" in said
    monkeypatch.setenv("SKINT_DEVICES", "simulated:2")
    assert "cannot run here" not in toy.skint("plan", "plan.yaml").out


def test_a_plan_says_which_rules_stop_which_ask_and_which_only_tell(toy: Terminal) -> None:
    stop = "[broken, chance, plateau, {target: {wanted: 0.9, mode: warn}}, {quota: {mode: off}}]"
    toy.write("plan.yaml", PLAN + f"    stop: {stop}\n")
    shown = toy.skint("plan", "plan.yaml").out
    assert lines_of(shown, "would stop early if") == ["would stop early if   broken"]
    assert lines_of(shown, "would ask whether") == ["would ask whether     chance"]
    assert lines_of(shown, "would only say") == ["would only say        plateau · target"]
    toy.write("plan.yaml", "explore: true\n" + PLAN + f"    stop: {stop}\n")
    shown = toy.skint("plan", "plan.yaml").out
    assert len(lines_of(shown, "would")) == 1 and "would stop early if   broken\n" in shown


def test_such_a_plan_is_refused_before_anything_starts(terminal: Terminal) -> None:
    for name in ("data", "test"):
        (terminal.folder / name).mkdir()
    terminal.write("plan.yaml", PREDICTED)
    for command in ("plan", "submit"):
        said = terminal.skint(command, "plan.yaml", "--set", "packed.size=96")
        assert said.code == 2
        assert "jobs.test-packed: test-predict would fail when all is trained" in said.err
        assert "64 px from test-packed; packed trains with 96 px" in said.err
        assert "--set test-packed.size=96" in said.err
    assert terminal.skint("status").out.count("seedlings") == 0
