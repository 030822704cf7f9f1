"""From nothing, and from the versions before it, to a store of this version.

Version 1 has fewer kinds of events, version 2 notes of no send of a notice that it began, version 3
knows no holds, pauses and retries, version 4 keeps what is known of a run in one row.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orchestrator.store import rows
from orchestrator.store.event_rows import replayed
from orchestrator.words import outbox

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


def bring_up(db: sqlite3.Connection, version: int, path: Path) -> None:
    """Inside a transaction. Raises StoreError for events that cannot be read."""
    if version == 0:
        _run(db, _SCHEMA + outbox.SCHEMA + rows.SCHEMA + _OPEN_COMMANDS)
        return
    if version < 3:
        _run(db, outbox.FROM_VERSION_2)
    if version < 5:
        _run(db, _FROM_VERSION_4 + rows.SCHEMA + _OPEN_COMMANDS)
        state = replayed(db, path)
        for run in state.runs.values():
            rows.write(db, run, None)
        rows.write_results(db, state.results.values())


def _run(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        db.execute(statement)
