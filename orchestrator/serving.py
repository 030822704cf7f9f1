"""A scheduler on this machine with everything it needs: lock, store, ledger, executor, outbox."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from budget.ledger import Ledger
from budget.meters.machine import MachineMeter
from notifiers.base import Notifier
from notifiers.console import Console
from orchestrator.clock import SystemClock
from orchestrator.events import events as e
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.local_meters import LocalMeters
from orchestrator.home import Home
from orchestrator.presses.listening import Listening
from orchestrator.scheduler.shell import Scheduler
from orchestrator.settings import read_settings
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from orchestrator.words.notifying import notifiers_for, places
from orchestrator.words.outbox import Sender, places_waiting
from skint.bell import Bell

_log = logging.getLogger(__name__)

IDLE_EXIT_MS = 600_000
"""A background scheduler with nothing to do leaves after this; the next `submit` starts another.
What was stopped and may be resumed by a press is something to do, for a day."""
_LIVE_AGAIN = e.RunSubmitted | e.JobsResumed | e.JobsRetried
DRAIN_S = 5.0
"""How long the last words may take; what is still queued goes out with the next scheduler."""


class Leaving:
    """Whether TERM or Ctrl-C has told this process to leave. It hears them from when it is made:
    whoever has found the pid of a scheduler may count on its answering first."""

    def __init__(self) -> None:
        self.told = False
        self._wake: Callable[[], None] = lambda: None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def wakes(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when it is told, also where it was told before."""
        self._wake = wake
        if self.told:
            wake()

    def _hear(self, *_: object) -> None:
        self.told = True
        self._wake()


@dataclass
class Serving:
    scheduler: Scheduler
    sender: Sender
    clock: SystemClock
    presses: Listening
    is_scheduler: Callable[[], bool]

    def drain(self) -> None:
        self.sender.drain(DRAIN_S)

    def until_told(self, leaving: Leaving) -> None:
        """Serve until it is told to leave, or until nothing has happened for a while. Words that
        are kept back for the morning are waited for: nobody else would send them. Jobs go on.
        Where its folder was removed it leaves at once: nobody could reach it, or stop it."""
        leaving.wakes(self.clock.interrupt)
        busy_ms = self.clock.now_ms()

        def over(state: State) -> bool:
            nonlocal busy_ms
            if any(True for _ in state.live_runs()) or self.presses.waits():
                busy_ms = self.clock.now_ms()
            idle = self.clock.now_ms() > busy_ms + IDLE_EXIT_MS
            return leaving.told or idle or not self.is_scheduler()

        while True:
            self.scheduler.run(over)
            if not self.is_scheduler():
                return
            self.drain()
            kept_back = not leaving.told and self.sender.keeps_back()
            if not kept_back and not self.scheduler.store.unanswered():
                return
            self.scheduler.tick()  # somebody saw this scheduler run and counts on an answer
            busy_ms = self.clock.now_ms()


@contextmanager
def scheduler_in(
    home: Home,
    on_events: Callable[[Iterable[e.Event], State], None] = lambda events, state: None,
    console: Console | None = None,
) -> Iterator[Serving]:
    """Be the scheduler of `home`, which speaks through `console` if one is given. Raises
    SchedulerRuns while another process is."""
    with ExitStack() as stack:
        is_scheduler = stack.enter_context(home.locked())
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        local = LocalExecutor(home.runs, cpus=read_settings(home.path).cpus, bell=home.bell)
        stack.callback(local.close)
        local.prepare()
        store = stack.enter_context(Store(home.store))
        ledger = stack.enter_context(Ledger(home.ledger))
        clock = SystemClock(_bell(home, stack))
        notifiers: dict[str, Notifier] = {console.name: console} if console else {}
        sender = Sender(home.store, notifiers, clock)

        def spread(events: Iterable[e.Event], state: State) -> None:
            new = [x.run for x in events if isinstance(x, _LIVE_AGAIN)]
            if new:
                _add_notifiers(notifiers, [state.runs[name] for name in new])
                presses.look()
            on_events(events, state)
            sender.poke()

        scheduler = Scheduler(
            store,
            ledger,
            {"local": local},
            clock,
            runs_dir=home.runs,
            on_events=spread,
            read_meters=LocalMeters(MachineMeter()).look,
        )
        stack.callback(scheduler.close)
        presses = Listening(home, os.environ, clock, lambda: scheduler.state, clock.interrupt)
        runs = scheduler.state.runs
        _add_notifiers(notifiers, scheduler.state.live_runs())
        _add_notifiers(notifiers, _with_unsent(home, runs.values()))
        sender.start()
        stack.callback(sender.stop)
        presses.look()
        stack.callback(presses.stop)
        yield Serving(scheduler, sender, clock, presses, is_scheduler)


def _bell(home: Home, stack: ExitStack) -> Bell | None:
    """What wakes the scheduler; without one it looks now and then."""
    try:
        heard = Bell(home.bell)
    except OSError as error:
        _log.warning("no bell wakes this scheduler, it looks now and then: %s", error)
        return None
    stack.callback(heard.close)
    return heard


def _with_unsent(home: Home, runs: Iterable[RunState]) -> list[RunState]:
    """Those that name a place for which words still wait in the outbox; most have ended."""
    with closing(sqlite3.connect(home.store)) as connection:
        waiting = places_waiting(connection)
    return [run for run in runs if waiting and not waiting.isdisjoint(places(run.graph))]


def _add_notifiers(notifiers: dict[str, Notifier], runs: Iterable[RunState]) -> None:
    """Those that `runs` name. A missing token silences one place and stops nothing."""
    for name, notifier in notifiers_for([run.graph for run in runs], os.environ).items():
        notifiers.setdefault(name, notifier)
