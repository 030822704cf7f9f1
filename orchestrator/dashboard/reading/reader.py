"""The thread in which the dashboard reads, and puts commands into the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from orchestrator.dashboard.jobs.lanes import LaneWatch
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.home import Home

if TYPE_CHECKING:
    from orchestrator.commands import Request
    from orchestrator.dashboard.reading.reading import Reading
    from orchestrator.store.inbox import Reply

T = TypeVar("T")


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
            from orchestrator.dashboard.reading.reading import (
                Reading,  # while the first frame is drawn
            )

            self._reading = Reading(self.home, self._watch)
        return self._reading
