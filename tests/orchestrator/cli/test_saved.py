"""Hours that are not spent twice, from the command line to the ledger."""

from __future__ import annotations

import json
import re

import pytest

from budget.ledger import Ledger
from tests.terminal import Terminal

PLAN = """
name: toy
account: practice
jobs:
  train:
    run: sh -c 'sleep 0.6; echo {n} > $SKINT_OUT/it'
    matrix: {n: [1, 2]}
    devices: 1
    limit: 5m
"""


@pytest.fixture
def trained(terminal: Terminal) -> Terminal:
    """A run of the plan is over and paid for."""
    terminal.write("plan.yaml", PLAN)
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 0, said.err
    return terminal


def test_a_plan_that_is_known_books_what_it_does_not_spend_once(trained: Terminal) -> None:
    for _ in range(2):
        again = trained.skint("submit", "plan.yaml")
        assert again.code == 0, again.err
        assert "of practice saved: they are not spent again" in again.out
    answer = json.loads(trained.skint("submit", "plan.yaml", "--json").out)
    assert (answer["run"], answer["known_run"]) == (None, "toy-1")
    with Ledger(trained.folder / "home" / "ledger.db", read_only=True) as ledger:
        charged = ledger.charges()
        (saving,) = ledger.savings()
    assert saving.amount_ms == sum(charge.amount_ms for charge in charged) > 0
    assert (saving.account, saving.kind, saving.owner) == ("practice", "refused", "toy/")
    assert saving.derivation.startswith(
        "nothing submitted: toy-1.train.n=1.1, toy-1.train.n=2.1 had the same results for "
    )


def test_a_run_says_what_it_saved_and_why(trained: Terminal) -> None:
    trained.write("plan.yaml", f"{PLAN}  after: {{run: 'true', needs: [train]}}\n")
    said = trained.skint("run", "plan.yaml")
    assert said.code == 0, said.err
    shown = trained.skint("show", "toy-2").out
    assert re.search(r"^saved +\d+\.\d{3} s  \(simulated\)$|^saved +\d+\.\d{3} s$", shown, re.M)
    assert re.search(
        r"^ +\d+ s: toy-1\.train\.n=2\.1 was charged \d+ s for the same result$", shown, re.M
    )
    assert re.search(r"toy-2 +done .*\d+ s saved by known results", trained.skint("status").out)
    with Ledger(trained.folder / "home" / "ledger.db", read_only=True) as ledger:
        assert sum(saving.amount_ms for saving in ledger.savings()) == sum(
            charge.amount_ms for charge in ledger.charges()
        )
