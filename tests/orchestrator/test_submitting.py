"""What a run is called when nobody says."""

from __future__ import annotations

from pathlib import Path

from orchestrator.state import State
from orchestrator.submitting import next_run_name
from tests.orchestrator.worlds import World, kfold


def test_runs_of_a_plan_are_numbered(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert next_run_name(kfold(), world.scheduler.state, world.path / "runs") == "seedlings-1"
    world.settle(kfold(), "seedlings-7")
    world.settle(kfold("seed"), "seed-9")
    assert next_run_name(kfold(), world.scheduler.state, world.path / "runs") == "seedlings-8"


def test_a_number_whose_folder_is_there_is_taken_even_if_no_store_knows_it(tmp_path: Path) -> None:
    for name in ("seedlings-3", "seedlings-notes", "other-5"):
        (tmp_path / name).mkdir()
    assert next_run_name(kfold(), State(), tmp_path) == "seedlings-4"
