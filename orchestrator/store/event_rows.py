"""The ordered event table: the truth of the store, of which all else in it is derived."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.events import events as e
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.store.errors import unreadable
from orchestrator.store.text import dump


def append(db: sqlite3.Connection, events: Iterable[e.Event]) -> None:
    """Inside a transaction."""
    db.executemany(
        "INSERT INTO event (at_ms, run, kind, data) VALUES (?, ?, ?, ?)",
        [(x.at_ms, x.run, type(x).__name__, dump(e.to_json(x))) for x in events],
    )


def read(
    db: sqlite3.Connection, path: Path, after: int = 0, run: str | None = None
) -> Iterator[tuple[int, e.Event]]:
    """Events in order, with their ids; of one run if it is named. Raises StoreError."""
    query = "SELECT id, kind, data FROM event WHERE id > ?"
    values: tuple[object, ...] = (after,)
    if run is not None:
        query, values = query + " AND run = ?", (after, run)
    for id, kind, data in db.execute(query + " ORDER BY id", values):
        try:
            event = e.from_json(kind, json.loads(data))
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(path, f"event {id}, {kind},", error) from error
        yield id, event


def replayed(db: sqlite3.Connection, path: Path) -> State:
    """The state projected from the events alone. Raises StoreError."""
    return apply_all(State(), (event for _, event in read(db, path)))
