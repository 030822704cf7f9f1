"""The store: one SQLite file with the ordered event table, and what is derived from it.

One writer, the scheduler that holds the lock; screens read and put commands into the inbox. All
that one step leads to (events, read cursors, snapshots, notices, replies) is one transaction.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.state.records import shared
from orchestrator.state.state import Hold, Result, State, run_of
from orchestrator.store import rows, snapshot
from orchestrator.store.kept_holds import kept_holds
from orchestrator.store.snapshot import dump
from skint import bell
from skint.errors import SkintError

# Whoever only reads the state needs no events, commands and notices; making their classes takes a
# quarter of the time of `skint status`.
if TYPE_CHECKING:
    from notifiers.base import Notice
    from orchestrator import commands as c
    from orchestrator.events import events as e

STORE_VERSION = 5
"""Version 1 has fewer kinds of events, version 2 notes of no send of a notice that it began,
version 3 knows no holds, pauses and retries, version 4 keeps what is known of a run in one row."""

_SCHEMA = """
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, run TEXT NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX event_of_run ON event (run, id);
CREATE TABLE result (key TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE cursor (attempt TEXT PRIMARY KEY, bytes INTEGER NOT NULL);
CREATE TABLE command (
    id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
    ok INTEGER, reply TEXT
);
"""


_FROM_VERSION_4 = """
DROP TABLE snapshot;
DELETE FROM result;
"""
_OPEN_COMMANDS = "CREATE INDEX open_command ON command (at_ms) WHERE ok IS NULL;"

PATIENCE_S = 30.0
"""How long another process may write before that is an error. Disks stall for seconds."""
TIGHT_BYTES = 1 << 20
"""With less than this on the disk, an error of writing is one of room."""


class StoreError(SkintError):
    """The store cannot be read or written."""


class StoreFull(StoreError):
    """The disk has no room for what is to be kept. What was kept before stands."""


@dataclass(frozen=True)
class Reply:
    ok: bool
    text: str


class Store:
    """Opens or creates `path`. Raises StoreError for a file that is no store, or a newer one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, rows.Kept] = {}
        """The runs as their rows stand, where this is known."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)
            self._write_ahead()
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except sqlite3.DatabaseError as error:
            if _has_no_room(error, path):
                raise _full(path, error) from error
            if _is_held(error):
                raise _held(path, error) from error
            raise StoreError(
                f"the store cannot be used: {error}",
                where=str(path),
                next="move the file away to start with an empty store",
            ) from error

    def _write_ahead(self) -> None:
        """Set the journal's mode, which a file keeps. Where others make the file at the same time
        SQLite does not wait for them here, whatever its time-out is."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if not _is_held(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _migrate(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > STORE_VERSION:
                raise StoreError(
                    "the store was written by a newer skint",
                    where=str(self.path),
                    got=f"version {version}",
                    wanted=f"version {STORE_VERSION}",
                    next="pip install --upgrade skint",
                )
            if version == STORE_VERSION:
                return
            from orchestrator.words import outbox

            if version == 0:
                self._run(_SCHEMA + outbox.SCHEMA + rows.SCHEMA + _OPEN_COMMANDS)
            else:
                if version < 3:
                    self._run(outbox.FROM_VERSION_2)
                if version < 5:
                    self._run(_FROM_VERSION_4 + rows.SCHEMA + _OPEN_COMMANDS)
                    self._derive()
            # An older skint would stumble over what is written from now on: it is told so.
            self._db.execute(f"PRAGMA user_version={STORE_VERSION}")

    def _run(self, statements: str) -> None:
        for statement in statements.split(";"):
            self._db.execute(statement)

    def _derive(self) -> None:
        """Write what follows from the events."""
        state = self.replayed()
        for run in state.runs.values():
            rows.write(self._db, run, None)
        self._keep_results(state.results.values())

    def _keep_results(self, results: Iterable[Result]) -> None:
        query = "INSERT OR REPLACE INTO result VALUES (?, ?)"
        self._db.executemany(query, [(one.key, dump(snapshot.record(one))) for one in results])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it is durable when this ends, or none of it stands. Raises StoreFull."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:  # SQLite may have ended it itself
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                if _has_no_room(error, self.path):
                    raise _full(self.path, error) from error
                if _is_held(error):
                    raise _held(self.path, error) from error
            raise

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the scheduler writes -----------------------------------------------------------------

    def keep(
        self,
        events: Sequence[e.Event],
        state: State,
        *,
        cursors: Mapping[str, int] | None = None,
        notices: Sequence[tuple[str, Notice]] = (),
    ) -> None:
        """Append `events`, which led to `state`, with everything that belongs to them."""
        from orchestrator.events import events as e
        from orchestrator.words import outbox

        if not events and not cursors and not notices:
            return
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO event (at_ms, run, kind, data) VALUES (?, ?, ?, ?)",
                [(x.at_ms, x.run, type(x).__name__, dump(e.to_json(x))) for x in events],
            )
            db.executemany(
                "INSERT OR REPLACE INTO cursor VALUES (?, ?)", list((cursors or {}).items())
            )
            kept = {
                name: rows.write(db, state.runs[name], self._kept.get(name))
                for name in dict.fromkeys([x.run for x in events if x.run])
            }
            done = [x for x in events if isinstance(x, e.JobEnded) and x.outcome == "done"]
            keys = [state.runs[x.run].jobs[x.job].key for x in done]
            self._keep_results([state.results[key] for key in keys])
            for event in events:
                if isinstance(event, e.CommandAnswered):
                    db.execute(
                        "UPDATE command SET ok=?, reply=? WHERE id=?",
                        (event.ok, event.text, event.command),
                    )
            for notifier, notice in notices:
                outbox.put(db, notifier, notice)
        self._kept.update(kept)

    # --- everybody reads ----------------------------------------------------------------------

    def state(self, *, late: bool = False) -> State:
        """The state from the rows; the same as `replayed()`, sooner.

        With `late`, for who only looks: the attempts of a run are read when they are asked for."""
        runs = self._read("SELECT number, run, graph, data FROM run ORDER BY number", late=late)
        self._kept = {one.run.name: one for one in runs}
        results = self._db.execute("SELECT data FROM result ORDER BY rowid").fetchall()
        found = [snapshot.read_result(json.loads(data)) for (data,) in results]
        return State(
            {one.run.name: one.run for one in runs},
            shared({one.key: one for one in found}),
            self.holds(),
        )

    def _read(
        self, query: str, values: Sequence[object] = (), *, late: bool = False
    ) -> list[rows.Kept]:
        """The runs of which `query` selects number, name, graph and facts."""
        found = []
        reader = rows.Rows(self._db)
        for number, name, graph, data in self._db.execute(query, values).fetchall():
            wrong = partial(self._unreadable, f"what is known of {name}")
            try:
                run = reader.read(number, graph, data, late=wrong if late else None)
            except rows.UNKNOWN as error:
                raise wrong(error) from error
            found.append(rows.Kept(number, run))
        return found

    def _unreadable(self, what: str, error: Exception) -> StoreError:
        return StoreError(
            f"{what} cannot be read: most likely a newer skint wrote it",
            where=str(self.path),
            got=str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}",
            wanted="the skint that wrote it, or a newer one",
            next="pip install --upgrade skint",
        )

    def holds(self) -> tuple[Hold, ...]:
        """What keeps new jobs from starting. It belongs to no run, and is read off the events."""
        try:
            return kept_holds(self._db)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable("what is known of holds", error) from error

    def replayed(self) -> State:
        """The state projected from the events alone."""
        from orchestrator.state.projection import apply_all

        return apply_all(State(), (event for _, event in self.events()))

    def events(self, after: int = 0, run: str | None = None) -> Iterator[tuple[int, e.Event]]:
        """Events in order, with their ids; of one run if it is named."""
        query = "SELECT id, kind, data FROM event WHERE id > ?"
        values: tuple[object, ...] = (after,)
        if run is not None:
            query, values = query + " AND run = ?", (after, run)
        for id, kind, data in self._db.execute(query + " ORDER BY id", values):
            yield id, self._event_of(id, kind, data)

    def _event_of(self, id: int, kind: str, data: str) -> e.Event:
        from orchestrator.events import events as e

        try:
            return e.from_json(kind, json.loads(data))
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"event {id}, {kind},", error) from error

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """What is read inside belongs together, whatever others write meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def recent(self, ended: int) -> State:
        """The live runs and the last `ended` others; see `runs`."""
        names = self._db.execute(
            "SELECT run FROM run WHERE live UNION SELECT run FROM"
            " (SELECT run FROM run WHERE NOT live ORDER BY number DESC LIMIT ?)",
            (ended,),
        ).fetchall()
        return self.runs({name for (name,) in names})

    def runs(self, names: set[str]) -> State:
        """The runs called so, those that their reused results come from, and no results."""
        found: dict[str, rows.Kept] = {}
        wanted = names
        for _ in range(2):
            marks = ", ".join("?" * len(wanted))
            query = f"SELECT number, run, graph, data FROM run WHERE run IN ({marks})"
            found |= {one.run.name: one for one in self._read(query, [*wanted])}
            jobs = [job for one in found.values() for job in one.run.jobs.values()]
            wanted = {run_of(job.result_of) for job in jobs if job.status == "reused"}
            wanted -= found.keys()
        return State(
            {one.run.name: one.run for one in sorted(found.values(), key=attrgetter("number"))},
            holds=self.holds(),
        )

    def last_event(self) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
        return int(last)

    def cursors(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT attempt, bytes FROM cursor").fetchall())

    # --- the inbox ----------------------------------------------------------------------------

    def ask(self, request: c.Request, now_ms: int, id: str | None = None) -> str:
        """Put a command into the inbox; its id. Asking again with the same id changes nothing."""
        from orchestrator import commands as c

        id = id or uuid.uuid4().hex
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO command (id, at_ms, kind, data) VALUES (?, ?, ?, ?)",
                (id, now_ms, type(request).__name__, dump(c.to_json(request))),
            )
        bell.ring(self.path.with_name(bell.NAME))
        return id

    def unanswered(self) -> list[c.Command]:
        from orchestrator import commands as c

        rows = self._db.execute(
            "SELECT id, at_ms, kind, data FROM command WHERE ok IS NULL ORDER BY rowid"
        ).fetchall()
        found = []
        for id, at_ms, kind, data in rows:
            try:
                found.append(c.Command(id, at_ms, c.from_json(kind, json.loads(data))))
            except (KeyError, TypeError, ValueError):  # put there by another version
                text = f"this scheduler does not know the command {kind}"
                with self._transaction() as db:
                    db.execute("UPDATE command SET ok=0, reply=? WHERE id=?", (text, id))
        return found

    def reply(self, command: str) -> Reply | None:
        """The scheduler's answer, once there is one."""
        row = self._db.execute("SELECT ok, reply FROM command WHERE id=?", (command,)).fetchone()
        return Reply(bool(row[0]), row[1]) if row and row[0] is not None else None


def _has_no_room(error: sqlite3.Error, path: Path) -> bool:
    """Whether a full disk is why; SQLite does not always call it so."""
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or (
        name.startswith("SQLITE_IOERR") and shutil.disk_usage(path.parent).free < TIGHT_BYTES
    )


def _is_held(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _held(path: Path, error: sqlite3.Error) -> StoreError:
    return StoreError(
        "another process writes to the store and does not come to an end",
        where=str(path),
        got=f"{error}, for {PATIENCE_S:.0f} s",
        next="try again; if it stays so, is the disk slow, or a process of skint suspended (`ps`)?",
    )


def _full(path: Path, error: sqlite3.Error) -> StoreFull:
    return StoreFull(
        "the disk is full: nothing more can be written to the store",
        where=str(path),
        got=f"{shutil.disk_usage(path.parent).free:,} bytes free ({error})",
        wanted="a few MB",
        next="make room, for example with `skint cache prune`, then try again; `skint tick` or"
        " `skint scheduler start` goes on with what runs, and nothing of it is lost",
    )


def read_state(path: Path) -> State:
    """The state as it stands in the store at `path`; empty where there is no store yet."""
    if not path.exists():
        return State()
    with Store(path) as store:
        return store.state(late=True)


def read_recent(path: Path, ended: int) -> State:
    """As `read_state`, of the live runs and the last `ended` others; see `Store.runs`."""
    if not path.exists():
        return State()
    with Store(path) as store:
        return store.recent(ended)


def read_run(path: Path, name: str) -> State:
    """As `read_state`, of one run; see `Store.runs`."""
    if not path.exists():
        return State()
    with Store(path) as store:
        return store.runs({name})
