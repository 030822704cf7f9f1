"""What stands in the outbox: how much waits, and what was given up."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from notifiers.base import Notice


@dataclass(frozen=True)
class Undelivered:
    """A notice that was given up, with the reason."""

    notifier: str
    run: str
    title: str
    error: str


def waiting(connection: sqlite3.Connection, run: str | None = None) -> int:
    """How many notices are queued, of one run or of all."""
    (count,) = connection.execute(
        "select count(*) from outbox where state = 'queued' and run = coalesce(?, run)", (run,)
    ).fetchone()
    return int(count)


def runs_waiting(connection: sqlite3.Connection) -> list[str]:
    """The runs that notices are queued of; they may have ended long ago."""
    rows = connection.execute("select distinct run from outbox where state = 'queued'")
    return [run for (run,) in rows]


def undelivered(connection: sqlite3.Connection, run: str | None = None) -> list[Undelivered]:
    """The notices that were given up, oldest first."""
    rows = connection.execute(
        "select notifier, run, notice, error from outbox"
        " where state = 'failed' and run = coalesce(?, run) order by id",
        (run,),
    )
    return [
        Undelivered(notifier, of_run, Notice.from_json(notice).title, error)
        for notifier, of_run, notice, error in rows
    ]
