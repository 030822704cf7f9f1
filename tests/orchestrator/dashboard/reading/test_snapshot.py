"""Reading the store and the ledger, as often as once a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.commands import SetBaseline, StopJobs
from orchestrator.dashboard.reading import reading as reading_files
from orchestrator.dashboard.reading.reader import Reader
from orchestrator.home import Home
from tests.orchestrator.dashboard.screens import second_fold
from tests.orchestrator.worlds import World, kfold, training


def reading(home: Home, steps: Callable[[Reader], Awaitable[None]]) -> None:
    async def run() -> None:
        reader = Reader(home)
        try:
            await steps(reader)
        finally:
            await reader.close()

    asyncio.run(run())


def test_each_event_is_told_once_and_in_order(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(reader: Reader) -> None:
        first = await reader.look(world.clock.now_ms())
        again = await reader.look(world.clock.now_ms())
        assert again.events == first.events
        world.until_settled()
        last = await reader.look(world.clock.now_ms())
        ids = [line.id for line in last.events]
        assert ids == sorted(set(ids))
        assert last.events[: len(first.events)] == first.events
        assert last.events[-1].text.startswith("run done")
        assert last.state.runs == world.store.state().runs
        fresh = Reader(Home(world.path))
        assert (await fresh.look(world.clock.now_ms())).events == last.events
        await fresh.close()

    reading(Home(world.path), steps)


def test_a_long_history_is_cut_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_files, "EVENTS_KEPT", 10)
    world = second_fold(tmp_path)

    async def steps(reader: Reader) -> None:
        for _ in range(2):
            screen = await reader.look(world.clock.now_ms())
            assert 1 <= len(screen.events) <= 10
            assert screen.events[-1].id == world.store.last_event()
            world.until_settled()

    reading(Home(world.path), steps)


def test_another_store_in_its_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    world = second_fold(tmp_path / "home")
    home = Home(world.path)

    async def steps(reader: Reader) -> None:
        await reader.look(world.clock.now_ms())
        world.store.close()
        home.path.rename(tmp_path / "old")
        gone = await reader.look(world.clock.now_ms())
        assert (gone.views, gone.events, gone.accounts, gone.trouble) == ((), (), (), "")
        other = World(home.path)
        other.submit(kfold(), run="other-1")
        other.scheduler.tick()
        new = await reader.look(other.clock.now_ms())
        assert [view.name for view in new.views] == ["other-1"]
        assert {line.run for line in new.events} == {"other-1"}

    reading(home, steps)


def test_the_loop_is_free_while_the_store_is_busy(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(reader: Reader) -> None:
        await reader.look(world.clock.now_ms())
        threads = threading.active_count()
        with world.store._transaction():  # somebody writes, and takes long
            request = StopJobs(run="seedlings-1", scope="run", target="seedlings-1")
            asked = asyncio.create_task(reader.ask(request, world.clock.now_ms()))
            await asyncio.sleep(0.2)  # returns: keys would be answered
            assert not asked.done()
        command = await asked
        assert [c.id for c in world.store.unanswered()] == [command]
        assert threading.active_count() == threads
        assert await reader.reply(command) is None
        world.scheduler.tick()
        reply = await reader.reply(command)
        assert reply is not None
        assert reply.ok

    reading(Home(world.path), steps)


def test_what_is_followed_event_by_event_is_what_the_store_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.settle(kfold(), run="old-1")

    async def steps(reader: Reader) -> None:
        await reader.look(world.clock.now_ms())
        world.submit(kfold(), run="new-1")  # its results are known: reused
        world.submit(kfold("other"), run="other-1")
        for _ in range(40):
            world.scheduler.tick()
            world.clock.advance(20)
            screen = await reader.look(world.clock.now_ms())
            assert screen.trouble == ""
            assert dict(screen.state.runs) == dict(world.store.state().runs)
        last = await reader.look(world.clock.now_ms())
        assert {run.name for run in last.state.runs.values() if run.settled} >= {"new-1"}

    reading(Home(world.path), steps)


def test_a_run_that_was_not_read_is_read_when_something_happens_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_files, "ENDED_SHOWN", 1)
    monkeypatch.setattr(reading_files, "EVENTS_KEPT", 1)
    world = World(tmp_path, training)
    for name in ("a-1", "b-1", "c-1"):
        world.settle(kfold(name), run=name)
        world.clock.advance(60)

    async def steps(reader: Reader) -> None:
        first = await reader.look(world.clock.now_ms())
        assert [*first.state.runs] == ["a-1", "c-1"], "a-1 is where the results of c-1 come from"
        world.store.ask(SetBaseline(run="b-1", on=True), world.clock.now_ms())
        world.scheduler.tick()
        last = await reader.look(world.clock.now_ms())
        assert last.state.runs["b-1"].baseline_ms is not None

    reading(Home(world.path), steps)


def test_live_runs_come_first_then_those_that_ended_last(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("a-1", "b-1"):
        world.submit(kfold(), run=name, again=True)
        world.until_settled(name)
        world.clock.advance(60)
    for name in ("c-1", "d-1"):
        world.submit(kfold(), run=name, again=True)
        world.scheduler.tick()
        world.clock.advance(1)

    async def steps(reader: Reader) -> None:
        screen = await reader.look(world.clock.now_ms())
        assert [view.name for view in screen.views] == ["c-1", "d-1", "b-1", "a-1"]

    reading(Home(world.path), steps)
