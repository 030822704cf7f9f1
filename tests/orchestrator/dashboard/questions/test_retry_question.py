"""Before something is tried anew its hours are asked for, as `skint retry` asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orchestrator.dashboard.app import Dashboard
from orchestrator.dashboard.questions.question import Question
from orchestrator.dashboard.questions.retry_question import retry_question
from orchestrator.dashboard.reading.snapshot import AccountBalance, Screen
from orchestrator.home import Home
from orchestrator.state.state import RunState
from tests.orchestrator.dashboard.screens import drive, look, requests, said, until
from tests.orchestrator.scheduler.obeying.test_resuming import RUN, folds
from tests.orchestrator.scheduler.obeying.test_retrying import Failing

HOUR_MS = 3_600_000


def asked(world: Failing, *jobs: str, park: bool = False) -> Question:
    state, now_ms = world.scheduler.state, world.clock.now_ms()
    run: RunState = replace(state.runs[RUN], park=park)
    lab = AccountBalance(world.ledger.account("lab"), world.ledger.balance("lab", now_ms))
    screen = Screen(now_ms, balances={"lab": lab}, state=state.with_run(run))
    return retry_question([(run, job) for job in jobs], screen)


def test_the_question_says_what_it_costs_and_what_is_left_and_a_job_of_a_run_counts_once(
    tmp_path: Path,
) -> None:
    world = Failing(tmp_path)
    world.settle(folds())
    for question in (asked(world, ""), asked(world, "", "train.fold1")):
        facts = dict(question.facts)
        assert question.title == f"Try what failed or was aborted of {RUN} again?"
        assert facts["again"] == "fold 1 (2 of 3), fold 2 (3 of 3); 1 skipped because of that"
        assert facts["before"], "why it failed"
        assert facts["costs"] == "about 2.00 h (1.62–2.47) on lab"
        assert facts["left"].endswith("free of 30.00 h on lab")
        (request,) = question.choices[0].requests
        assert request.target == RUN  # type: ignore[union-attr]
    assert asked(world, "train.fold1").title == f"Try fold 1 (2 of 3) of {RUN} again?"
    with pytest.raises(ValueError, match="nothing of it failed"):
        asked(world, "train.fold0")


def test_what_is_not_left_is_not_sent_unless_the_run_may_wait_for_hours(tmp_path: Path) -> None:
    world = Failing(tmp_path, week_ms=round(2.2 * HOUR_MS))
    world.settle(folds())
    question = asked(world, "")
    assert question.title.startswith("So much is not left")
    assert "too much; it resets Sat" in dict(question.facts)["not left"]
    assert [choice.requests for choice in question.choices] == [()]
    parked = asked(world, "", park=True)
    assert "waits until hours come back" in dict(parked.facts)["then"]
    assert len(parked.choices[0].requests) == 1


def test_t_asks_and_a_yes_is_sent_at_once(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.settle(folds())

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        await pilot.press("t")
        await until(pilot, lambda: "again?" in said(app))
        assert "about 2.00 h (1.62–2.47) on lab" in said(app)
        await pilot.press("escape")
        await look(app, pilot)
        assert requests(world) == []
        await pilot.press("t", "y")
        await until(pilot, lambda: bool(requests(world)))
        world.mended = True
        world.scheduler.tick()
        world.until_settled()
        assert world.run.outcome == "done"

    with Home(world.path).locked():
        drive(world, steps)
