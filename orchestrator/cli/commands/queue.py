"""What is queued and running, in the order in which it will start: how long each job will probably
take, when it starts, and why it waits. Hours are said of accelerators alone: CPU work costs none.
A start with "by" is the latest one: nothing like the jobs before it was measured."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from orchestrator.cli.printing.job_words import cut
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import fitted, prose, room_for_last, table
from orchestrator.cli.printing.watching import Recent, add_watch, watch
from orchestrator.home import Home
from orchestrator.state.state import State
from orchestrator.store.store import read_recent
from orchestrator.views.figures import amount
from orchestrator.views.local_time import short_time
from orchestrator.views.queue import Queue, QueueRow, queue_view
from orchestrator.views.words.hold import hold_line
from orchestrator.views.words.scheduler import scheduler_line
from skint.context import usable_cores
from skint.errors import OK

SHOWN = 50
MEASURED = 20
"""Runs that have ended, to measure by."""
WHY_LEAST = 24
HEADS = ("run", "job", "lane", "account", ">hours", "start", "why")
EXAMPLES = ("skint queue", "skint queue --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help=f"not only the first {SHOWN}")
    add_watch(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    if arguments.json:
        from orchestrator.shapes.queue import queue_shape

        now_ms = time.time_ns() // 1_000_000
        view = _view(read_recent(home.store, MEASURED), None, now_ms)
        print_answer(queue_shape(view, now_ms, home.scheduler_pid()))
        return OK
    most = None if arguments.all else SHOWN
    if arguments.watch:
        recent = Recent(home, MEASURED)
        watch(
            lambda: _text(recent.state(), most, home.scheduler_pid()),
            lambda: _lines(recent.state(), most, home.scheduler_pid()),
        )
    print(_text(read_recent(home.store, MEASURED), most, home.scheduler_pid()))
    return OK


def _view(state: State, most: int | None, now_ms: int) -> Queue:
    return queue_view(state, now_ms, most=most, cores=usable_cores())


def _text(state: State, most: int | None, pid: int | None) -> str:
    now_ms = time.time_ns() // 1_000_000
    view = _view(state, most, now_ms)
    lines = [prose(line, " " * 12) for line in _head(state, pid)]
    if not view.rows:
        return "\n".join([*lines, "nothing is queued and nothing runs"])
    rows = [_cells(row, now_ms) for row in view.rows]
    lines += _fitting(rows) if sys.stdout.isatty() else [table(HEADS, rows)]
    if view.more:
        lines.append(f"… {view.more:,} more (--all)")
    return "\n".join(lines)


def _fitting(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """For a terminal: why each job waits is cut, or stands below it where there is no room at all;
    lane and account are left out first."""
    room = room_for_last(HEADS, rows, 0)
    if room >= min(WHY_LEAST, max(len(why) for *_, why in rows)):
        return [table(HEADS, [(*cells, cut(why, room)) for *cells, why in rows])]
    bare = [cells for *cells, _ in rows]
    head, *drawn = fitted(HEADS[:-1], bare, ("lane", "account")).splitlines()
    below = (prose(f"    {why}", "    ") for *_, why in rows)
    return [head, *(line for pair in zip(drawn, below, strict=True) for line in pair)]


def _head(state: State, pid: int | None) -> list[str]:
    live = [run for run in state.live_runs() if run.live]
    return [scheduler_line(pid, live), *(f"hold        {hold_line(hold)}" for hold in state.holds)]


def _lines(state: State, most: int | None, pid: int | None) -> list[str]:
    """What stays the same until something happens."""
    view = _view(state, most, time.time_ns() // 1_000_000)
    rows = [f"{row.run} · {row.title} · {_why(row)}" for row in view.rows]
    return [*_head(state, pid), *rows]


def _cells(row: QueueRow, now_ms: int) -> tuple[str, ...]:
    start, account = _start(row, now_ms), row.account or "–"
    return (row.run, row.title, row.lane, account, _hours(row), start, _why(row))


def _why(row: QueueRow) -> str:
    """ "waits for 1 of 1 devices (…)"; programs get the code of the reason too."""
    return row.why or row.reason or row.status


def _hours(row: QueueRow) -> str:
    """Of devices: "0.4–0.6 h", "≤ 2.0 h" where only the limit is known; nothing for CPU work."""
    if not row.devices:
        return "–"
    if not row.known:
        return f"≤ {amount(row.high_ms * row.devices)}" if row.high_ms else "–"
    low, high = amount(row.low_ms * row.devices), amount(row.high_ms * row.devices)
    same_unit = low.split(" ")[1:] == high.split(" ")[1:]
    return high if low == high else f"{low.split(' ')[0] if same_unit else low}–{high}"


def _start(row: QueueRow, now_ms: int) -> str:
    if row.start_ms is None:
        return "–"
    at = short_time(row.start_ms, now_ms)
    if row.status != "waiting":
        return f"since {at}"
    return f"{'~' if row.start_known else 'by '}{at}"
