"""Runs written as rows of a store after each round, and read back at the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from orchestrator.state.state import RunState
from orchestrator.store import rows


class AsRows:
    """What a file would keep of runs, in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        for statement in rows.SCHEMA.split(";"):
            self._db.execute(statement)
        self._kept: dict[str, rows.Kept] = {}

    def write(self, runs: Iterable[RunState]) -> None:
        """Only what has changed since the last time."""
        for run in runs:
            self._kept[run.name] = rows.write(self._db, run, self._kept.get(run.name))

    def read(self, name: str) -> RunState:
        """KeyError for a run that was never written."""
        query = "SELECT number, graph, data FROM run WHERE number=?"
        row = self._db.execute(query, (self._kept[name].number,)).fetchone()
        return rows.Rows(self._db).read(*row)
