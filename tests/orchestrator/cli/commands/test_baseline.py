"""`skint baseline`, and what `plan`, `submit` and `show` say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.orchestrator.worlds import World, kfold, training
from tests.terminal import Terminal


@pytest.fixture
def trained(terminal: Terminal) -> Terminal:
    """Two runs on the same folds are over, and one that was stopped before its first."""
    world = World(terminal.folder / "home", training)
    for number in (1, 2, 3):
        graph = kfold()
        jobs = [
            replace(job, static_key=f"{job.static_key} {number}") if job.devices else job
            for job in graph.jobs
        ]
        world.submit(replace(graph, jobs=tuple(jobs)), f"seedlings-{number}")
        if number == 3:
            world.stop("seedlings-3")
        world.until_settled(f"seedlings-{number}")
    world.store.close()
    return terminal


def test_a_baseline_is_chosen_shown_and_taken_back(trained: Terminal) -> None:
    nothing = trained.skint("baseline", "show")
    assert nothing.out.startswith("nothing was chosen: a run is compared with the best")

    chosen = trained.skint("baseline", "set", "seedlings-1")
    assert (chosen.code, chosen.out) == (0, "seedlings-1 is what later runs are compared with\n")
    assert trained.skint("baseline", "show").out == "seedlings-1   chosen for seedlings\n"

    shown = trained.skint("baseline", "show", "seedlings-2").out
    assert "baseline of train   seedlings-1 (0.800 ± 0.000, 0.1 h), chosen" in shown
    assert "val_acc (larger is better)" in shown
    assert "baseline           seedlings-1 (0.800 ± 0.000, 0.1 h), chosen" in (
        trained.skint("show", "seedlings-2").out
    )

    assert trained.skint("baseline", "clear", "seedlings-1").code == 0
    assert trained.skint("baseline", "show").out == nothing.out
    again = trained.skint("baseline", "clear", "seedlings-1")
    assert again.code == 1 and "seedlings-1 is no chosen baseline" in again.err


def test_a_run_without_all_folds_cannot_be_chosen_and_says_why(trained: Terminal) -> None:
    said = trained.skint("baseline", "set", "seedlings-3")
    assert said.code == 1
    assert "seedlings-3 has no finished group of folds" in said.err
    assert "0 of 3 folds of train are done" in said.err

    unknown = trained.skint("baseline", "set", "seedlings-9")
    assert unknown.code == 3
    assert "there is no run seedlings-9" in unknown.err
