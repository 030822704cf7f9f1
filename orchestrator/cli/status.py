"""Live runs with each job that runs or waits, then the last runs that ended."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from budget.duration import format_clock
from orchestrator.home import Home
from orchestrator.state import RunState
from orchestrator.store import read_state
from orchestrator.view import JobRow, RunView, run_view
from skint.errors import OK

ENDED_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs: all of it, as JSON")


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_state(home.store)
    pid = home.scheduler_pid()
    runs = sorted(state.runs.values(), key=lambda run: run.submitted_ms)
    live = [run for run in runs if not run.settled]
    ended = [run for run in runs if run.settled][-ENDED_SHOWN:]
    if arguments.json:
        views = [asdict(run_view(run, now_ms)) for run in runs]
        print(json.dumps({"scheduler_pid": pid, "runs": views}, indent=1))
        return OK
    print(_scheduler_line(pid, live))
    for one in live:
        view = run_view(one, now_ms)
        print(_run_line(view))
        for row in view.rows:
            if row.status not in ("done", "reused", "skipped"):
                print(_job_line(row))
    for one in ended:
        print(_run_line(run_view(one, now_ms)))
    return OK


def _scheduler_line(pid: int | None, live: list[RunState]) -> str:
    if pid is not None:
        return f"scheduler   runs, pid {pid}"
    attempts = sum(attempt.live for run in live for attempt in run.attempts.values())
    if attempts:
        return (
            f"scheduler   none runs; {attempts} jobs go on without one"
            " · adopt them with `skint scheduler start`, look once with `skint tick`"
        )
    return "scheduler   none runs; `skint submit` starts one"


def _run_line(view: RunView) -> str:
    parts = []
    if view.folds:
        parts.append(f"{view.folds_done} of {view.folds} folds done")
    if view.mean is not None:
        spread = f" ± {view.spread:.3f}" if view.spread is not None else ""
        parts.append(f"{view.metric} {view.mean:.3f}{spread}")
    if view.charged_ms or view.in_flight_ms:
        parts.append(f"{format_clock(view.charged_ms + view.in_flight_ms)} charged")
    if view.eta_ms is not None:
        parts.append(f"{format_clock(view.eta_ms)} to go")
    if view.sentence:
        parts.append(view.sentence)
    if view.simulated:
        parts.append("simulated device")
    return f"{view.name}   {view.status:<9} {' · '.join(parts)}".rstrip()


def _job_line(row: JobRow) -> str:
    parts = [row.status]
    if row.epochs:
        parts.append(f"epoch {row.epoch or 0}/{row.epochs}")
    elif row.progress is not None:
        parts.append(f"{row.progress:.0%}")
    if row.value is not None:
        parts.append(f"{row.metric} {row.value:.3f}")
    if row.eta_ms is not None:
        parts.append(f"{format_clock(row.eta_ms)} to go")
    if row.why:
        parts.append(row.why)
    return f"  {row.title:<22} {' · '.join(parts)}"
