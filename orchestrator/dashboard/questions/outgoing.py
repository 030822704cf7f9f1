"""Commands on their way to the scheduler. What stops something waits a few seconds, so that it can
be taken back without a trace: stopping and resuming would cost accelerator time.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.commands import Request
from orchestrator.dashboard.questions.question import Choice
from orchestrator.dashboard.reading.reader import Reader
from orchestrator.home import Home
from skint.errors import SkintError

GRACE_S = 5.0
REPLY_EVERY_S = 0.1
REPLY_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Pending:
    choice: Choice
    due_ms: int


class Outgoing:
    """What was decided and is not sent yet, the oldest first; and the sending of it.

    `say` tells a person what came of it; `now_ms` is the person's clock.
    """

    def __init__(
        self,
        home: Home,
        reader: Reader,
        say: Callable[[str, bool], None],
        now_ms: Callable[[], int],
        grace_s: float = GRACE_S,
    ) -> None:
        self._home = home
        self._reader = reader
        self._say = say
        self._now_ms = now_ms
        self._grace_ms = round(grace_s * 1000)
        self.pending: tuple[Pending, ...] = ()

    def put(self, choice: Choice) -> bool:
        """Keep it for a while; False for what is to be sent at once."""
        if not choice.undoable or not self._grace_ms:
            return False
        self.pending = (*self.pending, Pending(choice, self._now_ms() + self._grace_ms))
        return True

    def take_back(self) -> Choice | None:
        """The newest one that has not been sent; it never will be."""
        if not self.pending:
            return None
        *rest, last = self.pending
        self.pending = tuple(rest)
        return last.choice

    def due(self) -> tuple[Choice, ...]:
        """Those whose time is over, which are to be sent now."""
        now_ms = self._now_ms()
        ready = tuple(one.choice for one in self.pending if one.due_ms <= now_ms)
        self.pending = tuple(one for one in self.pending if one.due_ms > now_ms)
        return ready

    def words(self) -> str:
        """ "cancel of bold-1 is sent in 4 s · u takes it back"; empty where nothing waits."""
        if not self.pending:
            return ""
        last = self.pending[-1]
        more = f" and {len(self.pending) - 1} more" if len(self.pending) > 1 else ""
        left_s = max(0, -(-(last.due_ms - self._now_ms()) // 1000))
        return f"{last.choice.what}{more} is sent in {left_s} s · u takes it back"

    async def send(self, choice: Choice) -> None:
        """Into the inbox, have a scheduler there to obey, and tell its replies."""
        try:
            # The words are in the inbox before a scheduler starts that would find them overdue.
            commands = [await self._ask(request) for request in choice.requests]
            await asyncio.to_thread(self._home.start_scheduler)
            for command in commands:
                await self._tell_reply(command)
        except (SkintError, sqlite3.Error, OSError) as error:
            self._say(f"{error}\nA command that was queued stays so.", True)

    async def flush(self) -> None:
        """Send what still waits: the person leaves, and has said yes."""
        left, self.pending = self.pending, ()
        for one in left:
            for request in one.choice.requests:
                await self._ask(request)
        if left:
            await asyncio.to_thread(self._home.start_scheduler)

    async def _ask(self, request: Request) -> str:
        return await self._reader.ask(request, self._now_ms())

    async def _tell_reply(self, command: str) -> None:
        for _ in range(round(REPLY_TIMEOUT_S / REPLY_EVERY_S)):
            reply = await self._reader.reply(command)
            if reply is not None:
                self._say(reply.text, not reply.ok)
                return
            await asyncio.sleep(REPLY_EVERY_S)
        self._say("The scheduler did not answer; the command stays queued for it.", True)
