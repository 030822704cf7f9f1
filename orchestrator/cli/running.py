"""A run from its submission to its end, in this terminal: with a scheduler of our own, or with the
one that runs in the background. Ctrl-C and TERM stop the run, which keeps its checkpoints; a
second Ctrl-C leaves its jobs alone."""

from __future__ import annotations

import signal
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from orchestrator.cli.attending import Attendant
from orchestrator.cli.inbox import Refused, ask, put
from orchestrator.clock import SystemClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.events import events as e
from orchestrator.home import Home, SchedulerRuns
from orchestrator.state.state import State
from orchestrator.store.store import Store, read_run, read_state

if TYPE_CHECKING:
    from orchestrator.serving import Serving

FOLLOW_S = 0.5

Shown = Callable[[Callable[[], State], str], AbstractContextManager[object]]
"""Draws what a function says of the state, for the run of a name, while the block lasts."""
Told = Callable[[State], None]
"""Is given each state of a run that another process schedules."""
By = Callable[[], str]
"""Who has stopped it by the signal of Ctrl-C; empty where that was a person."""


def nobody() -> str:
    return ""


def until_over(
    home: Home,
    request: SubmitRun,
    shown: Shown,
    told: Told,
    say: Callable[[str], None] = print,
    by: By = nobody,
) -> tuple[State, bool]:
    """Submit and wait: the state when the run is settled, and whether Ctrl-C has stopped it.

    `say` has the scheduler's answer, before anything is told of the run. Raises Refused, NoReply
    or SchedulerError.
    """
    if home.scheduler_pid() is None:
        with suppress(SchedulerRuns):  # another one was faster
            return _in_foreground(home, request, shown, say, by)
    clock = SystemClock()
    with _until_interrupted(clock, by) as interrupted:  # also while the scheduler has yet to answer
        say(ask(home, request))
        state = _follow(home, request.run, clock, interrupted, shown, told)
        return state, interrupted.came


def _in_foreground(
    home: Home, request: SubmitRun, shown: Shown, say: Callable[[str], None], by: By
) -> tuple[State, bool]:
    """Be the scheduler until the run is over. Raises Refused, and SchedulerRuns while another
    process is."""
    from notifiers.console import Console  # slow, and whoever follows needs none of it
    from orchestrator.serving import scheduler_in

    id, answers = uuid.uuid4().hex, list[e.CommandAnswered]()
    console = Console(run="")  # a run of this name may be another terminal's

    def hear(events: Iterable[e.Event], _: State) -> None:
        for event in events:
            if isinstance(event, e.CommandAnswered) and event.command == id:
                answers.append(event)
                if event.ok:
                    console.run = request.run
                    with suppress(OSError):  # a terminal that is gone stops no run
                        say(event.text)

    with ExitStack() as afterwards, scheduler_in(home, hear, console) as serving:
        # Called after the lock is given up.
        afterwards.callback(lambda: _hand_over(home, serving, id))
        scheduler, clock = serving.scheduler, serving.clock

        def over(state: State) -> bool:
            if interrupted.first():
                put(scheduler.store, _stop(request.run, interrupted), clock.now_ms())
            return state.runs[request.run].settled

        with _until_interrupted(clock, by) as interrupted:
            put(scheduler.store, request, clock.now_ms(), id)
            scheduler.run(lambda _: bool(answers))
            if answers[0].ok:
                with shown(lambda: scheduler.state, request.run):
                    scheduler.run(over)
        serving.drain()
        if not answers[0].ok:
            raise Refused(answers[0].text, next="skint status")
    return scheduler.state, interrupted.came


def _hand_over(home: Home, serving: Serving, ours: str) -> None:
    """Whoever queued a run or a command meanwhile saw a scheduler, and started none. And what
    quiet hours keep back nobody else would send in the morning."""
    left = [run.name for run in serving.scheduler.state.live_runs() if run.uid != ours]
    with Store(home.store) as store:
        if not left and store.unanswered():
            left.append("what was asked")
    if serving.sender.keeps_back():
        left.append("what is to be told when the quiet hours end")
    if left:
        pid = home.start_scheduler()
        words = ", ".join(left)
        print(f"a background scheduler goes on with {words}, pid {pid}", file=sys.stderr)


def _follow(
    home: Home, name: str, clock: SystemClock, interrupted: _Interrupt, shown: Shown, told: Told
) -> State:
    """Watch a run that another process schedules; where that dies, another is started."""
    attendant = Attendant(home)
    seen = read_run(home.store, name)
    with shown(lambda: seen, name):
        while not (name in seen.runs and seen.runs[name].settled):
            clock.sleep(FOLLOW_S)
            attendant.look()
            if interrupted.first():
                try:
                    ask(home, _stop(name, interrupted))
                except Refused as refused:  # it ended in this moment
                    print(refused.what, file=sys.stderr)
            seen = read_run(home.store, name)
            told(seen)
    return read_state(home.store)  # with the runs that it is compared with


def _stop(run: str, interrupt: _Interrupt) -> StopJobs:
    return StopJobs(run=run, scope="run", target=run, by=interrupt.by() or interrupt.named)


class _Interrupt:
    """The first Ctrl-C, or TERM as Slurm sends it before a job's time is over. Its handler may come
    between any two instructions, even in a transaction: it sets a flag, and the loop acts."""

    def __init__(self, clock: SystemClock, by: By) -> None:
        self._clock = clock
        self.by = by
        self.came = self._told = False
        self.named = "Ctrl-C"

    def handle(self, number: int, _: object) -> None:
        if number == signal.SIGTERM:  # a further one says nothing new
            self.named = self.named if self.came else "TERM"
        else:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.came = True
        self._clock.interrupt()

    def first(self) -> bool:
        """Whether it came; True once."""
        if not self.came or self._told:
            return False
        self._told = True
        if not self.by():
            text = "stopping; checkpoints are kept (Ctrl-C again leaves the jobs alone)"
            print(text, file=sys.stderr)
        return True


@contextmanager
def _until_interrupted(clock: SystemClock, by: By) -> Iterator[_Interrupt]:
    """Ctrl-C and TERM are noted; a second Ctrl-C is a KeyboardInterrupt as ever."""
    interrupt = _Interrupt(clock, by)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt.handle) for number in numbers]
    try:
        yield interrupt
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
