"""Asking the scheduler: a command goes into its inbox, and its answer is waited for."""

from __future__ import annotations

import sqlite3

from orchestrator.cli.attending import Attendant
from orchestrator.clock import SystemClock
from orchestrator.commands import Request
from orchestrator.home import Home
from orchestrator.store.errors import StoreError
from orchestrator.store.inbox import Inbox
from skint.errors import FAILED, UNREACHABLE, SkintError

REPLY_TIMEOUT_S = 20.0
REPLY_POLL_S = 0.005
"""The bell has rung: the scheduler answers within its next round, which is short."""


class NoReply(SkintError):
    """The scheduler does not answer."""

    exit_code = UNREACHABLE


class Refused(SkintError):
    """The scheduler says no."""

    exit_code = FAILED


def ask(home: Home, request: Request) -> str:
    """Put a command into the inbox and wait for its reply. Raises Refused or NoReply.

    Also StoreError if it cannot be put there, and SchedulerError if none runs and none starts.
    """
    clock, attendant = SystemClock(), Attendant(home)
    with Inbox(home.store) as inbox:
        id = put(inbox, request, clock.now_ms())
        asked_ms = clock.now_ms()
        while (reply := inbox.reply(id)) is None:
            if attendant.look():
                asked_ms = clock.now_ms()
            if clock.now_ms() > asked_ms + round(REPLY_TIMEOUT_S * 1000):
                raise NoReply(
                    "the scheduler did not answer; the command stays queued for it",
                    next="skint status",
                )
            clock.sleep(REPLY_POLL_S)
    if not reply.ok:
        raise Refused(reply.text, next="skint status")
    return reply.text


def put(inbox: Inbox, request: Request, now_ms: int, id: str | None = None) -> str:
    """Put a command into the inbox; its id. Raises StoreError, say on a full disk."""
    try:
        return inbox.ask(request, now_ms, id)
    except sqlite3.Error as error:
        raise StoreError(
            f"the command cannot be put into the store: {error}",
            where=str(inbox.path),
            next="see that the disk is not full and that the file may be written; then try again",
        ) from error
