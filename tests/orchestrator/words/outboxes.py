"""An outbox in a file of its own, and what is put into it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from notifiers.base import Notice, Topic
from orchestrator.words.outbox import SCHEMA, put


def empty_outbox(folder: Path) -> Path:
    file = folder / "store.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript("pragma journal_mode = wal;" + SCHEMA)
    connection.close()
    return file


def said(topic: Topic, title: str, run: str = "s-1") -> Notice:
    return Notice(run, topic, f"{run}:{topic}:{title}", title)


def queue(connection: sqlite3.Connection, *notices: Notice, notifier: str = "memory") -> None:
    with connection:
        for notice in notices:
            put(connection, notifier, notice)


def states(connection: sqlite3.Connection) -> Counter[str]:
    return Counter(state for (state,) in connection.execute("select state from outbox"))
