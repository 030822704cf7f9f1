"""The table of `skint show`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from budget.meters.log import Metered
from orchestrator.cli.commands.show import render
from tests.orchestrator.worlds import World, epochs, graph, job
from tests.terminal import Terminal


def test_a_training_in_the_cpu_lane_has_its_metric(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5, 0.75]))
    run = world.settle(graph(job("train")))
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    (line,) = [line for line in shown.splitlines() if line.startswith("train ")]
    assert " cpu " in line and "val_acc 0.7500" in line


def test_the_mean_says_of_which_entry_it_is_where_several_have_folds(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5, 0.75]))
    more = {"fold": 0, "folds": 1, "limit_s": 600.0, "devices": 1}
    jobs = (job("one", **more), job("two", **more))
    run = world.settle(graph(*jobs))
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    assert "mean of one        val_acc 0.7500" in shown
    assert "for 2 attempts, by the ledger" in shown
    rehearsed = job("one.smoke", smoke=True, fold=0, folds=1)
    run = world.settle(graph(rehearsed, jobs[0]), "alone-1", again=True)
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms())
    assert "mean               val_acc 0.7500" in shown
    assert "for 1 attempt, by the ledger" in shown


def test_a_column_of_meters_that_nobody_could_read_is_left_out(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5]))
    run = world.settle(graph(job("one"), job("two")))
    metered = (Metered(covered_s=1, cpu_s=4), Metered(covered_s=1, peak_ram_mib=307))
    attempts = zip(run.attempts.items(), metered, strict=True)
    run = replace(run, attempts={id: replace(one, metered=m) for (id, one), m in attempts})
    shown = render(run, world.store.state(), world.ledger, world.clock.now_ms()).splitlines()
    (heads,) = [line for line in shown if "CPU time" in line]
    assert "RAM" in heads, "of one of them it was read"
    assert "device busy" not in heads


def test_after_a_run_that_failed_stands_how_it_is_tried_again(terminal: Terminal) -> None:
    terminal.write("plan.yaml", "name: toy\njobs: {it: {run: 'false'}}\n")
    ended = terminal.skint("run", "plan.yaml")
    assert ended.code == 6
    assert "skint retry toy-1" in ended.out.splitlines()[-1]
