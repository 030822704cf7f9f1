"""Finding runs by what their rows say, without reading them: to compare one with the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

_ALIKE = """
SELECT run.run FROM run
WHERE EXISTS (
    SELECT 1 FROM job
    WHERE job.run = run.number AND fold = ? AND status IN ('done', 'reused')
) AND EXISTS (
    SELECT 1 FROM job WHERE job.run = run.number AND instr(data, ?)
) ORDER BY number
"""


class Past:
    """Names of runs, of a store that is open."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def alike(self, digest: str, folds: int) -> tuple[str, ...]:
        """Those that may have a finished group of so many folds, and have a job whose result has
        the digest; the oldest first."""
        found = self._db.execute(_ALIKE, (folds - 1, f'"digest":"{digest}"'))
        return tuple(name for (name,) in found)

    def chosen(self) -> tuple[str, ...]:
        """Those that somebody chose as a baseline."""
        query = "SELECT run FROM run WHERE instr(data, '\"baseline_ms\":') ORDER BY number"
        return tuple(name for (name,) in self._db.execute(query))

    def newest(self, most: int) -> tuple[str, ...]:
        """The newest first."""
        query = "SELECT run FROM run ORDER BY number DESC LIMIT ?"
        return tuple(name for (name,) in self._db.execute(query, (most,)))

    def last_events(self, names: Iterable[str]) -> dict[str, int]:
        """The number of the newest event of each: while it is the same, so is the run."""
        query = "SELECT coalesce(max(id), 0) FROM event WHERE run = ?"
        return {name: int(self._db.execute(query, (name,)).fetchone()[0]) for name in names}
