"""The table of what meters read: a dash is not a zero."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from budget.meters.log import Metered
from orchestrator.state.state import RunState
from orchestrator.views.run.meters import HEADS, meter_notes, meter_rows
from tests.orchestrator.worlds import SATURDAY_MS, World, epochs, graph, job

MINUTE_MS = 60_000


def run_with(tmp_path: Path, metered: Metered | None, kept_idle: str = "") -> RunState:
    """A run whose one job was metered so, to its end ten minutes after its start."""
    world = World(tmp_path, lambda task: epochs([0.5] * 10))
    run = world.settle(graph(job("train", devices=1, limit_s=3600)))
    ((name, attempt),) = run.attempts.items()
    assert attempt.started_ms is not None
    if metered is not None:
        end_ms = attempt.started_ms + 10 * MINUTE_MS
        metered = replace(metered, at_ms=metered.at_ms or end_ms)
        attempt = replace(attempt, ended_ms=end_ms)
    attempt = replace(attempt, metered=metered, kept_idle=kept_idle)
    return replace(run, attempts={name: attempt})


def test_every_figure_has_its_unit(tmp_path: Path) -> None:
    metered = Metered(
        covered_s=540,
        device_s=500,
        busy_s=400,
        max_utilisation=0.99,
        peak_memory_mib=10_240,
        power_s=500,
        power_ws=35_000,
        energy_j=42_000,
        cpu_s=1140,
        peak_ram_mib=307.2,
        idle_s=75,
    )
    (row,) = meter_rows(run_with(tmp_path, metered))
    assert dict(zip(HEADS, row, strict=True)) == {
        "job": "train",
        ">device busy": "80%",
        ">most": "99%",
        ">memory": "10.0 GiB",
        ">power": "70 W",
        ">energy": "11.7 Wh",
        ">idle": "1 min 15 s",
        ">cores": "1.9",
        ">CPU time": "19 min 00 s",
        ">RAM": "307 MiB",
        ">measured": "90%",
    }


def test_what_nobody_could_read_is_a_dash_and_a_zero_is_a_zero(tmp_path: Path) -> None:
    unknown = Metered(covered_s=600, silent=("GPU-aaaa", "simulated-0"))
    run = run_with(tmp_path, unknown, "it has kept GPU-aaaa")
    assert meter_rows(run) == [("train", *["–"] * 9, "100%")]
    assert [*meter_notes(run)] == [
        "train: it has kept GPU-aaaa",
        "simulated-0: no accelerator, so there is nothing to read of it",
        "GPU-aaaa could not be read, all the time or at times",
    ]
    zero = Metered(device_s=1, max_utilisation=0, peak_memory_mib=0, energy_j=0, idle_s=0, cpu_s=0)
    (row,) = meter_rows(run_with(tmp_path / "zero", zero))
    assert row == ("train", "0%", "0%", "0 MiB", "–", "0.0 Wh", "0 s", "0.0", "0 s", "–", "0%")


def test_after_the_last_reading_nothing_was_measured(tmp_path: Path) -> None:
    """The scheduler was killed then."""
    half_way_ms = SATURDAY_MS + 5 * MINUTE_MS
    run = run_with(tmp_path, Metered(at_ms=half_way_ms, covered_s=300, cpu_s=600))
    (row,) = meter_rows(run)
    found = dict(zip(HEADS, row, strict=True))
    assert (found[">measured"], found[">cores"]) == ("50%", "2.0")


def test_a_job_that_was_not_metered_has_no_line(tmp_path: Path) -> None:
    run = run_with(tmp_path, None)
    assert (meter_rows(run), [*meter_notes(run)]) == ([], [])
