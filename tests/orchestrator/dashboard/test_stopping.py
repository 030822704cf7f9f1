"""Stopping, pausing and answering from the dashboard: what is asked first, and what is sent."""

from __future__ import annotations

import re
from pathlib import Path

from textual.pilot import Pilot

from orchestrator.commands import (
    AnswerVerdict,
    PauseJobs,
    ReleaseHold,
    ResumeJobs,
    SetHold,
    StopJobs,
)
from orchestrator.dashboard.app import Dashboard
from orchestrator.home import Home
from tests.orchestrator.dashboard.screens import (
    CANCEL,
    chosen,
    drive,
    line_with,
    look,
    requests,
    said,
    second_fold,
    shown,
    until,
)
from tests.orchestrator.scheduler.obeying.test_answering import asked
from tests.orchestrator.worlds import kfold


def test_a_cancel_is_asked_about_can_be_taken_back_and_is_sent_after_a_while(
    tmp_path: Path,
) -> None:
    world = second_fold(tmp_path)
    home = Home(world.path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        for no in ("escape", "n", "q", "enter"):  # the button that changes nothing has the focus
            await pilot.press("c")
            await pilot.pause()
            text = said(app)
            assert "Cancel the run seedlings-1?" in text
            assert "0.54 h, 0.17 h of it in flight; that stays charged" in text
            assert "0.34 h still reserved, less what stopping takes; up to" in text
            assert "0.50 h that 1 job not started would have reserved" in text
            assert "fold 1 (2 of 3) at the next step" in text
            await look(app, pilot)  # the screen goes on being refreshed behind the question
            await pilot.press(no)
            await pilot.pause()
            assert "Cancel the run" not in shown(app)
            assert app.is_running and app.focused is app.jobs
        assert not app.outgoing.pending

        await pilot.press("c", "y")
        await pilot.pause()
        assert "cancel of seedlings-1 is sent in 5 s · u takes it back" in shown(app)
        world.clock.advance(4)
        await look(app, pilot)
        assert "is sent in 1 s" in shown(app)
        await pilot.press("u")
        await until(pilot, lambda: "cancel of seedlings-1 was not sent" in shown(app))
        world.clock.advance(60)
        await look(app, pilot)
        assert requests(world) == []

        await pilot.press("c", "y")
        world.clock.advance(6)
        await look(app, pilot)
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [CANCEL]
        world.until_settled()
        await until(pilot, lambda: "seedlings-1 is being stopped" in shown(app))
        await look(app, pilot)
        assert "cancelled" in line_with(app, "▸ seedlings-1")

    with home.locked():  # this test is the scheduler
        drive(world, steps, size=(100, 50))


def test_who_leaves_within_the_grace_has_said_yes(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("c", "y", "q")

    with Home(world.path).locked():
        drive(world, steps)
    assert requests(world) == [CANCEL]


def test_one_fold_or_all_that_are_marked_are_stopped_paused_and_resumed(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.submit(kfold("late"), run="late-1")
    world.scheduler.tick()

    def fold(name: str) -> StopJobs:
        return StopJobs(
            run="seedlings-1", scope="attempt", target=name, reason="aborted", by="dashboard"
        )

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("a")
        await until(pilot, lambda: "move to a fold first" in shown(app))
        await pilot.press("down", "a")
        await until(pilot, lambda: "fold 0 (1 of 3) of seedlings-1 has ended" in shown(app))
        await pilot.press("down", "a")
        await pilot.pause()
        text = said(app)
        assert "Abort fold 1 (2 of 3) of seedlings-1?" in text
        assert "0.17 h, 0.17 h of it in flight; that stays charged" in text
        assert "go on; what needs it is skipped" in text
        await pilot.press("escape", "space", "space")
        await pilot.pause()
        assert "2 marked: keys mean all of them" in shown(app)
        assert chosen(app) == "errors"
        assert "✓" in line_with(app, "  fold 2 (3 of 3)  ")
        await pilot.press("a")
        await pilot.pause()
        assert "Abort 2 that are marked?" in shown(app)
        await pilot.press("y")
        world.clock.advance(6)
        await look(app, pilot)
        await until(pilot, lambda: len(requests(world)) == 2)
        assert requests(world) == [fold("train.fold1"), fold("train.fold2")]
        assert not app.jobs.marked
        world.scheduler.tick()

        await pilot.press("end", "p")
        await pilot.pause()
        assert "Pause the run late-1?" in shown(app)
        await pilot.press("y")
        world.clock.advance(6)
        await look(app, pilot)
        await until(pilot, lambda: bool(requests(world)))
        pause = PauseJobs(run="late-1", scope="run", target="late-1", by="dashboard")
        assert requests(world) == [pause]
        world.scheduler.tick()
        await look(app, pilot)
        assert "paused by dashboard" in line_with(app, "▸ late-1")
        await pilot.press("p")
        await until(pilot, lambda: "is paused already; r resumes it" in shown(app))
        await pilot.press("r")  # takes nothing away: is not asked about
        await until(pilot, lambda: bool(requests(world)))
        resume = ResumeJobs(run="late-1", scope="run", target="late-1", by="dashboard")
        assert requests(world) == [resume]
        world.scheduler.tick()

        await pilot.press("h", "y")
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [SetHold(by="dashboard")]
        world.scheduler.tick()
        await look(app, pilot)
        assert "held: no new job starts" in shown(app).splitlines()[0]
        await pilot.press("h", "y")
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [ReleaseHold(by="dashboard")]

    with Home(world.path).locked():
        drive(world, steps, size=(120, 40))


def test_what_a_stop_rule_asks_stands_on_top_and_is_answered_with_v(tmp_path: Path) -> None:
    world = asked(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        assert "A stop rule asks" in shown(app).splitlines()[1]
        assert re.search(r"\? \S+ train val_loss became nan.* stops in 1 h 00 min", shown(app))
        await pilot.press("v")
        await pilot.pause()
        assert "Stop train of " in shown(app)
        assert "val_loss became nan" in shown(app)
        await pilot.press("escape", "v", "l")
        await until(pilot, lambda: bool(requests(world)))
        (answer,) = requests(world)
        assert isinstance(answer, AnswerVerdict)
        assert (answer.rule, answer.target, answer.answer) == ("broken", "train", "let-run")
        world.scheduler.tick()
        await look(app, pilot)
        assert "A stop rule asks" not in shown(app)

    with Home(world.path).locked():
        drive(world, steps)


def test_on_the_screen_of_a_group_the_keys_are_about_what_it_shows(tmp_path: Path) -> None:
    world = second_fold(tmp_path)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "down", "enter")  # of a fold that waits
        await until(pilot, lambda: "▸ 2 fold 2" in shown(app))
        assert "a Abort fold  c Cancel run" in shown(app).splitlines()[-1]
        await pilot.press("up", "up", "a")
        await until(pilot, lambda: "fold 0 (1 of 3) of seedlings-1 has ended" in shown(app))
        await pilot.press("v")
        await until(pilot, lambda: "no stop rule asks anything about this run" in shown(app))
        await pilot.press("down", "a")
        await until(pilot, lambda: "Abort fold 1 (2 of 3) of seedlings-1?" in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: "of seedlings-1 is sent in 5 s · u takes it back" in shown(app))
        await pilot.press("u")
        await until(pilot, lambda: "u takes it back" not in shown(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "stop one fold or job, the others go on" in shown(app))
        assert "not now: nothing waits to be sent" in said(app)
        await pilot.press("escape", "c")
        await until(pilot, lambda: "Cancel the run seedlings-1?" in shown(app))
        await pilot.press("y")
        await pilot.pause()
        world.clock.advance(6)
        await look(app, pilot)
        await until(pilot, lambda: bool(requests(world)))
        assert requests(world) == [CANCEL]
        assert "seedlings-1 · train" in shown(app), "it stays on its screen"

    with Home(world.path).locked():
        drive(world, steps)
