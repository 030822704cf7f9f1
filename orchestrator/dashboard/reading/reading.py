"""What stands in the files, brought up to date at each look. Heavy to import: the reader's thread
does that while the first frame is drawn."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from budget.ledger import Ledger
from budget.ledger.balance import LimitBalance
from orchestrator.dashboard.budget.outlook import Forecaster
from orchestrator.dashboard.jobs.lanes import LaneWatch
from orchestrator.dashboard.reading.snapshot import (
    EVENTS_KEPT,
    AccountBalance,
    AccountLimit,
    EventLine,
    Screen,
)
from orchestrator.events import events as e
from orchestrator.home import Home
from orchestrator.state.projection import apply_all
from orchestrator.state.state import RunState, State, run_of
from orchestrator.store.store import Store
from orchestrator.views.budget.account_tree import in_tree
from orchestrator.views.run.view import RunView, run_view
from orchestrator.words.telling import tell, tone
from skint.errors import SkintError

ENDED_SHOWN = 8
MOST_APPLIED = 5_000
"""Behind by more events than this, as after a night with the lid closed, it is read anew."""
MOST_ENDED = 64
"""With more ended runs in memory than this, all but the last ones are forgotten."""


class Reading:
    """Of one home; for one thread."""

    def __init__(self, home: Home, watch: LaneWatch) -> None:
        self._home = home
        self._watch = watch
        self._forecaster = Forecaster()
        self._store: Store | None = None
        self._file: tuple[int, int] | None = None
        # What the store said, up to this event; forgotten with the store.
        self._seen, self._known, self._lines = 0, State(), deque[EventLine](maxlen=EVENTS_KEPT)
        self._over: dict[str, tuple[RunState, RunView]] = {}
        self._last = Screen(now_ms=0)

    def look(self, now_ms: int) -> Screen:
        """See `Reader.look`."""
        try:
            screen = self._read(now_ms)
        except (SkintError, sqlite3.Error, OSError) as error:
            screen = replace(self._last, trouble=_in_a_line(error))
        self._last = screen
        return screen

    def _read(self, now_ms: int) -> Screen:
        pid = self._home.scheduler_pid()
        with Ledger(self._home.ledger, read_only=True) as ledger:
            balances = {
                account.name: AccountBalance(account, ledger.balance(account.name, now_ms))
                for account in ledger.accounts()
            }
            accounts = limits_of(ledger, balances, now_ms)
        if not self._home.store.exists():
            self.close()
            lanes = self._watch.look(State(), now_ms)
            return Screen(now_ms, pid, accounts, balances, lanes=lanes)
        self._read_store(self.opened())
        limits = [(shown.account, shown.limit) for shown in accounts]
        return Screen(
            now_ms,
            pid,
            accounts,
            balances,
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
            else (run, run_view(run, now_ms, self._known.runs, self._known.holds))
            for run in over.values()
        }
        live = [run for run in runs if not run.settled]
        return (
            *(run_view(run, now_ms, self._known.runs, self._known.holds) for run in live),
            *(self._over[name][1] for name in over),
        )

    def opened(self) -> Store:
        """The store, opened anew where another file has taken its place."""
        status = self._home.store.stat()
        file = (status.st_dev, status.st_ino)
        if self._store is None or self._file != file:
            self.close()
            self._store, self._file = Store(self._home.store), file
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store, self._file = None, None
        self._seen, self._known, self._over = 0, State(), {}
        self._lines.clear()


def limits_of(
    ledger: Ledger, balances: Mapping[str, AccountBalance], now_ms: int
) -> tuple[AccountLimit, ...]:
    """Each limit that has a bar, sub-budgets after their parent."""
    return tuple(
        AccountLimit(account, limit, depth, _read_ms(ledger, limit, now_ms))
        for depth, account in in_tree(one.account for one in balances.values())
        for limit in balances[account.name].balance.limits
        if limit.account == account.name  # its parent's stand with the parent
        and limit.limit.window.kind != "per-session"  # never summed up: there is no bar
    )


def _read_ms(ledger: Ledger, limit: LimitBalance, now_ms: int) -> int | None:
    reading = ledger.newest_reading(limit.account, limit.limit.name, now_ms)
    return reading.at_ms if reading is not None else None


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
