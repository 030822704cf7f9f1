"""A store that the previous version wrote opens, and its events replay to the same state."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestrator.graph import GRAPH_VERSION, Graph
from orchestrator.store.errors import StoreError
from orchestrator.store.file import STORE_VERSION
from orchestrator.store.store import Store, read_recent, read_run, read_state
from tests.orchestrator.worlds import World, graph, job, kfold, training
from tests.terminal import Terminal

KEPT = Path(__file__).parent.parent.parent / "data" / "versions" / "store-1.db"
"""Written by version 1: one run of three folds, to its end."""
Changed = Callable[[dict[str, Any]], dict[str, Any]]


def test_a_store_of_version_1_reads_as_it_did(tmp_path: Path) -> None:
    copy = tmp_path / "store.db"
    shutil.copy(KEPT, copy)
    with Store(copy) as store:
        assert store.last_event() == 65
        state = store.state()
        assert store.replayed() == state
        (run,) = state.runs.values()
        assert run.name == "seedlings-1"
        assert (run.outcome, run.ended_ms) == ("done", 1_795_219_670_000)
        assert list(run.jobs) == [
            "scan", "packed", "folds", "train.fold0", "train.fold1", "train.fold2", "errors",
        ]  # fmt: skip
        assert {job.status for job in run.jobs.values()} == {"done"}
        assert {attempt.outcome for attempt in run.attempts.values()} == {"done"}
        assert run.attempts["seedlings-1.train.fold0.1"].reports[-1]["score"] == 0.8


def test_a_store_of_version_1_takes_new_runs_beside_the_old_one(tmp_path: Path) -> None:
    shutil.copy(KEPT, tmp_path / "store.db")
    world = World(tmp_path, training)
    run = world.settle(kfold("other"), "other-1")
    assert run.outcome == "done"
    assert list(world.store.state().runs) == ["seedlings-1", "other-1"]
    assert world.store.replayed() == world.store.state()


def test_a_graph_of_version_1_has_the_defaults_of_what_came_since() -> None:
    one = graph(job("train", devices=1, limit_s=60.0))
    data = one.to_json()
    for known in data["jobs"]:
        for name in ("priority", "value", "resumes", "at_edge", "when_short"):
            known.pop(name, None)
    assert Graph.from_json({**data, "version": 1}) == one


def test_an_older_skint_is_told_that_the_store_is_newer(tmp_path: Path) -> None:
    copy = tmp_path / "store.db"
    shutil.copy(KEPT, copy)
    Store(copy).close()
    with closing(sqlite3.connect(copy)) as connection:
        # Version 1 opens no store of a higher number than its own.
        assert connection.execute("PRAGMA user_version").fetchone() == (STORE_VERSION,)
        assert STORE_VERSION > 1


def test_a_scheduler_whose_store_a_newer_skint_brings_up_ends_with_one_error(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    world.scheduler.tick()
    before = world.store.last_event()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute(f"PRAGMA user_version={STORE_VERSION + 1}")
        connection.execute("ALTER TABLE job RENAME TO task")
    with pytest.raises(StoreError, match="written by a newer skint") as told:
        world.until_settled()
    assert told.value.next == "pip install --upgrade skint"
    assert world.store.last_event() == before


def of_a_newer_skint(path: Path, table: str, change: Changed) -> None:
    Store(path).close()  # which makes it one of this version
    with closing(sqlite3.connect(path)) as connection, connection:
        (text,) = connection.execute(f"SELECT data FROM {table}").fetchone()
        connection.execute(f"UPDATE {table} SET data=?", (json.dumps(change(json.loads(text))),))


@pytest.mark.parametrize(
    ("table", "change", "got"),
    [
        ("run", lambda data: {**data, "colour": "red"}, "TypeError: .*'colour'"),
        ("job", lambda data: {**data, "colour": "red"}, "TypeError: .*'colour'"),
        ("part", lambda data: {**data, "colour": "red"}, "TypeError: .*'colour'"),
        (
            "graph",
            lambda data: {**data, "version": 99},
            f"graph of version 99, this skint reads up to {GRAPH_VERSION}",
        ),
    ],
)
def test_what_a_newer_skint_kept_of_a_run_is_no_traceback(
    table: str, change: Changed, got: str, tmp_path: Path
) -> None:
    copy = tmp_path / "store.db"
    shutil.copy(KEPT, copy)
    of_a_newer_skint(copy, table, change)
    with pytest.raises(StoreError, match=got):
        read_recent(copy, 5)
    with pytest.raises(StoreError, match=got):
        read_run(copy, "seedlings-1")
    with Store(copy) as store, pytest.raises(StoreError, match="what is known of seedlings-1"):
        store.state()
    with pytest.raises(StoreError, match=got):
        run = read_state(copy).runs["seedlings-1"]
        list(run.jobs), list(run.attempts)  # which are parsed as late as this


def test_an_event_of_a_kind_that_came_later_is_no_traceback(tmp_path: Path) -> None:
    copy = tmp_path / "store.db"
    shutil.copy(KEPT, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE event SET kind='JobPainted' WHERE id=7")
    with pytest.raises(StoreError, match="event 7, JobPainted, cannot be"):
        Store(copy)  # which is made one of this version from its events
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


@pytest.mark.parametrize("command", ["status", "replay"])
def test_a_person_with_an_older_skint_learns_what_to_do(command: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    store = tmp_path / "home" / "store.db"
    store.parent.mkdir()
    shutil.copy(KEPT, store)
    of_a_newer_skint(store, "graph", lambda data: {**data, "version": 99})
    said = terminal.skint(command)
    assert said.code != 0 and said.out == ""
    assert "what is known of seedlings-1 cannot be read" in said.err
    for part in (f"error: {store}", "graph of version 99", "wanted", "pip install --upgrade skint"):
        assert part in said.err
    assert "Traceback" not in said.err


def test_a_store_of_a_later_version_says_so(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    store = tmp_path / "home" / "store.db"
    store.parent.mkdir()
    shutil.copy(KEPT, store)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(f"PRAGMA user_version={STORE_VERSION + 1}")
    said = terminal.skint("status")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines() == [
        f"error: {store}: the store was written by a newer skint",
        f"  got     version {STORE_VERSION + 1}",
        f"  wanted  version {STORE_VERSION}",
        "  next    pip install --upgrade skint",
    ]
