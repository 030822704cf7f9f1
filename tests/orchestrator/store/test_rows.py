"""What is known of a run stands in rows; of one that moves only what changed is written."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace

import pytest

from orchestrator.events.events import StopAsked
from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import changed
from orchestrator.state.job_state import JobState
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState
from orchestrator.store import rows
from orchestrator.store.rows import BLOCK, Kept, Rows


@pytest.fixture
def db() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in rows.SCHEMA.split(";"):
        connection.execute(statement)
    return connection


def read(db: sqlite3.Connection, kept: Kept) -> RunState:
    (row,) = db.execute("SELECT number, graph, data FROM run WHERE number=?", (kept.number,))
    return Rows(db).read(*row)


def of(count: int) -> RunState:
    jobs = tuple(Job(f"j{n}", f"j{n}") for n in range(count))
    graph = Graph("many", None, "/plans", jobs)
    return RunState("many-1", graph, 5, uid="u", jobs={one.id: JobState(one.id) for one in jobs})


def attempt(job: str) -> AttemptState:
    return AttemptState(f"many-1.{job}.1", job, 1, "key", "/runs", "local", 1, 0)


@pytest.mark.parametrize("count", [7, 600])
def test_rows_say_what_the_run_is_whatever_changes(count: int, db: sqlite3.Connection) -> None:
    dice = random.Random(count)
    run = of(count)
    kept = rows.write(db, run, None)
    assert read(db, kept) == run
    for number in range(120):
        for _ in range(dice.randrange(4)):
            name = f"j{dice.randrange(count)}"
            known = run.attempts.get(f"many-1.{name}.1") or attempt(name)
            said = tuple({"epoch": n, "at_ms": number} for n in range(dice.randrange(50)))
            moved = replace(known, reports=(*known.reports, *said), progress=(1.0, number))
            run = with_record(run, "attempts", moved)
            job = replace(run.jobs[name], status="running", attempts=(known.id,), reason="x")
            run = with_record(run, "jobs", job)
        stop = StopAsked(
            at_ms=number, run="many-1", scope="run", target="", how="step", then="requeue",
            reason="", sentence="", by="me", attempts=("a", "b"),
        )  # fmt: skip
        run = changed(run, stops=run.stops[1:] if number % 5 == 4 else (*run.stops, stop))
        kept = rows.write(db, changed(run, park=bool(number % 2)), kept)
        assert read(db, kept) == kept.run
    assert read(db, rows.write(db, run, None)) == run  # written anew, as by another process


def test_only_what_changed_is_written(db: sqlite3.Connection) -> None:
    run = of(600)
    run = with_record(run, "attempts", replace(attempt("j5"), reports=({"n": 1},) * BLOCK * 9))
    kept = rows.write(db, run, None)
    before = db.total_changes
    kept = rows.write(db, with_record(run, "jobs", JobState("j5", reason="turn")), kept)
    assert db.total_changes - before == 1
    more = replace(kept.run.attempts["many-1.j5.1"], reports=({"n": 1},) * (BLOCK * 9 + 1))
    kept = rows.write(db, with_record(kept.run, "attempts", more), kept)
    assert db.total_changes - before == 3  # the attempt, and one block of its reports
    assert rows.write(db, kept.run, kept) == kept
    assert db.total_changes - before == 3


def test_runs_of_one_plan_share_their_graph(db: sqlite3.Connection) -> None:
    first, second = of(3), replace(of(3), name="many-2")
    assert rows.write(db, first, None).number < rows.write(db, second, None).number
    assert db.execute("SELECT count(*) FROM graph").fetchone() == (1,)
    reader = Rows(db)
    read = [reader.read(*row) for row in db.execute("SELECT number, graph, data FROM run")]
    assert read == [first, second] and read[0].graph is read[1].graph
