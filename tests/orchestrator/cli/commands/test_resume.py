"""`skint resume` and `skint answer` at the command line: what is meant, and what is refused."""

from __future__ import annotations

import pytest

from orchestrator.store.store import read_state
from tests.terminal import Terminal, until

PLAN = """
name: small
account: practice
jobs:
  train:
    run: sleep {seconds}
    matrix: {seconds: [600, 601]}
    devices: 1
    limit: 20m
"""


@pytest.fixture
def stopped(terminal: Terminal) -> Terminal:
    """A run that was cancelled while its first training ran."""
    terminal.write("plan.yaml", PLAN)
    said = terminal.skint("submit", "plan.yaml", "--name", "small")
    assert said.code == 0, said.err
    assert terminal.skint("cancel", "small").code == 0
    store = terminal.folder / "home" / "store.db"
    until(lambda: read_state(store).runs["small"].settled)
    return terminal


def status(terminal: Terminal, job: str) -> str:
    return read_state(terminal.folder / "home" / "store.db").runs["small"].jobs[job].status


def test_what_is_meant_has_to_be_there_and_one_combination_of_a_matrix_is_resumed(
    stopped: Terminal,
) -> None:
    for words, says in (
        (("resume", "nobody"), "there is no run nobody"),
        (("resume", "small", "--group", "trian"), "small has no such group"),
        (("resume", "small", "--fold", "3"), "small has no such fold"),
        (("answer", "small", "--let-run"), "no stop rule has said anything of small"),
    ):
        said = stopped.skint(*words)
        assert said.code == 3, (words, said.err)
        assert says in said.err
    assert stopped.skint("answer", "small").code == 2  # neither --stop nor --let-run
    assert status(stopped, "train.seconds=601") == "stopped"
    said = stopped.skint("resume", "small", "--group", "train.seconds=601")
    assert said.code == 0, said.err
    assert "train.seconds=601 of small waits again" in said.out
    assert status(stopped, "train.seconds=600") == "stopped"
    assert status(stopped, "train.seconds=601") in ("waiting", "running")
    assert stopped.skint("cancel", "small").code == 0
