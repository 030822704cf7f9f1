"""Ctrl-C stops the run and keeps its checkpoints; a second one leaves its jobs alone. If a
background scheduler runs, the plan is queued there and followed here."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from budget.ledger import Ledger
from orchestrator.cli import progress, show
from orchestrator.cli.plan import add_plan_arguments
from orchestrator.cli.submit import ask, prepare_request
from orchestrator.clock import SystemClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.home import Home
from orchestrator.serving import Serving, scheduler_in
from orchestrator.state import State
from orchestrator.store import read_state
from skint.errors import OK, RUN_FAILED

FOLLOW_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    parser.add_argument("--name", help="name of the run; default: the plan's name and a number")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    request = prepare_request(arguments, home)
    if request is None:
        return OK
    if home.scheduler_pid() is not None:
        print(ask(home, request))
        state = _follow(home, request.run)
    else:
        with scheduler_in(home) as serving:
            state = _serve(serving, request)
            serving.drain()
    ended = state.runs[request.run]
    with Ledger(home.ledger, read_only=True) as ledger:
        print()
        print(show.render(ended, state, ledger, time.time_ns() // 1_000_000))
    for path in progress.reports(ended):
        print(f"report  {path}")
    return OK if ended.outcome == "done" else RUN_FAILED


def _serve(serving: Serving, request: SubmitRun) -> State:
    """Be the scheduler until the run is over."""
    scheduler, clock = serving.scheduler, serving.clock
    scheduler.store.ask(request, clock.now_ms())

    def cancel() -> None:
        stop = StopJobs(run=request.run, scope="run", target=request.run, by="Ctrl-C")
        scheduler.store.ask(stop, clock.now_ms())
        clock.interrupt()

    def over(state: State) -> bool:
        return request.run in state.runs and state.runs[request.run].settled

    with _cancelled_by_interrupt(cancel), progress.shown(lambda: scheduler.state, request.run):
        return scheduler.run(over)


def _follow(home: Home, name: str) -> State:
    """Watch a run that another process schedules."""
    clock = SystemClock()
    seen = read_state(home.store)

    def cancel() -> None:
        ask(home, StopJobs(run=name, scope="run", target=name, by="Ctrl-C"))

    says = progress.Lines(name)
    with _cancelled_by_interrupt(cancel), progress.shown(lambda: seen, name):
        while not (name in seen.runs and seen.runs[name].settled):
            clock.sleep(FOLLOW_S)
            seen = read_state(home.store)
            says.tell(seen)
    return seen


@contextmanager
def _cancelled_by_interrupt(cancel: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C cancels, the second is a KeyboardInterrupt as ever."""

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print(
            "stopping; checkpoints are kept (Ctrl-C again leaves the jobs alone)", file=sys.stderr
        )
        cancel()

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
