"""The table of `skint show`."""

from __future__ import annotations

from pathlib import Path

from orchestrator.cli.show import render
from tests.orchestrator.worlds import World, epochs, graph, job


def test_a_training_in_the_cpu_lane_has_its_metric(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5, 0.75]))
    run = world.settle(graph(job("train")))
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    (line,) = [line for line in shown.splitlines() if line.startswith("train ")]
    assert " cpu " in line and "val_acc 0.7500" in line
