"""All that the dashboard shows, read in a thread of its own into one value that never changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from orchestrator.dashboard.lanes import Lanes, LaneWatch
from orchestrator.dashboard.outlook import Outlook
from orchestrator.home import Home
from orchestrator.state import RunState, State

if TYPE_CHECKING:
    from budget.accounts.account import Account
    from budget.ledger.balance import LimitBalance
    from orchestrator.commands import Request
    from orchestrator.dashboard.reading import Reading
    from orchestrator.store import Reply
    from orchestrator.views.view import RunView
    from orchestrator.words.telling import Tone

EVENTS_KEPT = 300

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
        self._thread = ThreadPoolExecutor(1, "skint-top-reader")
        self._reading: Reading | None = None

    async def look(self, now_ms: int) -> Screen:
        """A new screen; if something cannot be read, the last one with the trouble in words."""
        return await self._in_thread(lambda reading: reading.look(now_ms))

    async def ask(self, request: Request, now_ms: int) -> str:
        """Put a command into the inbox; its id. Raises SkintError or sqlite3.Error."""
        return await self._in_thread(lambda reading: reading.opened().ask(request, now_ms))

    async def reply(self, command: str) -> Reply | None:
        """The scheduler's answer, once there is one."""
        return await self._in_thread(lambda reading: reading.opened().reply(command))

    async def close(self) -> None:
        await self._in_thread(lambda reading: reading.close())
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[Reading], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(self._opened()))

    def _opened(self) -> Reading:
        if self._reading is None:
            from orchestrator.dashboard.reading import Reading  # while the first frame is drawn

            self._reading = Reading(self.home, self._watch)
        return self._reading
