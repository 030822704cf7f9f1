"""What is known of a run as rows of the store: its own facts, its graph, and one row for each job,
attempt, allocation and so on. Of a run that moves only the rows that changed are written.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from orchestrator.graph import Graph
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import made
from orchestrator.state.job_state import JobState
from orchestrator.state.records import differing, shared
from orchestrator.state.state import Result, RunState
from orchestrator.store import snapshot
from orchestrator.store.snapshot import KEYED, KINDS
from orchestrator.store.text import dump

SCHEMA = """
CREATE TABLE run (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, live INTEGER NOT NULL,
    graph TEXT NOT NULL, account TEXT, data TEXT NOT NULL
);
CREATE INDEX live_run ON run (number) WHERE live;
CREATE TABLE graph (digest TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE job (
    run INTEGER NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL,
    fold INTEGER, devices INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    sentence TEXT NOT NULL, until_ms INTEGER, data TEXT NOT NULL, PRIMARY KEY (run, place)
) WITHOUT ROWID;
CREATE TABLE part (
    run INTEGER NOT NULL, kind TEXT NOT NULL, place INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (run, kind, place)
) WITHOUT ROWID;
"""
"""`run.number` is the order in which runs came. `entry` is the entry of the plan that a job was
made from: its group. A `part` of the kind "reports" is a block of those of one attempt."""

_COLUMNS = ("id", "status", "reason", "sentence", "until_ms")
"""Of a job, what has a column of its own."""
BLOCK = 32
"""Reports in a row: a job that reports a thousand times writes no more of them again each time."""
_SHIFT = 24
UNKNOWN = (KeyError, TypeError, ValueError)
"""What is raised of rows that another version has written."""
Unreadable = Callable[[Exception], Exception]
V = TypeVar("V")


class Kept(NamedTuple):
    """A run as its rows say it."""

    number: int
    run: RunState


def write(db: sqlite3.Connection, run: RunState, kept: Kept | None) -> Kept:
    """Have the rows say `run`; `kept` is what they say now, None where that is not known."""
    live = not run.settled
    if kept is None:
        number = _fresh(db, run, live)
        before = RunState(run.name, run.graph, 0)
    else:
        number, before = kept
        if live == before.settled or snapshot.is_other(before, run):
            query = "UPDATE run SET live=?, data=? WHERE number=?"
            db.execute(query, (live, dump(snapshot.facts(run)), number))
    jobs = [_job_row(number, place, run, job) for place, job in differing(before.jobs, run.jobs)]
    if jobs:
        db.executemany(f"INSERT OR REPLACE INTO job VALUES ({', '.join('?' * 11)})", jobs)
    for kind in KINDS:
        old, new = getattr(before, kind), getattr(run, kind)
        if old is not new:
            _write_parts(db, number, kind, old, new)
    return Kept(number, run)


def _fresh(db: sqlite3.Connection, run: RunState, live: bool) -> int:
    """The number of the run, of which there are no rows then but its own."""
    graph = dump(run.graph.to_json())
    digest = hashlib.sha256(graph.encode()).hexdigest()
    db.execute("INSERT OR IGNORE INTO graph VALUES (?, ?)", (digest, graph))
    (number,) = db.execute(
        "INSERT INTO run (run, live, graph, account, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (run) DO UPDATE SET live=excluded.live, graph=excluded.graph,"
        " account=excluded.account, data=excluded.data RETURNING number",
        (run.name, live, digest, run.graph.account, dump(snapshot.facts(run))),
    ).fetchone()
    db.execute("DELETE FROM job WHERE run=?", (number,))
    db.execute("DELETE FROM part WHERE run=?", (number,))
    return int(number)


def _job_row(number: int, place: int, run: RunState, known: JobState) -> tuple[Any, ...]:
    job = run.graph.job(known.id)
    rest = snapshot.record(known)
    for name in _COLUMNS:
        rest.pop(name, None)
    return (
        number,
        place,
        known.id,
        job.group,
        job.fold,
        job.devices,
        known.status,
        known.reason,
        known.sentence,
        known.until_ms,
        dump(rest),
    )


def _write_parts(db: sqlite3.Connection, number: int, kind: str, old: Any, new: Any) -> None:
    """`old` and `new` are mappings or sequences of records."""
    if kind in KEYED:
        found = [*differing(old, new)]
    else:
        found = [(n, one) for n, one in enumerate(new) if n >= len(old) or old[n] is not one]
        if len(new) < len(old):
            query = "DELETE FROM part WHERE run=? AND kind=? AND place>=?"
            db.execute(query, (number, kind, len(new)))
    rows = [(number, kind, place, dump(snapshot.record(one))) for place, one in found]
    if kind == "attempts":
        for place, one in found:
            rows += _report_rows(number, place, old.get(one.id), one)
    db.executemany("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", rows)


def _report_rows(
    number: int, place: int, before: AttemptState | None, attempt: AttemptState
) -> Iterator[tuple[int, str, int, str]]:
    """The blocks that new reports are in; nothing is ever taken from the others."""
    known = len(before.reports) if before is not None else 0
    if known == len(attempt.reports):
        return
    for block in range(known // BLOCK, -(-len(attempt.reports) // BLOCK)):
        reports = attempt.reports[block * BLOCK : (block + 1) * BLOCK]
        yield number, "reports", place << _SHIFT | block, dump(reports)


class Rows:
    """Reads runs back. Graphs are the same for the runs of one plan, and read once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._graphs: dict[str, Graph] = {}

    def read(
        self, number: int, digest: str, facts: str, late: Unreadable | None = None
    ) -> RunState:
        """The run with that number. Raises one of UNKNOWN for what is unknown here.

        With `late`, its jobs and its attempts are read out of their rows when somebody looks at
        them: of most runs that have ended nobody does. `late` makes of such an error what is
        raised then."""
        jobs = self._db.execute(
            "SELECT id, status, reason, sentence, until_ms, data FROM job WHERE run=?"
            " ORDER BY place",
            (number,),
        )
        parts = self._db.execute(
            "SELECT kind, place, data FROM part WHERE run=? ORDER BY kind, place", (number,)
        )
        rows = parts.fetchall()
        attempts = [row for row in rows if row[0] in ("attempts", "reports")]
        others = [row for row in rows if row[0] not in ("attempts", "reports")]
        return snapshot.run_of(
            json.loads(facts),
            self._graph(digest),
            Late(jobs.fetchall(), _jobs, late) if late else _jobs(jobs),
            {
                **_parts(others),
                "attempts": Late(attempts, _attempts, late) if late else _attempts(attempts),
            },
        )

    def _graph(self, digest: str) -> Graph:
        if digest not in self._graphs:
            query = "SELECT data FROM graph WHERE digest=?"
            (text,) = self._db.execute(query, (digest,)).fetchone()
            self._graphs[digest] = Graph.from_json(json.loads(text))
        return self._graphs[digest]


def _jobs(rows: Iterable[tuple[Any, ...]]) -> Mapping[str, JobState]:
    found = {}
    for *row, data in rows:
        known = dict(zip(_COLUMNS, row, strict=True))
        if data == "{}":
            found[row[0]] = made(JobState, known)
        else:
            found[row[0]] = snapshot.read_job({**known, **json.loads(data)})
    return shared(found)


def _parts(rows: Iterable[tuple[str, int, str]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for kind, _, data in rows:
        found[kind].append(snapshot.read_record(kind, json.loads(data)))
    return {
        kind: shared({one.id: one for one in records}) if kind in KEYED else tuple(records)
        for kind, records in found.items()
    }


def _attempts(rows: Sequence[tuple[str, int, str]]) -> Mapping[str, AttemptState]:
    reports: dict[int, list[Any]] = {}
    for kind, place, data in rows:
        if kind == "reports":
            reports.setdefault(place >> _SHIFT, []).extend(json.loads(data))
    found: dict[str, AttemptState] = {}
    for kind, place, data in rows:
        if kind == "attempts":
            said = tuple(reports.get(place, ()))
            attempt = snapshot.read_record(kind, json.loads(data), said)
            found[attempt.id] = attempt
    return shared(found)


class Late(Mapping[str, V]):
    """Jobs, or attempts, whose rows are read and not parsed yet."""

    def __init__(
        self,
        rows: Sequence[tuple[Any, ...]],
        parse: Callable[[Sequence[tuple[Any, ...]]], Mapping[str, V]],
        unreadable: Unreadable,
    ) -> None:
        self._rows = rows
        self._parse = parse
        self._unreadable = unreadable

    @cached_property
    def _known(self) -> Mapping[str, V]:
        try:
            return self._parse(self._rows)
        except UNKNOWN as error:
            raise self._unreadable(error) from error

    def __getitem__(self, name: str) -> V:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __bool__(self) -> bool:
        return bool(self._rows)  # whether there are any is known unparsed

    def values(self) -> ValuesView[V]:
        return self._known.values()


def write_results(db: sqlite3.Connection, results: Iterable[Result]) -> None:
    """What finished jobs have made, by the keys that others find it under."""
    query = "INSERT OR REPLACE INTO result VALUES (?, ?)"
    db.executemany(query, [(one.key, dump(snapshot.record(one))) for one in results])
