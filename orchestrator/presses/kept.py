"""Presses as they came in, kept in the store's file until they have been dealt with.

One is kept before it is acknowledged, under a key that is the same when it is delivered again. So
it is dealt with once, also by the next scheduler where this one is killed in between.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
create table if not exists press (
    key text primary key,
    at_ms integer not null,
    person text not null,
    value text not null,
    channel text not null,
    ts text not null,
    thread_ts text not null,
    command text,
    outcome text
);
create index if not exists press_open on press (at_ms) where outcome is null;
create table if not exists thread_read (
    channel text not null,
    ts text not null,
    newest text not null,
    primary key (channel, ts)
);
create table if not exists head_looked (
    channel text not null,
    ts text not null,
    at_ms integer not null,
    primary key (channel, ts)
);
"""

_PATIENCE_S = 2.0
"""For another writer: Slack waits three seconds for the acknowledgement."""


@dataclass(frozen=True)
class Arrival:
    """What somebody did, and where."""

    key: str
    """The same when it is delivered again, and of nothing else."""
    at_ms: int
    person: str
    """By the service's own id, e.g. `U0123456789`."""
    value: str
    """What the button carried, or would have."""
    channel: str
    ts: str
    """Of the message with the button."""
    thread_ts: str = ""
    """Of the thread that it stands in."""


@dataclass(frozen=True)
class Open:
    """A press that has not been dealt with to its end."""

    arrival: Arrival
    command: str | None
    """The id of the command that it became; None before that."""


class KeptPresses:
    """Presses in the store at `path`. Each call has a connection of its own: any thread may."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as db:
            db.executescript(_SCHEMA)

    def keep(self, arrival: Arrival, outcome: str | None = None) -> bool:
        """Durably; False if it was kept before. Raises sqlite3.Error where it cannot be.

        With an `outcome` it has been dealt with already.
        """
        with self._connection() as db:
            row = (
                arrival.key,
                arrival.at_ms,
                arrival.person,
                arrival.value,
                arrival.channel,
                arrival.ts,
                arrival.thread_ts,
                outcome,
            )
            return bool(db.execute(_INSERT, row).rowcount)

    def has(self, key: str) -> bool:
        """Whether it has come in before."""
        with self._connection() as db:
            return db.execute("select 1 from press where key = ?", (key,)).fetchone() is not None

    def open(self) -> list[Open]:
        """Those that are still to be dealt with, the oldest first."""
        with self._connection() as db:
            rows = db.execute(
                "select key, at_ms, person, value, channel, ts, thread_ts, command from press"
                " where outcome is null order by at_ms, rowid"
            ).fetchall()
        return [Open(Arrival(*row[:7]), row[7]) for row in rows]

    def became(self, key: str, command: str) -> None:
        """The press is a command now, and waits for the scheduler's reply."""
        with self._connection() as db:
            db.execute("update press set command = ? where key = ?", (command, key))

    def is_left_over(self, command: str, by: str) -> bool:
        """Whether `by` has asked for that command with a press that does not know of it: whoever
        dealt with it was killed in between."""
        with self._connection() as db:
            query = (
                "select 1 from command where id = ? and json_extract(data, '$.by') = ?"
                " and not exists (select 1 from press where press.command = command.id)"
            )
            return db.execute(query, (command, by)).fetchone() is not None

    def asked_by(self, command: str) -> str:
        """Who has asked for that command first."""
        with self._connection() as db:
            (data,) = db.execute("select data from command where id = ?", (command,)).fetchone()
        return str(json.loads(data)["by"])

    def close(self, key: str, outcome: str) -> None:
        """It has been dealt with; `outcome` says how."""
        with self._connection() as db:
            db.execute("update press set outcome = ? where key = ?", (outcome, key))

    def outcomes(self) -> dict[str, str]:
        """By key, of all that have been dealt with."""
        with self._connection() as db:
            rows = db.execute("select key, outcome from press where outcome is not null")
            return dict(rows.fetchall())

    def read_until(self, channel: str, ts: str) -> str:
        """The newest reply under the message `ts` that was read; its own stamp at first."""
        with self._connection() as db:
            query = "select newest from thread_read where channel = ? and ts = ?"
            row = db.execute(query, (channel, ts)).fetchone()
        return str(row[0]) if row else ts

    def have_read(self, channel: str, ts: str, newest: str) -> None:
        with self._connection() as db:
            db.execute(
                "insert or replace into thread_read (channel, ts, newest) values (?, ?, ?)",
                (channel, ts, newest),
            )

    def looked(self, channel: str, ts: str) -> int | None:
        """When the reactions to the message `ts` were looked at last, Unix time in milliseconds."""
        with self._connection() as db:
            query = "select at_ms from head_looked where channel = ? and ts = ?"
            row = db.execute(query, (channel, ts)).fetchone()
        return int(row[0]) if row else None

    def have_looked(self, channel: str, ts: str, at_ms: int) -> None:
        with self._connection() as db:
            db.execute(
                "insert or replace into head_looked (channel, ts, at_ms) values (?, ?, ?)",
                (channel, ts, at_ms),
            )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """What is written is durable when this ends, or did not happen."""
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as db:
            db.execute("pragma synchronous = full")
            with db:
                yield db


_INSERT = """
insert into press (key, at_ms, person, value, channel, ts, thread_ts, outcome)
values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (key) do nothing
"""
