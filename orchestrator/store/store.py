"""The store: one SQLite file with the ordered event table, and what is derived from it.

One writer, the scheduler that holds the lock; screens read and put commands into the inbox. All
that one step leads to (events, read cursors, snapshots, notices, replies) is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.events.holding import Hold
from orchestrator.state.records import shared
from orchestrator.state.state import State, run_of
from orchestrator.store import rows, snapshot
from orchestrator.store.errors import unreadable
from orchestrator.store.inbox import Inbox
from orchestrator.store.kept_holds import kept_holds
from orchestrator.store.past import Past

# Whoever only reads the state needs no events and notices; making their classes takes a quarter of
# the time of `skint status`.
if TYPE_CHECKING:
    from notifiers.base import Notice
    from orchestrator.events import events as e


class Store(Inbox):
    """All of it. Raises StoreError as `StoreFile` does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._kept: dict[str, rows.Kept] = {}
        """The runs as their rows stand, where this is known."""

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
        from orchestrator.store import event_rows
        from orchestrator.words import outbox

        if not events and not cursors and not notices:
            return
        with self._transaction() as db:
            event_rows.append(db, events)
            db.executemany(
                "INSERT OR REPLACE INTO cursor VALUES (?, ?)", list((cursors or {}).items())
            )
            kept = {
                name: rows.write(db, state.runs[name], self._kept.get(name))
                for name in dict.fromkeys([x.run for x in events if x.run])
            }
            done = [x for x in events if isinstance(x, e.JobEnded) and x.outcome == "done"]
            keys = [state.runs[x.run].jobs[x.job].key for x in done]
            rows.write_results(db, [state.results[key] for key in keys])
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
            wrong = partial(unreadable, self.path, f"what is known of {name}")
            try:
                run = reader.read(number, graph, data, late=wrong if late else None)
            except rows.UNKNOWN as error:
                raise wrong(error) from error
            found.append(rows.Kept(number, run))
        return found

    def holds(self) -> tuple[Hold, ...]:
        """What keeps new jobs from starting. It belongs to no run, and is read off the events."""
        try:
            return kept_holds(self._db)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(self.path, "what is known of holds", error) from error

    def replayed(self) -> State:
        """The state projected from the events alone."""
        from orchestrator.store import event_rows

        return event_rows.replayed(self._db, self.path)

    def events(self, after: int = 0, run: str | None = None) -> Iterator[tuple[int, e.Event]]:
        """Events in order, with their ids; of one run if it is named."""
        from orchestrator.store import event_rows

        return event_rows.read(self._db, self.path, after, run)

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

    @property
    def past(self) -> Past:
        """Names of runs that are looked for."""
        return Past(self._db)

    def last_event(self) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
        return int(last)

    def cursors(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT attempt, bytes FROM cursor").fetchall())


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
