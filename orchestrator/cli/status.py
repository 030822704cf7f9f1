"""Live runs with each job that runs or waits, then the last runs that ended."""

from __future__ import annotations

import argparse
import time

from orchestrator.cli.output import add_json, print_answer
from orchestrator.home import Home
from orchestrator.state import RunState
from orchestrator.store import read_recent, read_state
from orchestrator.views.figures import amount, figure, mean_and_spread, to_go
from orchestrator.views.question_words import question_lines
from orchestrator.views.savings import saved_words
from orchestrator.views.view import JobRow, RunView, run_view
from skint.errors import OK

ENDED_SHOWN = 5

EXAMPLES = ("skint status", "skint status --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    # Whatever was reused from older runs is read too: what is shown is picked from it below.
    state = read_state(home.store) if arguments.json else read_recent(home.store, ENDED_SHOWN)
    pid = home.scheduler_pid()
    runs = sorted(state.runs.values(), key=lambda run: run.submitted_ms)
    live = [run for run in runs if not run.settled]
    ended = [run for run in runs if run.settled][-ENDED_SHOWN:]
    if arguments.json:
        from orchestrator.shapes.run import run_shape
        from orchestrator.shapes.shape import instant
        from orchestrator.shapes.status import Status

        told = (run_shape(run, run_view(run, now_ms, state.runs)) for run in runs)
        print_answer(Status(instant(now_ms), pid, tuple(told)))
        return OK
    print(scheduler_line(pid, live))
    for one in live:
        view = run_view(one, now_ms, state.runs)
        print(_run_line(view))
        for row in view.rows:
            if row.status not in ("done", "reused", "skipped"):
                print(_job_line(row))
        for line in question_lines(one, now_ms):
            print(f"  {line}")
    for one in ended:
        print(_run_line(run_view(one, now_ms, state.runs)))
    return OK


def scheduler_line(pid: int | None, live: list[RunState]) -> str:
    """Whether anybody looks after the live runs; without a scheduler nothing of them moves."""
    if pid is not None:
        return f"scheduler   runs, pid {pid}"
    attempts = sum(attempt.live for run in live for attempt in run.attempts.values())
    if attempts:
        return (
            f"scheduler   none runs; {'1 job goes' if attempts == 1 else f'{attempts} jobs go'} on"
            " without one · adopt with `skint scheduler start`, look once with `skint tick`"
        )
    if live:
        waiting = "1 run waits" if len(live) == 1 else f"{len(live)} runs wait"
        return f"scheduler   none runs; {waiting} for one · `skint scheduler start`"
    return "scheduler   none runs; `skint submit` starts one"


def _run_line(view: RunView) -> str:
    parts = []
    if view.folds:
        parts.append(f"{view.folds_done} of {view.folds} {view.unit} done")
    if view.mean is not None:
        parts.append(f"{view.metric} {mean_and_spread(view.mean, view.spread)}")
    if view.charged_ms or view.in_flight_ms:
        used_ms = view.charged_ms + view.in_flight_ms
        parts.append(f"{amount(used_ms, view.amounts_in)} charged")
    if view.in_step is not None:
        parts.append(f"{view.in_step:.0%} in step")
    if saved := saved_words(view.savings):
        parts.append(saved)
    if view.eta is not None:
        parts.append(to_go(view.eta))
    if view.sentence:
        parts.append(view.sentence)
    if view.simulated:
        parts.append("simulated device")
    return f"{view.name}   {view.status:<9} {' · '.join(parts)}".rstrip()


def _job_line(row: JobRow) -> str:
    parts = [row.status]
    if row.epochs:
        parts.append(f"epoch {row.epoch or 0}/{row.epochs}")
    elif row.counted:
        parts.append(row.counted)
    elif row.progress is not None:
        parts.append(f"{row.progress:.0%}")
    if row.value is not None:
        parts.append(f"{row.metric} {figure(row.value)}")
    if row.eta is not None:
        parts.append(to_go(row.eta))
    if row.why:
        parts.append(row.why)
    return f"  {row.title:<22} {' · '.join(parts)}"
