"""Drive the real dashboard over a real store and ledger; read it as the text a person sees."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path

from textual.pilot import Pilot

from orchestrator.commands import StopJobs
from orchestrator.dashboard.app import Dashboard
from orchestrator.dashboard.jobs.lanes import LaneWatch
from orchestrator.executors.base import Device
from orchestrator.executors.simulated import Script
from orchestrator.home import Home
from skint.attempt import Task
from tests.orchestrator.worlds import World, epochs, kfold

FOLD_1 = ("down", "down")
CANCEL = StopJobs(run="seedlings-1", scope="run", target="seedlings-1", by="dashboard")

DRAWN_S = 0.05
"""Longer than Textual takes between two drawings."""
ACCURACIES = [0.5, 0.7, 0.8, 0.85]


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
    return epochs(ACCURACIES, seconds_each=300)


def second_fold(path: Path) -> World:
    """`seedlings-1`: fold 0 done, fold 1 two epochs old, fold 2 waiting."""
    world = World(path, script_of)
    world.submit(kfold())
    world.until(
        lambda state: (
            "seedlings-1" in state.runs
            and (attempt := state.runs["seedlings-1"].current("train.fold1")) is not None
            and len(attempt.reports) == 2
        )
    )
    return world


def machine() -> LaneWatch:
    """Two cores, a quarter of them used, and one simulated device: the same on every machine."""
    return LaneWatch(lambda: [Device("simulated-0", "", simulated=True)], None, lambda: 0.25, 2)


def shown(app: Dashboard) -> str:
    """The screen, line by line, as a terminal would show it."""
    width, height = app.size
    rows = app.screen._compositor.render_strips()
    return "\n".join(strip.text.ljust(width) for strip in rows[:height])


def line_with(app: Dashboard, words: str) -> str:
    """The one line that has `words`."""
    (found,) = [line for line in shown(app).splitlines() if words in line]
    return found


def drive(
    world: World,
    steps: Callable[[Dashboard, Pilot[None]], Awaitable[None]],
    *,
    size: tuple[int, int] = (100, 30),
    read_only: bool = False,
) -> None:
    """Show the world's home and let `steps` press keys and look."""
    watch(Home(world.path), world.clock.now_ms, steps, size=size, read_only=read_only)


def watch(
    home: Home,
    now_ms: Callable[[], int],
    steps: Callable[[Dashboard, Pilot[None]], Awaitable[None]],
    *,
    size: tuple[int, int] = (100, 30),
    read_only: bool = False,
) -> None:
    async def run() -> None:
        app = Dashboard(home, read_only=read_only, now_ms=now_ms, zone=UTC, watch=machine())
        async with app.run_test(size=size, notifications=True) as pilot:
            await look(app, pilot)
            await steps(app, pilot)

    asyncio.run(run())


async def look(app: Dashboard, pilot: Pilot[None]) -> None:
    """What the dashboard does each second, now, and until it has been drawn."""
    await app.look()
    before = ""
    while shown(app) != before:
        before = shown(app)
        await pilot.pause(DRAWN_S)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for what other threads do; fails after a long while."""
    for _ in range(600):
        await pilot.pause(0.05)
        if condition():
            return
    raise AssertionError("it did not come to that")


def requests(world: World) -> list[object]:
    return [command.request for command in world.store.unanswered()]


async def resize(app: Dashboard, pilot: Pilot[None], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    await look(app, pilot)


def said(app: Dashboard) -> str:
    """The screen as one text: sentences of a dialog are folded."""
    return re.sub(r"[│\s]+", " ", shown(app))


def chosen(app: Dashboard) -> str:
    """The job under the cursor; empty for a run."""
    assert app.jobs.selected is not None
    return app.jobs.selected.job
