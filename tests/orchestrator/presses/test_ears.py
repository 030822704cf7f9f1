"""What hears beside a scheduler: a listener where there may be one, else somebody who looks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from orchestrator.home import Home
from orchestrator.presses.listening import Listening
from orchestrator.words.notifying import notifiers_for
from orchestrator.words.outbox import pump
from tests.orchestrator.presses.pressing import ANNA, RUN, Pressing
from tests.orchestrator.presses.test_meaning import training_fold0
from tests.orchestrator.worlds import kfold
from tests.stand_ins.slack import TOKEN, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn
from tests.stand_ins.slack_socket import APP_TOKEN, SocketModeStandIn
from tests.terminal import until


@pytest.fixture
def slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackStandIn]:
    monkeypatch.setenv("HOME", str(tmp_path))  # the claim of a token stands there
    with SlackStandIn() as slack:
        slack.rate_limits = False
        yield slack


@pytest.fixture
def pressing(tmp_path: Path) -> Pressing:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    return pressing


@contextmanager
def ears(
    pressing: Pressing, slack: SlackStandIn, **more: str
) -> Iterator[tuple[Listening, list[None]]]:
    """What a scheduler has, with the run's head posted; and how often the scheduler was woken."""
    environ: Mapping[str, str] = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_API_URL": slack.url, **more}
    world, woken = pressing.world, list[None]()
    slack.wall_s = lambda: world.clock.now_ms() // 1000
    with closing(sqlite3.connect(world.path / "store.db")) as db:
        pump(db, notifiers_for([pressing.run.graph], environ), world.clock.now_ms())
    listening = Listening(
        Home(world.path),
        environ,
        world.clock,
        lambda: world.scheduler.state,
        lambda: woken.append(None),
        poll_s=0.1,
    )
    listening.look()
    try:
        yield listening, woken
    finally:
        listening.stop()


def test_without_an_app_token_words_in_the_thread_are_found(
    pressing: Pressing, slack: SlackStandIn
) -> None:
    reading = ReadingStandIn(slack)
    with ears(pressing, slack) as (_, woken):
        reading.say(slack.heads()[0], ANNA, "abort run")
        until(lambda: bool(woken))
        pressing.world.scheduler.tick()
    assert [stop.by for stop in pressing.run.stops] == [f"slack:{ANNA}"]


def test_of_two_schedulers_with_one_token_the_second_looks_and_takes_over_when_it_can(
    pressing: Pressing, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    reading = ReadingStandIn(slack)
    with SocketModeStandIn(slack) as sockets:
        with ears(pressing, slack, SLACK_APP_TOKEN=APP_TOKEN):
            until(lambda: len(sockets.links) == 1)
            assert "reactions.get" not in [call.method for call in slack.calls]
            with ears(pressing, slack, SLACK_APP_TOKEN=APP_TOKEN) as (_, woken):
                until(lambda: "another scheduler has this SLACK_APP_TOKEN" in caplog.text)
                reading.react(slack.heads()[0], ANNA, "x")
                until(lambda: bool(woken))
                assert len(sockets.links) == 1
        with ears(pressing, slack, SLACK_APP_TOKEN=APP_TOKEN):
            until(lambda: sockets.opened == 2)


def test_where_slack_refuses_the_app_token_reactions_are_looked_for(
    pressing: Pressing, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    reading = ReadingStandIn(slack)
    with (
        SocketModeStandIn(slack),
        ears(pressing, slack, SLACK_APP_TOKEN="xapp-1-other") as (
            _,
            woken,
        ),
    ):
        reading.react(slack.heads()[0], ANNA, "x")
        until(lambda: bool(woken))
    assert "does not accept the token in SLACK_APP_TOKEN" in caplog.text


def test_nothing_is_begun_for_runs_that_nobody_may_press(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    pressing = Pressing.of(tmp_path, kfold())
    with ears(pressing, slack) as (listening, _):
        assert listening._ears is None
        assert not listening.waits()


def test_a_token_of_the_wrong_kind_is_said_once_and_nothing_else_is_hurt(
    pressing: Pressing, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with ears(pressing, slack) as (listening, _):
        pass
    listening = Listening(
        Home(pressing.world.path),
        {"SLACK_BOT_TOKEN": "nonsense"},
        pressing.world.clock,
        lambda: pressing.world.scheduler.state,
        lambda: None,
    )
    listening.look()
    listening.look()
    assert caplog.text.count("presses in Slack are not heard") == 1
    assert "nonsense" not in caplog.text


def test_what_was_stopped_is_waited_for_until_a_day_after_its_end(
    pressing: Pressing, slack: SlackStandIn
) -> None:
    with ears(pressing, slack) as (listening, _):
        assert not listening.waits()
        pressing.world.stop()
        pressing.world.until_settled(RUN)
        assert listening.waits()
        pressing.world.clock.advance(23 * 3600)
        assert listening.waits()
        pressing.world.clock.advance(2 * 3600)
        assert not listening.waits()
