"""What meters read of each job, as a table. A dash is what nobody could read. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from budget.duration import format_clock
from budget.meters.log import Metered
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import SIMULATED
from orchestrator.views.words.job import title_of

NOT_READ = "–"
HEADS = (
    "job",
    ">device busy",
    ">most",
    ">memory",
    ">power",
    ">energy",
    ">idle",
    ">cores",
    ">CPU time",
    ">RAM",
    ">measured",
)
"""As `orchestrator.cli.printing.screen.table` takes them."""
WH_J = 3600.0
"""Joules in a watt-hour."""


def meter_rows(run: RunState) -> list[tuple[str, ...]]:
    """A line for each job whose newest attempt was metered; in the order of `HEADS`."""
    return [
        _line(title_of(run, run.graph.job(attempt.job)), attempt, attempt.metered)
        for attempt in _newest(run)
        if attempt.metered is not None
    ]


def meter_notes(run: RunState) -> Iterator[str]:
    """What has to be said of the table: devices kept for nothing, and those that say nothing."""
    for attempt in _newest(run):
        if attempt.kept_idle:
            yield f"{title_of(run, run.graph.job(attempt.job))}: {attempt.kept_idle}"
    silent = sorted({uuid for a in _newest(run) if a.metered for uuid in a.metered.silent})
    simulated = [uuid for uuid in silent if uuid.startswith(SIMULATED)]
    others = [uuid for uuid in silent if uuid not in simulated]
    if simulated:
        yield f"{', '.join(simulated)}: no accelerator, so there is nothing to read of it"
    if others:
        yield f"{', '.join(others)} could not be read, all the time or at times"


def _newest(run: RunState) -> list[AttemptState]:
    return [attempt for job in run.graph.jobs if (attempt := run.current(job.id)) is not None]


def _line(title: str, attempt: AttemptState, metered: Metered) -> tuple[str, ...]:
    ran_s = max(0, metered.at_ms - (attempt.started_ms or metered.at_ms)) / 1000
    end_ms = metered.at_ms if attempt.ended_ms is None else attempt.ended_ms
    whole_s = max(0, end_ms - (attempt.started_ms or end_ms)) / 1000
    cores = metered.cpu_s / ran_s if metered.cpu_s is not None and ran_s else None
    idle = format_clock(round(metered.idle_s * 1000)) if metered.idle_s is not None else NOT_READ
    watt_hours = metered.energy_j / WH_J if metered.energy_j is not None else None
    return (
        title,
        _percent(metered.utilisation),
        _percent(metered.max_utilisation),
        _memory(metered.peak_memory_mib),
        _figure(metered.power_w, "W", 0),
        _figure(watt_hours, "Wh", 1),
        idle,
        _figure(cores, "", 1),
        format_clock(round(metered.cpu_s * 1000)) if metered.cpu_s is not None else NOT_READ,
        _memory(metered.peak_ram_mib),
        _percent(min(1.0, metered.covered_s / whole_s) if whole_s else None),
    )


def _percent(share: float | None) -> str:
    return NOT_READ if share is None else f"{share:.0%}"


def _memory(mib: float | None) -> str:
    if mib is None:
        return NOT_READ
    return f"{mib / 1024:.1f} GiB" if mib >= 1024 else f"{mib:.0f} MiB"


def _figure(value: float | None, unit: str, digits: int) -> str:
    return NOT_READ if value is None else f"{value:.{digits}f} {unit}".rstrip()
