"""Presses on the disk: kept once, from any thread, until they have been dealt with."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.commands import StopJobs
from orchestrator.presses.kept import Arrival, KeptPresses, Open
from orchestrator.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store(tmp_path / "store.db") as store:
        return store.path


def arrival(key: str, at_ms: int = 0) -> Arrival:
    return Arrival(key, at_ms, "U0ANNA0001", "{}", "C0", "1.0", "0.5")


def test_of_many_threads_that_keep_the_same_press_one_is_the_first(path: Path) -> None:
    kept = KeptPresses(path)
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda number: kept.keep(arrival(f"key {number % 4}")), range(40)))
    assert first.count(True) == 4
    assert len(kept.open()) == 4


def test_what_was_kept_is_there_for_the_next_process_until_it_is_closed(path: Path) -> None:
    kept = KeptPresses(path)
    kept.keep(arrival("later", at_ms=2))
    kept.keep(arrival("sooner", at_ms=1))
    kept.became("later", "press-1")
    kept = KeptPresses(path)
    assert kept.open() == [Open(arrival("sooner", 1), None), Open(arrival("later", 2), "press-1")]
    kept.close("sooner", "refused (old)")
    assert [one.arrival.key for one in kept.open()] == ["later"]
    assert kept.outcomes() == {"sooner": "refused (old)"}
    assert not kept.keep(arrival("sooner", 3))


def test_the_first_to_ask_for_a_command_is_known(path: Path) -> None:
    kept = KeptPresses(path)
    with Store(path) as store:
        for by in ("slack:U0ANNA0001", "slack:U0BEN00001"):
            store.ask(StopJobs(run="r", scope="run", target="r", by=by), 0, "press-1")
    assert kept.asked_by("press-1") == "slack:U0ANNA0001"


def test_a_thread_is_read_on_from_its_newest_reply(path: Path) -> None:
    kept = KeptPresses(path)
    assert kept.read_until("C0", "1.0") == "1.0"
    kept.have_read("C0", "1.0", "3.5")
    kept.have_read("C0", "2.0", "4.5")
    assert KeptPresses(path).read_until("C0", "1.0") == "3.5"


def test_what_cannot_be_kept_raises_so_that_nobody_acknowledges_it(path: Path) -> None:
    kept = KeptPresses(path)
    with sqlite3.connect(path) as db:
        db.execute("drop table press")
    db.close()
    with pytest.raises(sqlite3.Error):
        kept.keep(arrival("key"))
