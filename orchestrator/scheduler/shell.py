"""The shell: it looks, asks `step`, keeps what was decided, and does what has to be done.

All input and output of the scheduler is here. Whatever fails in between is asked again in the next
round: events are kept before anything is done about them, and every action is idempotent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from budget.ledger import Ledger, LedgerError
from budget.meters.log import Metered
from notifiers.base import Notice
from orchestrator.baselines.agreement import agreement_of
from orchestrator.baselines.book import Book
from orchestrator.clock import Clock
from orchestrator.events import events as e
from orchestrator.executors.base import (
    Executor,
    ExecutorRefused,
    ExecutorUnreachable,
    Handle,
    StandbyGone,
)
from orchestrator.forecasts.forecasting import Queue, forecast_queue
from orchestrator.forecasts.history import History
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.actions import attempts_of, handle_of
from orchestrator.scheduler.balances import FREEING, wanted_accounts
from orchestrator.scheduler.books import Books
from orchestrator.scheduler.polling import Polling
from orchestrator.scheduler.rules.rule_processes import RuleProcesses
from orchestrator.scheduler.step import step
from orchestrator.scheduler.submission import MissingVariable, submission_of
from orchestrator.scheduler.watch import Watch
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.changed import changed
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from orchestrator.submitting.results import has_files, is_there, wrong_with
from orchestrator.words import announce
from orchestrator.words.outside import Outside, log_tail
from orchestrator.words.pacing import Pacing
from skint.errors import SkintError

_log = logging.getLogger(__name__)

EXPIRE_EVERY_MS = 3_600_000
"""How often reservations that nobody settles are looked for, by a scheduler that lives long."""
_MOVING = i.Reserve | i.Drop | i.Settle | i.Release
"""What changes the hours that are free."""


class Scheduler:
    """One scheduler on one store. Whoever makes it holds the lock (`orchestrator.home`)."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        executors: Mapping[str, Executor],
        clock: Clock,
        *,
        runs_dir: Path,
        environ: Mapping[str, str] = os.environ,
        on_events: Callable[[Iterable[e.Event], State], None] = lambda events, state: None,
        has_output: Callable[[str], bool] = is_there,
        wrong_with: Callable[[str], str] = wrong_with,
        has_files: Callable[[str], bool] = has_files,
        has_folder: Callable[[str], bool] = lambda path: Path(path).is_dir(),
        read_meters: Callable[[State, int], Mapping[str, Metered]] = lambda state, now_ms: {},
        tells: bool = True,
    ) -> None:
        """Without `tells` no notices are made: in a simulation there is nobody to read them."""
        self.store = store
        self.ledger = ledger
        self.executors = executors
        self.clock = clock
        self.runs_dir = runs_dir
        self.environ = environ
        self.on_events = on_events
        self.has_output = has_output
        self.wrong_with = wrong_with
        self.has_files = has_files
        self.has_folder = has_folder
        self.read_meters = read_meters
        self.tells = tells
        self.state = store.state()
        self._polling = Polling(executors, clock, store.cursors())
        self._history = History()
        self._book = Book()
        self._watch = Watch(clock)
        self._rules = RuleProcesses(environ)
        self._books = Books(ledger, clock)
        self._pacing = Pacing()
        for run in self.state.live_runs():
            self._note_starts(run)
        self._expire()

    def run(
        self, until: Callable[[State], bool], *, poll_s: float = 0.2, idle_s: float = 1.0
    ) -> State:
        """Tick until `until(state)`; the state then."""
        while not until(self.state):
            wake_ms = self.tick()
            if until(self.state):
                break
            busy = any(True for _ in self.state.live_attempts())
            self.clock.sleep(poll_s if busy else idle_s, wake_ms)
        return self.state

    def tick(self) -> int | None:
        """One round: look once, then decide and act until nothing more follows."""
        inputs, cursors = self._look()
        done: set[i.Action] = set()
        while True:
            now_ms = self.clock.now_ms()
            decided = step(self.state, inputs, now_ms)
            self._keep(decided, cursors)
            todo = [action for action in decided.actions if action not in done]
            if not todo:
                due = (decided.wake_ms, self._pacing.next_ms(self.state))
                return min((at_ms for at_ms in due if at_ms is not None), default=None)
            done.update(todo)
            answers = [a for action in todo for a in self._perform(action)]
            moved = any(isinstance(action, _MOVING) for action in todo)
            inputs = changed(
                inputs,
                commands=(),
                lines=(),
                observations={},
                orphans={},
                said=(),
                answers=tuple(answers),
            )
            if moved or any(isinstance(answer, FREEING) for answer in answers):
                inputs = self._with_hours(inputs)
            cursors = {}

    def close(self) -> None:
        """End what was started to judge; trainings go on without a scheduler."""
        self._rules.close()

    # --- looking ------------------------------------------------------------------------------

    def _look(self) -> tuple[i.Inputs, dict[str, int]]:
        since_ms = self.clock.now_ms() - self._expired_ms
        if not 0 <= since_ms < EXPIRE_EVERY_MS:
            self._expire()
        polled = self._polling.poll(self.state)
        commands = tuple(self.store.unanswered())
        capacity = {name: executor.capacity() for name, executor in self.executors.items()}
        self._history.know({d.uuid: d.name for has in capacity.values() for d in has.devices})
        inputs = i.Inputs(
            commands=commands,
            observations=polled.observations,
            lines=tuple(polled.lines),
            said=self._rules.answers(),
            orphans=self._polling.discover(),
            capacity=capacity,
            capabilities={name: ex.capabilities for name, ex in self.executors.items()},
            accounts=self._books.accounts(),
            history=self._history,
            book=self._book,
            agreement=agreement_of,
            watched_ms=self._watch.since_ms(),
            metered=self.read_meters(self.state, self.clock.now_ms()),
            runs_dir=str(self.runs_dir),
            has_output=self.has_output,
            wrong_with=self.wrong_with,
            has_files=self.has_files,
            has_folder=self.has_folder,
        )
        return self._with_hours(inputs), polled.cursors

    def _with_hours(self, inputs: i.Inputs) -> i.Inputs:
        """With what the ledger says of the accounts that this step may admit something on."""
        names = wanted_accounts(self.state, inputs)
        found = self._books.balances(names)
        balances = {name: found.get(name) for name in names}
        return changed(
            inputs, balances=balances, sessions=self._books.sessions(inputs.accounts, names)
        )

    # --- keeping ------------------------------------------------------------------------------

    def _keep(self, decided: i.Step, cursors: Mapping[str, int]) -> None:
        notices = self._notices(decided) if self.tells else []
        self.store.keep(decided.events, decided.state, cursors=cursors, notices=notices)
        self.state = decided.state
        self._polling.kept(cursors)
        for run in {
            event.run for event in decided.events if isinstance(event, e.AllocationStarted)
        }:
            self._note_starts(self.state.runs[run])
        if decided.events:
            self.on_events(decided.events, decided.state)

    def _open(self) -> set[str]:
        """What this scheduler waits for, however long: it settles that itself."""
        return {allocation.id for run in self.state.busy for allocation in run.open_allocations}

    def _expire(self) -> None:
        self._expired_ms = self.clock.now_ms()
        try:
            for charge in self.ledger.expire(self._expired_ms, spare=self._open()):
                _log.warning("%s was never settled: charged in full", charge.id)
        except LedgerError as error:
            _log.warning("forgotten reservations stay for now: %s", error)

    def _notices(self, decided: i.Step) -> list[tuple[str, Notice]]:
        outside, state, left = Outside(self.environ, log_tail), decided.state, self._books.balances
        found = announce.notices(decided.events, state, left, outside, self._queue, self._pacing)
        if self._pacing.keeps_back:
            now_ms = self.clock.now_ms()
            found += announce.late_heads(state, now_ms, left, outside, self._pacing)
        return found

    def _queue(self, name: str) -> Queue | None:
        """What is still to run on an account, as of before this step."""
        account = self._books.accounts().get(name)
        if account is None:
            return None
        return forecast_queue(self.state, account, self.clock.now_ms(), self._history)

    def _note_starts(self, run: RunState) -> None:
        """What is in flight follows from the start; the sum with what is reserved does not."""
        for allocation in run.open_allocations:
            if allocation.status == "running" and allocation.start_ms is not None:
                try:
                    self.ledger.start(allocation.id, allocation.start_ms)
                except LedgerError as error:
                    _log.warning("the ledger does not know that %s runs: %s", allocation.id, error)

    # --- doing --------------------------------------------------------------------------------

    def _perform(self, action: i.Action) -> Iterable[i.Answer]:
        match action:
            case i.Reserve(run, allocation):
                kept = self.state.runs[run].allocations[allocation]
                return self._books.reserve(run, kept, self._refused_before(run, kept))
            case i.Drop(run, allocation):
                kept = self.state.runs[run].allocations[allocation]
                return self._books.drop(kept, self._refused_before(run, kept))
            case i.Settle(run, allocation):
                return self._books.settle(self.state.runs[run].allocations[allocation])
            case i.Release(_, allocation, reason):
                return self._books.release(allocation, reason)
            case i.BookSaving(run, saving):
                return self._books.save(run, self.state.runs[run].savings[saving])
            case i.AskRule():
                self._rules.ask(action)
                return ()
            case i.Submit():
                return self._submit(action)
            case i.Signal():
                return self._signal(action)
            case i.Cancel(name, handle):
                try:
                    self.executors[name].cancel(handle)
                except ExecutorUnreachable as error:
                    _log.warning("%s cannot be cancelled now: %s", handle.name, error.what)
                return ()

    def _refused_before(self, run: str, kept: AllocationState) -> int:
        """How often the same attempts were refused."""
        return sum(other.attempts == kept.attempts for other in self.state.runs[run].refused)

    def _submit(self, action: i.Submit) -> Iterable[i.Answer]:
        run = self.state.runs[action.run]
        try:
            submission = submission_of(run, action.submission, self.environ)
            self.executors[action.executor].submit(submission)
        except StandbyGone as error:
            return (i.NotReady(action.submission, _in_one_line(error)),)
        except ExecutorRefused as error:
            return (i.NotAccepted(action.submission, _in_one_line(error)),)
        except MissingVariable as error:
            ahead = action.submission in run.standbys
            sent = () if ahead else attempts_of(run, action.submission)
            if any(attempt.unreachable for attempt in sent):
                # It was sent before, by a scheduler that had the variable: it may have started.
                return (i.Unanswered(action.submission, error.what),)
            return (i.NotAccepted(action.submission, _in_one_line(error)),)
        except ExecutorUnreachable as error:
            return (i.Unanswered(action.submission, error.what),)
        return (i.Accepted(action.submission),)

    def _signal(self, action: i.Signal) -> Iterable[i.Answer]:
        handle = handle_of(self.state.runs[action.run], action.submission)
        index = handle.attempts.index(action.attempt)
        one = Handle(handle.name, (action.attempt,), (handle.folders[index],))
        executor = self.executors[action.executor]
        try:
            executor.signal(one, action.request)
            if action.request.how == "kill":
                executor.cancel(one)
        except ExecutorUnreachable as error:
            _log.warning("%s cannot be told to stop now: %s", action.attempt, error.what)
            return ()
        return (i.Signalled(action.attempt, action.request.how),)


def _in_one_line(error: SkintError) -> str:
    return "; ".join(part for part in (error.what, error.next) if part)
