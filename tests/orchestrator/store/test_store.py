"""What screens read of the store: no more runs than they show."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from orchestrator.commands import PauseJobs
from orchestrator.store.errors import StoreError, StoreFull
from orchestrator.store.store import Store, read_recent, read_run, read_state
from tests.orchestrator.worlds import World, kfold, training


def filled(folder: Path) -> Path:
    """Three runs that ended, the last of them with what the first found out; one that is live."""
    world = World(folder, training)
    world.settle(kfold("first"), "first-1")
    world.settle(kfold("other"), "other-1", cpu_only=True)
    world.settle(kfold("again"), "again-1")
    world.submit(kfold("live"), "live-1", again=True)
    world.until(lambda state: "live-1" in state.runs)
    world.store.close()
    return folder / "store.db"


def test_live_runs_and_the_last_that_ended_are_read_with_their_sources(tmp_path: Path) -> None:
    store = filled(tmp_path)
    whole = read_state(store).runs
    assert list(whole) == ["first-1", "other-1", "again-1", "live-1"]
    assert whole["again-1"].jobs["train.fold0"].result_of.startswith("first-1.")

    recent = read_recent(store, 1).runs
    assert list(recent) == ["first-1", "again-1", "live-1"]  # the first gave its results
    assert all(recent[name] == whole[name] for name in recent)
    assert list(read_recent(store, 9).runs) == list(whole)


def test_one_run_is_read_with_its_sources(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert list(read_run(store, "first-1").runs) == ["first-1"]
    assert list(read_run(store, "again-1").runs) == ["first-1", "again-1"]
    assert read_run(store, "none").runs == {}


def test_a_full_disk_is_one_clear_error_and_what_was_kept_stands(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold("first"), "first-1")
    (pages,) = world.store._db.execute("PRAGMA page_count").fetchone()
    world.store._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreFull) as refused:
        world.until_settled("first-1")
    assert refused.value.what.startswith("the disk is full")
    assert refused.value.where == str(world.store.path)
    assert "bytes free" in (refused.value.got or "") and "skint tick" in (refused.value.next or "")
    assert world.store.state() == world.store.replayed() == world.scheduler.state
    world.store._db.execute("PRAGMA max_page_count=1000000")
    assert world.until_settled("first-1").runs["first-1"].outcome == "done"
    assert world.store.state() == world.store.replayed()


def test_who_makes_the_store_at_the_same_moment_waits_for_the_other(tmp_path: Path) -> None:
    def opened(path: Path) -> str:
        together.wait()
        try:
            with Store(path):
                return "opened"
        except StoreError as error:
            return error.what

    together = Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        for number in range(50):
            path = tmp_path / str(number) / "store.db"
            assert set(pool.map(opened, [path] * 4)) == {"opened"}


def test_a_store_that_another_process_holds_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.file.PATIENCE_S", 0.05)
    path, pause = tmp_path / "store.db", PauseJobs(run="none", scope="run", target="none")
    with Store(path) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as refused:
            store.ask(pause, 0)
        assert refused.value.what.startswith("another process writes to the store")
        assert "move" not in (refused.value.next or "")
        assert read_state(path).runs == {}, "who only reads waits for nobody"
        other.rollback()
        store.ask(pause, 0)


def test_where_no_store_is_none_is_made(tmp_path: Path) -> None:
    assert read_recent(tmp_path / "store.db", 5).runs == {}
    assert read_run(tmp_path / "store.db", "first-1").runs == {}
    assert not (tmp_path / "store.db").exists()
