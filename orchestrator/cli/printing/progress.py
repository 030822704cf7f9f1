"""Live progress of one run: a table that is redrawn on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from budget.duration import format_clock
from orchestrator.state.state import RunState, State
from orchestrator.views.figures import figure, to_go
from orchestrator.views.plots.glyphs import bar, sparkline
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import run_view
from orchestrator.views.words.question import question_lines
from orchestrator.views.words.said import said_line

if TYPE_CHECKING:
    from rich.console import Group

REDRAWS_A_SECOND = 4
CURVE_WIDTH = 16


@contextmanager
def shown(state: Callable[[], State], name: str) -> Iterator[None]:
    """Redraw what `state()` says of the run until the block ends. Lines come from the outbox."""
    if not sys.stdout.isatty():
        yield
        return
    from rich.live import Live

    from orchestrator.cli.printing.screen import console

    live = Live(
        console=console(),
        refresh_per_second=REDRAWS_A_SECOND,
        get_renderable=lambda: _drawn(state(), name),
        transient=True,
    )
    with live:
        yield


class Lines:
    """A line whenever something changed, for a pipe that follows another process's scheduler."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._said: set[str] = set()

    def tell(self, state: State) -> None:
        run = state.runs.get(self.name)
        if run is None or sys.stdout.isatty():
            return
        view = run_view(run, time.time_ns() // 1_000_000, state.runs, state.holds)
        for verdict in view.verdicts:
            answer = f" · skint answer {self.name} --stop, or --let-run" if verdict.open else ""
            self._say(f"! {self.name} · {said_line(verdict)}{answer}")
        for row in view.rows:
            parts = [row.status]
            if row.epochs and row.status == "running":
                parts.append(f"epoch {row.epoch or 0}/{row.epochs}")
            if row.value is not None:
                parts.append(f"{row.metric} {figure(row.value)}")
            if row.status not in ("waiting", "skipped"):
                self._say(f"{self.name} · {row.title} · {' · '.join(parts)}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            print(line, flush=True)


def _drawn(state: State, name: str) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    run = state.runs.get(name)
    if run is None:
        return Group(table)
    now_ms = time.time_ns() // 1_000_000
    for row in run_view(run, now_ms, state.runs, state.holds).rows:
        table.add_row(row.title, row.status, _advance(row), _numbers(row), row.why or row.note)
    return Group(table, *(Text(line) for line in question_lines(run, now_ms)))


def _advance(row: JobRow) -> str:
    if row.status != "running":
        return ""
    if row.epochs:
        return f"{bar((row.epoch or 0) / row.epochs, 12)} {row.epoch or 0}/{row.epochs}"
    return f"{bar(row.progress, 12)} {row.progress:.0%}" if row.progress is not None else ""


def _numbers(row: JobRow) -> str:
    parts = []
    if row.value is not None:
        parts.append(f"{row.metric} {figure(row.value)} {sparkline(row.history, CURVE_WIDTH)}")
    if row.eta is not None:
        parts.append(to_go(row.eta))
    elif row.counted:
        parts.append(row.counted)
    elif row.status == "running" and row.wall_ms is not None:
        parts.append(format_clock(row.wall_ms))
    return " · ".join(parts)


def reports(run: RunState) -> list[Path]:
    """Pages a person may want to open: HTML files at the top of what jobs published."""
    found = []
    for job in run.jobs.values():
        if job.has_result and job.out:
            found += sorted(Path(job.out).glob("*.html"))
    return found
