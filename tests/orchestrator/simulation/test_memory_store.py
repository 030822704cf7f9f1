"""The store in memory does what the file does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.events import events as e
from orchestrator.simulation.memory_store import MemoryStore
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.store.inbox import Reply
from orchestrator.store.store import Store
from tests.orchestrator.worlds import kfold


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store | MemoryStore]:
    made = MemoryStore() if request.param == "memory" else Store(tmp_path / "store.db")
    yield made
    made.close()


def submitted(run: str = "seedlings-1") -> e.RunSubmitted:
    return e.RunSubmitted(at_ms=1, run=run, graph=kfold().to_json(), uid=run)


def test_what_is_kept_is_read_again(store: Store | MemoryStore) -> None:
    first = (
        submitted(),
        e.JobWaited(at_ms=2, run="seedlings-1", job="scan", reason="a", sentence="b"),
    )
    state = apply_all(State(), first)
    store.keep(first, state, cursors={"x.1": 3})
    assert [type(event) for _, event in store.events()] == [type(event) for event in first]
    assert [event for _, event in store.events(after=1)] == [first[1]]
    assert [id for id, _ in store.events(after=1)] == [2]
    assert store.last_event() == 2
    assert store.cursors() == {"x.1": 3}
    assert store.state() == store.replayed() == state


def test_events_of_one_run_are_found(store: Store | MemoryStore) -> None:
    events = (submitted("a"), submitted("b"))
    store.keep(events, apply_all(State(), events))
    assert [event.run for _, event in store.events(run="b")] == ["b"]


def test_nothing_new_is_nothing_kept(store: Store | MemoryStore) -> None:
    store.keep((), State())
    assert store.last_event() == 0


def test_cursors_alone_are_kept(store: Store | MemoryStore) -> None:
    store.keep((), State(), cursors={"x.1": 3})
    store.keep((), State(), cursors={"x.1": 5, "y.1": 1})
    assert store.cursors() == {"x.1": 5, "y.1": 1}


def test_a_command_is_asked_once_and_answered_once(store: Store | MemoryStore) -> None:
    request = StopJobs(run="a", scope="run", target="a")
    id = store.ask(request, 5)
    assert store.ask(request, 6, id) == id
    (command,) = store.unanswered()
    assert (command.id, command.at_ms, command.request) == (id, 5, request)
    assert store.reply(id) is None
    answer = e.CommandAnswered(at_ms=7, run="", command=id, ok=False, text="no")
    store.keep((answer,), State())
    assert store.unanswered() == []
    assert store.reply(id) == Reply(False, "no")


def test_ids_of_commands_differ_from_store_to_store() -> None:
    request = SubmitRun(run="a", graph=kfold().to_json())
    ids = {MemoryStore(seed).ask(request, 0)[:8] for seed in range(20)}
    assert len(ids) == 20
