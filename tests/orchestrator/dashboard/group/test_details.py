"""The screen of one group: curves over each other, folds, log, events, costs, recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orchestrator.dashboard.app import Dashboard
from orchestrator.dashboard.budget.burn_down import BurnDown
from orchestrator.dashboard.group import detail_panes
from orchestrator.dashboard.group.details import Details
from orchestrator.dashboard.group.group_curves import mark_of, shown_group
from orchestrator.dashboard.group.past_groups import PastGroups
from orchestrator.dashboard.reading.log_tail import MOST_BYTES, LogTail
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.home import Home
from orchestrator.state.state import RunState
from skint.attempt import Task
from tests.orchestrator.dashboard.screens import drive, line_with, look, shown, until
from tests.orchestrator.worlds import World, epochs, graph, job, kfold


def bold() -> Graph:
    """The same folds on the same pictures with another learning rate."""
    made = kfold()
    jobs = [
        replace(job, static_key=f"bold {job.id}", params={"lr": 0.05}) if job.devices else job
        for job in made.jobs
    ]
    return replace(made, jobs=tuple(jobs))


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
    worse = 0.1 if task.run.startswith("bold") else 0.0
    values = [0.5, 0.7, 0.8 + task.fold / 100, 0.85 - worse]
    return epochs(values, seconds_each=300, train_loss=0.3)


def bold_world(path: Path) -> World:
    """`seedlings-1` done; `bold-1` in its second fold, with a log."""
    world = World(path, script_of)
    world.settle(kfold())
    world.clock.advance(600)
    world.submit(bold(), run="bold-1")
    state = world.until(
        lambda state: (
            "bold-1" in state.runs
            and (attempt := state.runs["bold-1"].current("train.fold1")) is not None
            and len(attempt.reports) == 3
        )
    )
    log_of(state.runs["bold-1"]).parent.mkdir(parents=True, exist_ok=True)
    log_of(state.runs["bold-1"]).write_text("step 1\rstep 2\n\x1b[31mred\x1b[0m words\n")
    return world


def log_of(run: RunState) -> Path:
    attempt = run.current("train.fold1")
    assert attempt is not None
    return attempt.path / "log.txt"


async def opened(app: Dashboard, pilot: Pilot[None], job: str = "train.fold1") -> Details:
    screen = Details(app, app.seen, "bold-1", job, past=PastGroups())
    app.push_screen(screen)
    await until(pilot, lambda: "bold-1 · train" in shown(app))
    return screen


def test_all_that_is_known_of_a_group_stands_on_one_wide_screen(tmp_path: Path) -> None:
    world = bold_world(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        await until(pilot, lambda: "red words" in shown(app) and "mean of" in shown(app))
        text = shown(app)
        assert "bold-1 · train · val_acc" in text
        plot = "\n".join(line[:80] for line in text.splitlines()[:20])
        assert all(mark in plot for mark in "01b"), "both folds and the baseline"
        done = line_with(app, "  0 fold 0")
        assert "4/4" in done
        assert "0.800" in done, "its best, of the third epoch"
        assert "running" in line_with(app, "▸ 1 fold 1")
        assert "waiting" in line_with(app, "  2 fold 2")
        assert "mean of seedlings-1: 0.850 at epoch 4" in text
        assert "baseline    seedlings-1 (0.850" in text
        assert "train: lr not set → 0.05" in text
        assert "by the ledger" in text
        assert "an accelerator hour" in text
        assert "fold 1 (2 of 3) started" in text
        assert "step 2" in text
        assert "step 1" not in text, "a bar that writes itself again is shown as it stands"
        assert "\x1b" not in text

    drive(world, steps, size=(140, 44))


def test_keys_choose_the_fold_the_metric_and_the_group_and_the_log_follows(tmp_path: Path) -> None:
    world = bold_world(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        await until(pilot, lambda: "red words" in shown(app))
        with open(log_of(app.seen.state.runs["bold-1"]), "a") as log:
            log.write("a new line\n")
        await look(app, pilot)
        await until(pilot, lambda: "a new line" in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "bold-1 · train · train_loss" in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "bold-1 · train · val_acc" in shown(app))
        await pilot.press("up")
        await until(pilot, lambda: "▸ 0 fold 0" in shown(app))
        await until(pilot, lambda: "no log here yet" in shown(app))
        assert "a new line" not in shown(app), "that is the log of another fold"
        await pilot.press("f")
        await pilot.press("down")
        await until(pilot, lambda: "f: stands still" in shown(app))
        await pilot.press("g")
        await until(pilot, lambda: "bold-1 · errors" in shown(app))
        assert detail_panes.NO_CURVE in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is app.jobs)

    drive(world, steps, size=(140, 44))


def test_on_a_small_screen_one_pane_is_seen_at_a_time(tmp_path: Path) -> None:
    world = bold_world(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        for key, words in (
            ("2", "red words"),
            ("3", "fold 1 (2 of 3) started"),
            ("4", "simulated device"),
            ("1", "▸ 1 fold 1"),
            ("tab", "red words"),
        ):
            await pilot.press(key)
            await until(pilot, lambda words=words: words in shown(app))  # type: ignore[misc]
            assert "bold-1 · train · val_acc" in shown(app)
            assert "esc Back" in shown(app)

    drive(world, steps, size=(80, 24))


def test_what_happens_meanwhile_is_shown(tmp_path: Path) -> None:
    world = bold_world(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        world.until_settled("bold-1")
        await look(app, pilot)
        await until(pilot, lambda: "done · 3/3 folds" in shown(app))
        assert "run done" in shown(app)
        world.store.close()
        Home(world.path).store.unlink()
        await look(app, pilot)
        await until(pilot, lambda: not isinstance(app.screen, Details))

    drive(world, steps, size=(140, 44))


def test_the_burn_down_shows_one_account_after_the_other(tmp_path: Path) -> None:
    world = bold_world(tmp_path)
    limit = world.ledger.account("lab").limits[0]
    course = replace(world.ledger.account("lab"), name="course", limits=(limit,))
    world.ledger.add_account(course, world.clock.now_ms())

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await look(app, pilot)
        app.push_screen(BurnDown(app.home, app.seen, "lab", zone=app.zone))
        await until(pilot, lambda: "Burn-down · lab" in shown(app) and "●" in shown(app))
        text = shown(app)
        assert "Burn-down · lab (simulated) · week to Sat" in text
        assert "Sat 28" in text
        assert "30┤" in text
        assert "2 jobs, over about" in text
        assert "The rule: what runs or waits takes as long as its own epochs say" in text
        assert "┅ committed" in text
        await pilot.press("right")
        await until(pilot, lambda: "Burn-down · course (simulated)" in shown(app))
        await until(pilot, lambda: "at the rate so far" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is app.jobs)

    drive(world, steps, size=(100, 34))


def test_without_accounts_the_burn_down_says_so(tmp_path: Path) -> None:
    from tests.orchestrator.dashboard.screens import watch

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        app.push_screen(BurnDown(app.home, app.seen, None, zone=app.zone))
        await until(pilot, lambda: "no accounts yet" in shown(app))

    watch(Home(tmp_path / "home"), lambda: 1_795_219_200_000, steps)


def test_a_log_is_followed_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    tail = LogTail(path)
    assert tail.look() == ()
    path.write_bytes(b"one\ntw")
    assert tail.look() == ("one",)
    with open(path, "ab") as log:
        log.write(b"o\nthree \xff\n")
    assert tail.look() == ("two", "three �")
    assert tail.look() == ()
    path.write_bytes(b"new\n")
    assert tail.look() == ("new",), "the file was written anew"


@pytest.mark.parametrize("at_once", [True, False])
def test_of_a_long_log_the_end_is_read(tmp_path: Path, at_once: bool) -> None:
    path = tmp_path / "log.txt"
    path.write_text("" if at_once else "begun\n")
    tail = LogTail(path)
    tail.look()
    with open(path, "a") as log:
        log.writelines(f"line {number}\n" for number in range(50_000))
    first, *lines = tail.look()
    assert "bytes are not shown" in first
    assert lines[-1] == "line 49999"
    assert all(line.startswith("line ") for line in lines)
    assert sum(map(len, lines)) <= MOST_BYTES


def test_a_sweep_without_folds_is_laid_over_each_other_as_a_whole() -> None:
    jobs = [job(f"train.lr={lr}", group="train", matrix={"lr": lr}) for lr in (1, 2)]
    folds = [
        job(f"deep.lr={lr}.fold{n}", group="deep", matrix={"lr": lr}, fold=n, folds=2)
        for lr in (1, 2)
        for n in (0, 1)
    ]
    made = graph(*jobs, *folds)
    assert [one.id for one in shown_group(made, jobs[0]).jobs] == ["train.lr=1", "train.lr=2"]
    assert [one.id for one in shown_group(made, folds[2]).jobs] == [
        "deep.lr=2.fold0",
        "deep.lr=2.fold1",
    ]
    assert [mark_of(one, number) for number, one in enumerate(jobs)] == ["a", "b"]
    assert [mark_of(one, number) for number, one in enumerate(folds)] == ["0", "1", "0", "1"]
