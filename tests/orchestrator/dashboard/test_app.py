"""The dashboard as a person uses it: keys in, text and commands out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orchestrator.dashboard.app import Dashboard
from orchestrator.dashboard.keys import KEYS
from orchestrator.home import Home
from tests.orchestrator.dashboard.screens import (
    FOLD_1,
    chosen,
    drive,
    line_with,
    look,
    requests,
    resize,
    said,
    second_fold,
    shown,
    until,
    watch,
)
from tests.orchestrator.worlds import SATURDAY_MS, kfold


def test_everything_stands_on_one_screen_at_any_size(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.submit(kfold("late"), run="late-1")
    world.scheduler.tick()

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        for width, height in ((80, 24), (100, 30), (140, 40), (200, 60)):
            await resize(app, pilot, width, height)
            text = shown(app)
            assert all(len(line) == width for line in text.splitlines())
            assert "no scheduler runs: 1 job goes on" in text
            budget = line_with(app, " lab simulated ")
            assert re.search(r"█+▓+▒+░+ +0\.54 +0\.34 +29\.12 +30\.00 h +lasts: \d", budget)
            device = line_with(app, " simulated-0 ")
            assert re.search(r"seedlings-1 fold 1 \(2 of 3\) ▮+▯+ 2/4 · 8–13 min", device)
            assert "25% " in line_with(app, " CPU 0 of 2 cores ")
            run = line_with(app, "▾ seedlings-1")
            assert re.search(r"running +1/3 folds +.*0\.54 +0\.850", run)
            done, now, later = (line_with(app, f"  fold {n} ({n + 1} of 3)  ") for n in range(3))
            assert re.search(r"done +▮{4,8} 4/4 +0\.38 +0\.850.* ▁.*█", done)
            assert re.search(r"running +▮+▯+ 2/4 +8–13 min +0\.17 +0\.700.* ▁█", now)
            assert re.search(r"waiting +~0\.\d\d h · waits for", later)
            assert re.search(
                r"waiting +~0\.\d\d h · 1/3 folds · fold 1", line_with(app, "▸ late-1")
            )
            assert ("─ Events ─" in text) == (height >= 28)
            assert ("frees up to" in text) == (width >= 140)
            keys = text.splitlines()[-1]
            assert "c Cancel run" in keys
            assert "? Help" in keys and "q Quit" in keys
        for width, height in ((40, 24), (80, 9), (20, 5)):
            await resize(app, pilot, width, height)
            assert f"{width} x {height} is too" in shown(app)
        await resize(app, pilot, 100, 30)
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert re.search(r" late-1 · fold 1 \(2 of 3\): waits for", shown(app))

    drive(world, steps)


def test_only_cells_that_changed_are_drawn_again_and_the_cursor_stays(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press(*FOLD_1)
        await look(app, pilot)
        drawn: list[tuple[int, int]] = []
        refresh = app.jobs.refresh

        def noted(*regions: object, **more: bool) -> object:
            drawn.extend((region.x, region.y) for region in regions)  # type: ignore[attr-defined]
            assert regions, "a whole table was drawn again"
            return refresh(*regions, **more)  # type: ignore[arg-type]

        app.jobs.refresh = noted  # type: ignore[assignment, method-assign]
        app.draw()
        assert drawn == []

        world.until(
            lambda state: (
                len(state.runs["seedlings-1"].attempts["seedlings-1.train.fold1.1"].reports) == 3
            )
        )
        await app.look()
        assert {y for _, y in drawn} == {0, 2}, "of the run and of its second fold"
        state_ends = 2 + app.jobs.widths.job + 1 + app.jobs.widths.state
        assert all(x > state_ends for x, _ in drawn), "neither name nor state has changed"
        del app.jobs.refresh

        world.until_settled()  # other lines now: folded away
        await look(app, pilot)
        assert app.jobs.selected is not None
        assert app.jobs.selected.run == "seedlings-1"
        assert "▸ seedlings-1" in shown(app)

    drive(world, steps)


def test_read_only_changes_nothing_and_says_so(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "skint read-only" in text.splitlines()[0]
        assert "g starts one" not in text and "c Cancel" not in text
        for number, key in enumerate([key for key in KEYS if key.changes], 1):
            await pilot.press(key.key)
            await until(pilot, lambda count=number: len(app._notifications) == count)  # type: ignore[misc]
        assert {one.message.split(":")[0] for one in app._notifications} == {
            "this screen is read-only"
        }
        assert len(app.screen_stack) == 1

    drive(world, steps, size=(80, 24), read_only=True)
    assert requests(world) == []
    assert Home(world.path).scheduler_pid() is None


def test_help_and_palette_know_every_key_and_why_one_does_nothing(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        text = said(app)
        for key in KEYS:
            assert f" {key.shown} " in text and key.does in text
        assert "the others go on · not now: move to a fold first" in text
        await pilot.press("escape")
        commands = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Cancel run", "Pause", "Filter", "Quit"} <= commands
        assert "Abort fold" not in commands
        await pilot.press("ctrl+p", *"hold", "enter")
        await until(pilot, lambda: "Start no new jobs?" in shown(app))

    drive(world, steps, size=(160, 50))


def test_the_list_is_filtered_sorted_and_folded_with_keys_and_mouse(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.submit(kfold("late"), run="late-1")
    world.scheduler.tick()

    def runs(app: Dashboard) -> list[str]:
        return [line.run for line in app.jobs.table_lines if not line.job]

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        assert runs(app) == ["seedlings-1", "late-1"]
        await pilot.press("slash", *"late-1")
        await pilot.pause()
        assert runs(app) == ["late-1"], "while it is typed; and c and a are letters there"
        await pilot.press("enter")
        await look(app, pilot)
        assert "1 of 2 runs with “late-1”" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert runs(app) == ["seedlings-1", "late-1"]
        await pilot.press("slash", *"fold1 running", "enter")
        await pilot.pause()
        assert [line.job for line in app.jobs.table_lines] == ["", "train.fold1"]
        await pilot.press("slash", "escape")
        await pilot.pause()
        await pilot.press("S")
        assert runs(app) == ["late-1", "seedlings-1"]
        await pilot.press("s", "S")
        await look(app, pilot)
        assert "Jobs by state" in shown(app)
        assert runs(app) == ["seedlings-1", "late-1"]

        await pilot.press("home", "left")
        await look(app, pilot)
        assert "▸ seedlings-1" in shown(app)
        await pilot.press("right", "down", "down", "left")
        await pilot.pause()
        assert chosen(app) == ""
        await pilot.click("#jobs", offset=(10, 2))
        await pilot.pause()
        assert chosen(app) == "train.fold1"
        keys = shown(app).splitlines()[-1]
        await pilot.click("#keys", offset=(keys.index("Abort fold"), 0))
        await pilot.pause()
        assert "Abort fold 1 (2 of 3)" in shown(app)
        await pilot.press("escape", "e")
        await pilot.pause()
        assert "newest last" in shown(app) and "epoch 2/4 ·" in shown(app)
        await pilot.press("escape")
        assert len(app.screen_stack) == 1

    drive(world, steps)


def test_without_a_store_there_is_a_hint_and_a_store_that_appears_is_shown(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "No runs yet." in text
        assert "skint submit PLAN" in text
        assert "skint account add NAME" in text
        assert "no scheduler runs · g starts one" in text
        await pilot.press("c", "a", "enter", "p", "space")  # nothing to act on
        await pilot.pause()
        assert not home.path.exists(), "looking makes no files"

        world = second_fold(home.path)
        await look(app, pilot)
        assert "▾ seedlings-1" in shown(app)
        assert "No runs yet." not in shown(app)
        assert " lab " in shown(app)
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
        world.clock.advance(61)
        await look(app, pilot)
        text = shown(app)
        assert "cannot read: the store cannot be used" in text
        assert "seen 1 min 01 s ago" in text
        assert "fold 1 (2 of 3)" in text
        home.store.unlink()
        (tmp_path / "kept.db").rename(home.store)
        world.clock.advance(300)
        await look(app, pilot)
        assert "cannot read" not in shown(app)
        assert "1 job goes on, last seen 6 min 01 s ago" in shown(app), "nobody looks after it"
        assert "fold 1 (2 of 3)" in shown(app)

    drive(world, steps, size=(160, 30))


def test_g_starts_a_scheduler(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("g")
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
        "import sys, orchestrator.cli.commands.top, orchestrator.cli.commands.status\n"
        "import orchestrator.dashboard, orchestrator.dashboard.reading.snapshot\n"
        "import orchestrator.dashboard.jobs.rows, orchestrator.dashboard.keys\n"
        "import orchestrator.dashboard.jobs.lane_lines, orchestrator.dashboard.jobs.selected\n"
        "print('textual' in sys.modules)\n"
        "import orchestrator.dashboard.app\n"
        "print('textual' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_defect_is_told_without_the_values_of_all_variables(tmp_path: Path) -> None:
    """With a large store, to write them down would take a minute."""
    world = second_fold(tmp_path)
    told: list[str] = []

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        try:
            raise RuntimeError("a defect")
        except RuntimeError:
            app._fatal_error()
        with app.console.capture() as written:
            app.console.print(*app._exit_renderables)
        told.append(written.get())

    drive(world, steps)
    assert "a defect" in told[0]
    assert "locals" not in told[0]
