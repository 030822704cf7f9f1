"""Names of this home that may stand on a line: runs, jobs, accounts; and files.

The tables are read directly: `orchestrator.store.store` costs more than a person who presses TAB
waits for. What cannot be read has no names.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

MOST_RUNS = 300
"""The newest; more than that nobody reads."""


def runs(store: Path) -> list[tuple[str, str]]:
    """Newest first, with what they do."""
    rows = _rows(store, "SELECT run, live FROM run ORDER BY number DESC LIMIT ?", (MOST_RUNS,))
    return [(str(name), "live" if live else "ended") for name, live in rows]


def jobs(store: Path, run: str) -> list[tuple[str, str]]:
    """Of a run, in the order of its graph; of the newest run where `run` is not known."""
    rows = _rows(
        store,
        "SELECT id, status FROM job WHERE run = coalesce((SELECT number FROM run WHERE run = ?),"
        " (SELECT max(number) FROM run)) ORDER BY place",
        (run,),
    )
    return [(str(id), str(status)) for id, status in rows]


def groups(store: Path, run: str) -> list[tuple[str, str]]:
    rows = _rows(
        store,
        "SELECT entry, count(*) FROM job JOIN run ON job.run = number WHERE run.run = ?"
        " GROUP BY entry ORDER BY min(place)",
        (run,),
    )
    return [(str(entry), f"{count} job{'s' if count != 1 else ''}") for entry, count in rows]


def folds(store: Path, run: str) -> list[tuple[str, str]]:
    rows = _rows(
        store,
        "SELECT fold, min(status) FROM job JOIN run ON job.run = number WHERE run.run = ?"
        " AND fold IS NOT NULL GROUP BY fold ORDER BY fold",
        (run,),
    )
    return [(str(fold), str(status)) for fold, status in rows]


def accounts(ledger: Path) -> list[tuple[str, str]]:
    return [(str(name), "") for (name,) in _rows(ledger, "SELECT name FROM account ORDER BY name")]


def _rows(file: Path, query: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    if not file.is_file():
        return []
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:  # another version's, or busy: nothing is offered, nothing is in the way
        return []


def files(begun: str, suffixes: tuple[str, ...] | None = None) -> Iterator[tuple[str, str]]:
    """Files and folders whose path begins so; folders end with a slash. `()`: folders alone."""
    head, tail = os.path.split(begun)
    try:
        entries = sorted(os.scandir(Path(head).expanduser() if head else "."), key=lambda e: e.name)
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(tail) or (entry.name.startswith(".") and not tail):
            continue
        path = os.path.join(head, entry.name)  # noqa: PTH118 - `./a` stays `./a`
        if entry.is_dir():
            yield f"{path}/", ""
        elif suffixes is None or entry.name.endswith(suffixes or ("/",)):
            yield path, ""


def programs(begun: str) -> Iterator[tuple[str, str]]:
    """What the PATH has, by name."""
    found: set[str] = set()
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        try:
            found |= {entry.name for entry in os.scandir(folder) if entry.name.startswith(begun)}
        except OSError:
            continue
    yield from ((name, "") for name in sorted(found))
