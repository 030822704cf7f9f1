"""From a folder of pictures to a network that learns: two commands, and no file edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.store.store import read_state
from tests.orchestrator.starting.folders import pictures, table
from tests.terminal import Terminal


@pytest.mark.torch
def test_all_that_costs_nothing_of_what_init_has_written_runs(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    pets = tmp_path / "pets"
    pictures(pets, [f"train/{c}/{n}.png" for c in ("cat", "dog") for n in range(6)])
    pictures(pets, [f"test/{n}.png" for n in range(3)])
    table(pets / "sample_submission.csv", ("id", "cat", "dog"), [(n, 0.5, 0.5) for n in range(3)])
    assert terminal.skint("init", "pets", "-y").code == 0
    done = terminal.skint("run", "--cpu-only")
    run = read_state(tmp_path / "home" / "store.db").runs["pets-1"]
    ended = {name for name, job in run.jobs.items() if job.status == "done"}
    # The smoke test is one step of the real training; what needs a trained fold is not begun.
    assert ended == {"scan", "packed", "folds", "train.smoke", "test", "test-packed"}, done.out
