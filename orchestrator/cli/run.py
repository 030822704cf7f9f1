"""Ctrl-C stops the run and keeps its checkpoints; a second one leaves its jobs alone. If a
background scheduler runs, the plan is queued there and followed here."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from budget.ledger import Ledger
from orchestrator.cli import progress, show
from orchestrator.cli.attending import Attendant
from orchestrator.cli.plan import add_plan_arguments
from orchestrator.cli.submit import Refused, add_run_arguments, ask, prepare_request, put
from orchestrator.clock import SystemClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.home import Home, SchedulerRuns
from orchestrator.serving import Serving, scheduler_in
from orchestrator.state import State
from orchestrator.store import Store, read_run, read_state
from skint.errors import OK, RUN_FAILED

FOLLOW_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    request = prepare_request(arguments, home)
    if request is None:
        return OK
    state = _until_over(home, request)
    ended = state.runs[request.run]
    with Ledger(home.ledger, read_only=True) as ledger:
        print()
        print(show.render(ended, state, ledger, time.time_ns() // 1_000_000))
    for path in progress.reports(ended):
        print(f"report  {path}")
    return OK if ended.outcome == "done" else RUN_FAILED


def _until_over(home: Home, request: SubmitRun) -> State:
    if home.scheduler_pid() is None:
        with suppress(SchedulerRuns):  # another one was faster
            return _in_foreground(home, request)
    clock = SystemClock()
    with _until_interrupted(clock) as interrupted:  # also while the scheduler has yet to answer
        print(ask(home, request))
        return _follow(home, request.run, clock, interrupted)


def _in_foreground(home: Home, request: SubmitRun) -> State:
    """Be the scheduler until the run is over. Raises SchedulerRuns while another process is."""
    with ExitStack() as afterwards, scheduler_in(home) as serving:
        # Called after the lock is given up.
        afterwards.callback(lambda: _hand_over(home, serving.scheduler.state, request.run))
        state = _serve(serving, request)
        serving.drain()
    return state


def _hand_over(home: Home, state: State, ours: str) -> None:
    """Whoever queued a run or a command meanwhile saw a scheduler, and started none."""
    others = [run.name for run in state.live_runs() if run.name != ours]
    with Store(home.store) as store:
        asked = bool(store.unanswered())
    if others or asked:
        pid = home.start_scheduler()
        words = ", ".join(others) or "what was asked"
        print(f"a background scheduler goes on with {words}, pid {pid}", file=sys.stderr)


def _serve(serving: Serving, request: SubmitRun) -> State:
    scheduler, clock = serving.scheduler, serving.clock
    id = put(scheduler.store, request, clock.now_ms())

    def over(state: State) -> bool:
        if interrupted.first():
            put(scheduler.store, _stop(request.run), clock.now_ms())
        if request.run in state.runs:
            return state.runs[request.run].settled
        reply = scheduler.store.reply(id)
        if reply is not None and not reply.ok:
            raise Refused(reply.text, next="skint status")
        return False

    with (
        _until_interrupted(clock) as interrupted,
        progress.shown(lambda: scheduler.state, request.run),
    ):
        return scheduler.run(over)


def _follow(home: Home, name: str, clock: SystemClock, interrupted: _Interrupt) -> State:
    """Watch a run that another process schedules; where that dies, another is started."""
    attendant = Attendant(home)
    seen = read_run(home.store, name)
    says = progress.Lines(name)
    with progress.shown(lambda: seen, name):
        while not (name in seen.runs and seen.runs[name].settled):
            clock.sleep(FOLLOW_S)
            attendant.look()
            if interrupted.first():
                try:
                    ask(home, _stop(name))
                except Refused as refused:  # it ended in this moment
                    print(refused.what, file=sys.stderr)
            seen = read_run(home.store, name)
            says.tell(seen)
    return read_state(home.store)  # with the runs that it is compared with


def _stop(run: str) -> StopJobs:
    return StopJobs(run=run, scope="run", target=run, by="Ctrl-C")


class _Interrupt:
    """The first Ctrl-C. Its handler may come between any two instructions, even in a transaction:
    it sets a flag, and the loop acts."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._came = self._told = False

    def handle(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._came = True
        self._clock.interrupt()

    def first(self) -> bool:
        """Whether it came; True once."""
        if not self._came or self._told:
            return False
        self._told = True
        print(
            "stopping; checkpoints are kept (Ctrl-C again leaves the jobs alone)", file=sys.stderr
        )
        return True


@contextmanager
def _until_interrupted(clock: SystemClock) -> Iterator[_Interrupt]:
    """Ctrl-C is noted; a second one is a KeyboardInterrupt as ever."""
    interrupt = _Interrupt(clock)
    before = signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
