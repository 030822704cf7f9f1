"""What stands in the outbox: how much waits, and what was given up."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from notifiers.base import Notice
from orchestrator.words.outbox.turn import LONGEST_HOLD_S


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


def places_waiting(connection: sqlite3.Connection) -> set[str]:
    """The notifiers that notices are queued for, of runs that may have ended long ago."""
    rows = connection.execute("select distinct notifier from outbox where state = 'queued'")
    return {name for (name,) in rows}


def kept_back(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Whether a notice waits for an instant to come, e.g. the end of quiet hours."""
    longest_ms = now_ms + round(LONGEST_HOLD_S * 1000)
    found = connection.execute(
        "select 1 from outbox where state = 'queued' and not_before_ms between ? and ? limit 1",
        (now_ms + 1, longest_ms),
    ).fetchone()
    return found is not None


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
