"""Live runs with each job that runs or waits, then the last runs that ended."""

from __future__ import annotations

import argparse
import time

from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import prose
from orchestrator.cli.printing.watching import Recent, add_watch, watch
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_recent, read_state
from orchestrator.views.budget.savings import saved_words
from orchestrator.views.figures import amount, figure, mean_and_spread, to_go
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView, run_view
from orchestrator.views.words.hold import hold_line
from orchestrator.views.words.question import question_lines
from orchestrator.views.words.scheduler import scheduler_line
from skint.errors import OK

ENDED_SHOWN = 5

EXAMPLES = ("skint status", "skint status --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_watch(parser)
    parser.add_argument("--all", action="store_true", help="every run that ended")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    # Whatever was reused from older runs is read too: what is shown is picked from it below.
    if arguments.watch and not arguments.json:
        recent = Recent(home, ENDED_SHOWN)
        watch(
            lambda: _text(recent.state(), home.scheduler_pid()),
            lambda: _lines(recent.state(), home.scheduler_pid()),
        )
    pid = home.scheduler_pid()
    most = None if arguments.all else ENDED_SHOWN
    state = read_state(home.store) if arguments.all else read_recent(home.store, ENDED_SHOWN)
    if arguments.json:
        live, ended = _live_and_ended(state, most)
        runs = sorted([*live, *ended], key=lambda run: run.submitted_ms)
        from orchestrator.shapes.hold import hold_shape
        from orchestrator.shapes.run import run_shape
        from orchestrator.shapes.shape import instant
        from orchestrator.shapes.status import Status

        views = (run_view(run, now_ms, state.runs, state.holds) for run in runs)
        told = (run_shape(run, view) for run, view in zip(runs, views, strict=True))
        holds = tuple(map(hold_shape, state.holds))
        print_answer(Status(instant(now_ms), pid, holds, tuple(told)))
        return OK
    print(_text(state, pid, most))
    return OK


def _live_and_ended(state: State, most: int | None) -> tuple[list[RunState], list[RunState]]:
    """The oldest first; of those that ended the last `most`, or all."""
    runs = sorted(state.runs.values(), key=lambda run: run.submitted_ms)
    ended = [run for run in runs if run.settled]
    return [run for run in runs if not run.settled], ended if most is None else ended[-most:]


def _head(state: State, live: list[RunState], pid: int | None) -> list[str]:
    return [scheduler_line(pid, live), *(f"hold        {hold_line(hold)}" for hold in state.holds)]


def _readings_due(live: list[RunState], now_ms: int) -> list[str]:
    """Of the accounts that pay for what is live: where the provider may count other hours."""
    names = sorted({run.graph.account for run in live if run.graph.account})
    if not names:
        return []
    from budget.ledger import Ledger
    from orchestrator.views.budget.reading_words import reading_due

    with Ledger(Home.find().ledger, read_only=True) as ledger:
        known = [account for account in ledger.accounts() if account.name in names]
        said = [reading_due(one, ledger.readings(one.name), now_ms) for one in known]
    return [f"reading     {one.name}: {due}" for one, due in zip(known, said, strict=True) if due]


def _lines(state: State, pid: int | None) -> list[str]:
    """What stays the same until something happens."""
    now_ms = time.time_ns() // 1_000_000
    live = list(state.live_runs())
    lines = _head(state, live, pid)
    for one in live:
        view = run_view(one, now_ms, state.runs, state.holds)
        lines.append(f"{view.name} · {view.status}")
        for row in view.rows:
            epoch = f"epoch {row.epoch or 0}/{row.epochs}" if row.epochs else ""
            said = f"{row.metric} {figure(row.value)}" if row.value is not None else ""
            parts = [view.name, row.title, row.status, epoch, said, row.why]
            lines.append(" · ".join(part for part in parts if part))
    ended = [run for run in state.runs.values() if run.settled]
    return [*lines, *(f"{run.name} · {run.outcome}" for run in ended)]


def _text(state: State, pid: int | None, most: int | None = ENDED_SHOWN) -> str:
    now_ms = time.time_ns() // 1_000_000
    live, ended = _live_and_ended(state, most)
    heads = [*_head(state, live, pid), *_readings_due(live, now_ms)]
    lines = [prose(line, " " * 12) for line in heads]
    for one in live:
        view = run_view(one, now_ms, state.runs, state.holds)
        lines.append(prose(_run_line(view), "    "))
        shown = (row for row in view.rows if row.status not in ("done", "reused", "skipped"))
        lines += (prose(_job_line(row), "      ") for row in shown)
        lines += (prose(f"  {line}", "      ") for line in question_lines(one, now_ms))
    lines += (prose(_run_line(run_view(one, now_ms, state.runs)), "    ") for one in ended)
    return "\n".join(lines)


def _run_line(view: RunView) -> str:
    parts = []
    if view.folds:
        parts.append(f"{view.folds_done} of {view.folds} {view.unit} done")
    if view.mean is not None:
        parts.append(f"{view.metric} {mean_and_spread(view.mean, view.spread)}")
    if view.charged_ms or view.in_flight_ms:
        used_ms = view.used_ms
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
