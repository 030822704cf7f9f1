"""All that the dashboard shows, read in a thread of its own into one value that never changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from budget.accounts.account import Account
from budget.ledger import Ledger
from budget.ledger.balance import LimitBalance
from orchestrator import events as e
from orchestrator.commands import Request
from orchestrator.dashboard.lanes import Lanes, LaneWatch
from orchestrator.dashboard.outlook import Forecaster, Outlook
from orchestrator.home import Home
from orchestrator.projection import apply_all
from orchestrator.state import RunState, State, run_of
from orchestrator.store import Reply, Store
from orchestrator.views.account_tree import in_tree
from orchestrator.views.view import RunView, run_view
from orchestrator.words.telling import Tone, tell, tone
from skint.errors import SkintError

EVENTS_KEPT = 300
ENDED_SHOWN = 8
MOST_APPLIED = 5_000
"""Behind by more events than this, as after a night with the lid closed, it is read anew."""
MOST_ENDED = 64
"""With more ended runs in memory than this, all but the last ones are forgotten."""

T = TypeVar("T")


@dataclass(frozen=True)
class EventLine:
    id: int
    """The event's number in the store; lines are in its order."""
    at_ms: int
    run: str
    text: str
    tone: Tone


@dataclass(frozen=True)
class AccountLimit:
    """One limit of one account; sub-budgets are one deeper than their parent."""

    account: Account
    limit: LimitBalance
    depth: int = 0


@dataclass(frozen=True)
class Screen:
    """What was known at `now_ms`."""

    now_ms: int
    scheduler_pid: int | None = None
    accounts: tuple[AccountLimit, ...] = ()
    """Each limit of each account, sub-budgets after their parent."""
    state: State = field(default_factory=State)
    """The runs of `views`, those that their reused results come from, and no results."""
    views: tuple[RunView, ...] = ()
    """Live runs in the order they were submitted, then the last ones that ended, newest first."""
    events: tuple[EventLine, ...] = ()
    """Newest last."""
    lanes: Lanes = field(default_factory=Lanes)
    outlook: Outlook = field(default_factory=Outlook)
    trouble: str = ""
    """Why it could not be read; then all the rest is what was known before."""

    @property
    def live(self) -> tuple[RunState, ...]:
        return tuple(self.state.live_runs())

    def view(self, run: str) -> RunView | None:
        return next((view for view in self.views if view.name == run), None)


class Reader:
    """Everything that touches a file, on one thread: SQLite may be busy for seconds, keys not."""

    def __init__(self, home: Home, watch: LaneWatch | None = None) -> None:
        self.home = home
        self._watch = watch or LaneWatch()
        self._forecaster = Forecaster()
        self._thread = ThreadPoolExecutor(1, "skint-top-reader")
        self._store: Store | None = None
        self._file: tuple[int, int] | None = None
        # What the store said, up to this event; forgotten with the store.
        self._seen, self._known, self._lines = 0, State(), deque[EventLine](maxlen=EVENTS_KEPT)
        self._over: dict[str, tuple[RunState, RunView]] = {}
        self._last = Screen(now_ms=0)

    async def look(self, now_ms: int) -> Screen:
        """A new screen; if something cannot be read, the last one with the trouble in words."""
        return await self._in_thread(lambda: self._look(now_ms))

    async def ask(self, request: Request, now_ms: int) -> str:
        """Put a command into the inbox; its id. Raises SkintError or sqlite3.Error."""
        return await self._in_thread(lambda: self._opened().ask(request, now_ms))

    async def reply(self, command: str) -> Reply | None:
        """The scheduler's answer, once there is one."""
        return await self._in_thread(lambda: self._opened().reply(command))

    async def close(self) -> None:
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _look(self, now_ms: int) -> Screen:
        try:
            screen = self._read(now_ms)
        except (SkintError, sqlite3.Error, OSError) as error:
            screen = replace(self._last, trouble=_in_a_line(error))
        self._last = screen
        return screen

    def _read(self, now_ms: int) -> Screen:
        pid = self.home.scheduler_pid()
        with Ledger(self.home.ledger, read_only=True) as ledger:
            accounts = tuple(
                AccountLimit(account, limit, depth)
                for depth, account in in_tree(ledger.accounts())
                for limit in ledger.balance(account.name, now_ms).limits
                if limit.account == account.name  # its parent's stand with the parent
                and limit.limit.window.kind != "per-session"  # never summed up: there is no bar
            )
        if not self.home.store.exists():
            self._close()
            return Screen(now_ms, pid, accounts, lanes=self._watch.look(State(), now_ms))
        self._read_store(self._opened())
        limits = [(shown.account, shown.limit) for shown in accounts]
        return Screen(
            now_ms,
            pid,
            accounts,
            self._known,
            self._views(now_ms),
            events=tuple(self._lines),
            lanes=self._watch.look(self._known, now_ms),
            outlook=self._forecaster.look(self._known, limits, now_ms),
        )

    def _read_store(self, store: Store) -> None:
        """What has happened since the last look, applied to what was known then."""
        if store.last_event() == self._seen:
            return
        with store.standing_still():
            newest = store.last_event()
            ended = len(self._known.runs) - len(self._known.live_runs())
            if not self._seen or newest - self._seen > MOST_APPLIED or ended > MOST_ENDED:
                self._known = store.recent(ENDED_SHOWN)
                told = list(store.events(max(self._seen, newest - EVENTS_KEPT)))
                self._known = _with_runs(self._known, {event.run for _, event in told}, store)
            else:
                told = list(store.events(self._seen))
                self._known = _followed(self._known, [event for _, event in told], store)
        for id, event in told[-EVENTS_KEPT:]:
            text = tell(event, self._known)
            if text is not None:
                self._lines.append(EventLine(id, event.at_ms, event.run, text, tone(event)))
        self._seen = newest

    def _views(self, now_ms: int) -> tuple[RunView, ...]:
        """An ended run looks as it did, however late it is."""
        runs = sorted(self._known.runs.values(), key=lambda run: run.submitted_ms)
        ended = [run for run in reversed(runs) if run.settled][:ENDED_SHOWN]
        over = {run.name: run for run in ended}
        self._over = {
            run.name: seen
            if (seen := self._over.get(run.name)) is not None and seen[0] is run
            else (run, run_view(run, now_ms, self._known.runs))
            for run in over.values()
        }
        live = [run for run in runs if not run.settled]
        return (
            *(run_view(run, now_ms, self._known.runs) for run in live),
            *(self._over[name][1] for name in over),
        )

    def _opened(self) -> Store:
        """The store, opened anew where another file has taken its place."""
        status = self.home.store.stat()
        file = (status.st_dev, status.st_ino)
        if self._store is None or self._file != file:
            self._close()
            self._store, self._file = Store(self.home.store), file
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store, self._file = None, None
        self._seen, self._known, self._over = 0, State(), {}
        self._lines.clear()


def _followed(known: State, new: Sequence[e.Event], store: Store) -> State:
    """`known` after the `new` events. Runs that it does not know are read as they are by now."""
    begun = {event.run for event in new if isinstance(event, e.RunSubmitted)}
    here = begun | known.runs.keys() | {""}  # holds are of no run
    state = apply_all(known, (event for event in new if event.run in here))
    reused = {run_of(event.attempt) for event in new if isinstance(event, e.JobReused)}
    return _with_runs(state, {event.run for event in new} | reused, store)


def _with_runs(state: State, names: set[str], store: Store) -> State:
    missing = names - state.runs.keys() - {""}
    if not missing:
        return state
    return State({**store.runs(missing).runs, **state.runs}, holds=state.holds)


def _in_a_line(error: Exception) -> str:
    if isinstance(error, SkintError):
        return " · ".join(part for part in (error.what, error.where, error.next) if part)
    return f"{type(error).__name__}: {error}"
