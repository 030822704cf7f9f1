"""The dashboard as a person uses it: keys in, text and commands out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from textual.pilot import Pilot

from orchestrator.commands import StopJobs
from orchestrator.dashboard.app import Dashboard
from orchestrator.home import Home
from tests.orchestrator.dashboard.screens import (
    drive,
    line_with,
    look,
    second_fold,
    shown,
    until,
    watch,
)
from tests.orchestrator.worlds import SATURDAY_MS, World, kfold

FOLD_1 = ("down", "down")


def requests(world: World) -> list[object]:
    return [command.request for command in world.store.unanswered()]


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (160, 45)])
def test_budget_jobs_and_events_stand_on_one_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "lab (simulated)" in text
        numbers = line_with(app, "settled 0.38 h")
        assert "in flight 0.17 h" in numbers
        assert "reserved 0.34 h" in numbers
        assert "resets Sat" in numbers
        assert "29.12 h free of 30.00 h" in text
        run = line_with(app, "▾ seedlings-1")
        assert re.search(r"running +1/3 folds +.*0\.54 +0\.850", run)
        done, now, later = (line_with(app, f"  fold {n} ({n + 1} of 3)  ") for n in range(3))
        assert re.search(r"done +▮{4,8} 4/4 +0\.38 +0\.850.* ▁.*█", done)
        assert re.search(r"running +▮▮▯▯|running +▮{4}▯{4}", now)
        assert re.search(r"2/4 .*0\.17 +0\.700.* ▁█", now)
        assert re.search(r"waiting", later)
        assert "fold 1 (2 of 3) · epoch 2/4 · val_acc 0.700" in text
        assert "no scheduler runs: 1 job goes on; s starts one" in text
        assert "c Cancel run" in text
        assert "q Quit" in text

    drive(world, steps, size=size)


def test_only_cells_that_changed_are_drawn_again_and_the_cursor_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press(*FOLD_1)
        table = app.jobs
        drawn: list[tuple[str, str]] = []
        update_cell = table.update_cell

        def noted(row: Any, column: Any, value: Text, *, update_width: bool = False) -> None:
            drawn.append((row, column))
            assert not update_width
            update_cell(row, column, value)

        monkeypatch.setattr(table, "update_cell", noted)
        await look(app, pilot)
        assert drawn == []

        world.until(
            lambda state: (
                len(state.runs["seedlings-1"].attempts["seedlings-1.train.fold1.1"].reports) == 3
            )
        )
        await look(app, pilot)
        fold = "seedlings-1/train.fold1"
        assert {column for row, column in drawn if row == fold} >= {"epoch", "score", "curve"}
        assert {row for row, _ in drawn} <= {fold, "seedlings-1/"}
        assert "state" not in {column for _, column in drawn}

        world.until_settled()  # other lines now: folded away
        await look(app, pilot)
        assert table.selected is not None
        assert table.selected.run == "seedlings-1"
        assert "▸ seedlings-1" in shown(app)

    drive(world, steps)


def test_c_and_yes_puts_the_command_into_the_inbox_and_shows_the_reply(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    home = Home(world.path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await pilot.pause()
        text = shown(app)
        assert "Cancel the run seedlings-1?" in text
        assert "0.54 h, 0.17 h of it in flight; that stays charged" in text
        assert "0.34 h still reserved, less what stopping takes; up to" in text
        assert "0.50 h that 1 job not started would have reserved" in text
        assert "fold 1 (2 of 3) at the next step" in text
        await look(app, pilot)  # the screen goes on being refreshed behind the question

        await pilot.press("y")
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [
            StopJobs(run="seedlings-1", scope="run", target="seedlings-1", by="dashboard")
        ]
        world.until_settled()
        await until(pilot, lambda: "seedlings-1 is being stopped" in shown(app))
        await look(app, pilot)
        assert "cancelled" in line_with(app, "▸ seedlings-1")
        await until(pilot, lambda: "the run is to stop: cancelled by dashboard" in shown(app))

    with home.locked():  # this test is the scheduler
        drive(world, steps, size=(100, 50))


def test_a_and_yes_stops_the_selected_fold_and_the_others_go_on(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press(*FOLD_1, "a")
        await pilot.pause()
        text = shown(app)
        assert "Abort fold 1 (2 of 3) of seedlings-1?" in text
        assert "0.17 h, 0.17 h of it in flight; that stays charged" in text
        assert "0.34 h still reserved, less what stopping takes" in text
        assert "go on; what needs it is skipped" in text
        await pilot.press("tab", "tab", "enter")  # from no to yes and back: no is chosen
        await pilot.pause()
        assert requests(world) == []
        await pilot.press("a", "y")
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [
            StopJobs(
                run="seedlings-1",
                scope="attempt",
                target="train.fold1",
                reason="aborted",
                by="dashboard",
            )
        ]
        state = world.until_settled()
        jobs = state.runs["seedlings-1"].jobs
        assert (jobs["train.fold1"].status, jobs["train.fold2"].status) == ("stopped", "done")

    with Home(world.path).locked():
        drive(world, steps)


@pytest.mark.parametrize("no", ["escape", "n", "q", "enter"])
def test_anything_but_yes_changes_nothing(tmp_path: Path, no: str) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await pilot.pause()
        assert "Cancel the run" in shown(app)
        await pilot.press(no)
        await pilot.pause()
        assert "Cancel the run" not in shown(app)
        assert app.is_running
        assert app.focused is app.jobs

    drive(world, steps)
    assert requests(world) == []
    assert Home(world.path).scheduler_pid() is None


def test_what_cannot_be_stopped_says_why_instead_of_asking(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("a")
        await until(pilot, lambda: "Move to a fold first" in shown(app))
        await pilot.press("down", "a")
        await until(pilot, lambda: "of seedlings-1 has ended" in shown(app))
        world.until_settled()
        await look(app, pilot)
        await pilot.press("c")
        await until(pilot, lambda: "seedlings-1 has ended already: done" in shown(app))

    drive(world, steps)
    assert requests(world) == []


@pytest.mark.parametrize("key", ["c", "a", "s"])
def test_read_only_changes_nothing_and_says_so(tmp_path: Path, key: str) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        first = shown(app).splitlines()[0]
        assert "skint (read-only)" in first
        assert "s starts one" not in first
        await pilot.press(*FOLD_1, key)
        await until(pilot, lambda: "This screen is read-only" in shown(app))
        assert "?" not in shown(app)

    drive(world, steps, size=(80, 24), read_only=True)
    assert requests(world) == []
    assert Home(world.path).scheduler_pid() is None


def test_enter_folds_a_run_and_opens_the_details_of_a_job(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press(*FOLD_1, "enter")
        await pilot.pause()
        text = shown(app)
        assert "fold 1 (2 of 3) of seedlings-1" in text
        assert "accelerator, simulated device" in text
        assert "2 of 4" in text
        assert "0.7000, best 0.7000" in text
        assert "train.fold1/1/log.txt" in re.sub(r"[│\s]", "", text)
        await pilot.press("escape", "up", "up", "enter")
        await pilot.pause()
        assert "▸ seedlings-1" in shown(app)
        assert "fold 0 (1 of 3)  " not in shown(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "▾ seedlings-1" in shown(app)

    drive(world, steps)


def test_e_hides_the_events_and_shows_them_again(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        assert "epoch 2/4 ·" in shown(app)
        await pilot.press("e")
        await pilot.pause()
        assert "epoch 2/4 ·" not in shown(app)
        await pilot.press("e")
        await pilot.pause()
        assert "epoch 2/4 ·" in shown(app)

    drive(world, steps)


def test_without_a_store_there_is_a_hint_and_a_store_that_appears_is_shown(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "No runs yet." in text
        assert "skint submit PLAN" in text
        assert "skint account add NAME" in text
        assert "no scheduler runs; s starts one" in text
        await pilot.press("c", "a", "enter")  # nothing to act on
        await pilot.pause()
        assert not home.path.exists(), "looking makes no files"

        world = second_fold(home.path)
        await look(app, pilot)
        assert "▾ seedlings-1" in shown(app)
        assert "No runs yet." not in shown(app)
        assert "lab (simulated)" in shown(app)
        await pilot.press("c")
        await pilot.pause()
        assert "Cancel the run seedlings-1?" in shown(app)
        world.store.close()

    watch(home, lambda: SATURDAY_MS + 3_600_000, steps)


def test_a_damaged_store_is_told_in_words_and_the_last_screen_stays(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    home = Home(world.path)
    world.store.close()  # so that its log is in the file, which can then be moved

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        home.store.rename(tmp_path / "kept.db")
        home.store.write_bytes(b"this is no database, and longer than a header of SQLite" * 4)
        world.clock.advance(60)
        await look(app, pilot)
        text = shown(app)
        assert "cannot read: the store cannot be used" in text
        assert "seen 1 min 00 s ago" in text
        assert "fold 1 (2 of 3)" in text
        home.store.unlink()
        (tmp_path / "kept.db").rename(home.store)
        await look(app, pilot)
        assert "cannot read" not in shown(app)
        assert "fold 1 (2 of 3)" in shown(app)

    drive(world, steps, size=(160, 30))


def test_s_starts_a_scheduler(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await until(pilot, lambda: home.scheduler_pid() is not None)
        pid = home.scheduler_pid()
        assert pid is not None
        try:
            await until(pilot, lambda: f"scheduler runs (pid {pid})" in shown(app))
        finally:
            os.kill(pid, signal.SIGTERM)

    watch(home, lambda: SATURDAY_MS, steps)


def test_no_color_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = second_fold(tmp_path)
    found: dict[str, set[str]] = {}

    def colours(name: str) -> None:
        async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
            rows = app.screen._compositor.render_strips()
            styles = {segment.style for strip in rows for segment in strip}
            names = {
                str(colour.get_truecolor().hex)
                for style in styles
                if style is not None
                for colour in (style.color, style.bgcolor)
                if colour is not None
            }
            found[name] = {hex for hex in names if not hex[1:3] == hex[3:5] == hex[5:7]}

        drive(world, steps)

    monkeypatch.delenv("NO_COLOR", raising=False)
    colours("with")
    monkeypatch.setenv("NO_COLOR", "1")
    colours("without")
    assert found["with"]
    assert found["without"] == set()


def test_textual_is_imported_only_by_the_dashboard_itself() -> None:
    code = (
        "import sys, orchestrator.cli, orchestrator.cli.top, orchestrator.cli.status\n"
        "import orchestrator.dashboard, orchestrator.dashboard.snapshot\n"
        "import orchestrator.dashboard.rows, orchestrator.dashboard.question\n"
        "print('textual' in sys.modules)\n"
        "import orchestrator.dashboard.app\n"
        "print('textual' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_run_that_waits_says_for_what(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.submit(kfold("late"), run="late-1")
    world.scheduler.tick()

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        assert "waiting" in line_with(app, "▸ late-1")
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert re.search(r"late-1 · fold 1 \(2 of 3\): waits for \S+", shown(app))

    drive(world, steps)
