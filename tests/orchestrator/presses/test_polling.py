"""Reactions and replies on a Slack on loopback, looked for and dealt with once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers.slack.reader import SEEN, SlackReader
from notifiers.slack.web import SlackWeb
from orchestrator.events import events as e
from orchestrator.presses.polling import EVERY_S, WAIT_S, Poller, Watched
from tests.orchestrator.presses.pressing import ANNA, CHANNEL, RUN, STRANGER, Pressing
from tests.orchestrator.presses.test_meaning import training_fold0
from tests.stand_ins.slack import TOKEN, Failure, Message, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn


class Polled:
    """A run whose head stands in Slack."""

    def __init__(self, pressing: Pressing, slack: SlackStandIn) -> None:
        self.pressing = pressing
        self.slack = slack
        self.reading = ReadingStandIn(slack)
        self.web = SlackWeb(TOKEN, api_url=slack.url)
        self.reader = SlackReader(self.web)
        slack.wall_s = lambda: pressing.world.clock.now_ms() // 1000
        self.web.call("chat_postMessage", channel=CHANNEL, text="seedlings-1")
        (self.head,) = slack.heads()
        self.restart()

    def restart(self) -> None:
        self.pressing.restart()
        self.poller = Poller(
            self.reader, self.pressing.desk, self.pressing.world.clock, self._watched, gap_s=0.0
        )

    def _watched(self) -> list[Watched]:
        return [Watched(self.pressing.run, CHANNEL, self.head.ts)]

    def look(self) -> float:
        """Look once, and let desk and scheduler work on what was found."""
        wait_s = self.poller.look()
        if self.pressing.desk.work():
            self.pressing.world.scheduler.tick()
            assert not self.pressing.desk.work()
        return wait_s

    def stops(self) -> list[tuple[str, str]]:
        return [(stop.target, stop.by) for stop in self.pressing.world.kept(e.StopAsked)]

    def seen(self, message: Message) -> bool:
        return "U0BOT" in self.reading.reactions.get(message.ts, {}).get(SEEN, [])


@pytest.fixture
def polled(tmp_path: Path) -> Iterator[Polled]:
    pressing = Pressing.of(tmp_path)
    pressing.until(training_fold0)
    with SlackStandIn() as slack:
        slack.rate_limits = False
        yield Polled(pressing, slack)


def test_a_reaction_to_the_head_aborts_the_fold_that_runs(polled: Polled) -> None:
    polled.reading.react(polled.head, ANNA, "octagonal_sign")
    polled.reading.react(polled.head, ANNA, "heart")
    assert polled.look() == EVERY_S
    assert polled.stops() == [("train.fold0", f"slack:{ANNA}")]
    assert polled.seen(polled.head)


def test_a_reply_in_the_thread_aborts_the_run(polled: Polled) -> None:
    polled.reading.say(polled.head, ANNA, "hm, is that normal?")
    reply = polled.reading.say(polled.head, ANNA, "Abort run!")
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]
    assert polled.seen(reply)


def test_each_is_dealt_with_once_also_by_the_next_scheduler(polled: Polled) -> None:
    polled.reading.react(polled.head, ANNA, "octagonal_sign")
    polled.reading.say(polled.head, ANNA, "abort fold 9")
    polled.look()
    polled.pressing.until(lambda run: run.jobs["train.fold1"].status == "running")
    polled.restart()
    polled.look()
    polled.look()
    assert polled.stops() == [("train.fold0", f"slack:{ANNA}")]  # and not fold 1, which runs now
    assert polled.pressing.answers == [(ANNA, f"{RUN} has no fold 9 to abort")]


def test_strangers_are_told_once_and_nothing_is_done(
    polled: Polled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    polled.reading.react(polled.head, STRANGER, "x")
    polled.reading.say(polled.head, STRANGER, "resume")
    polled.look()
    polled.look()
    assert polled.stops() == []
    assert [who for who, _ in polled.pressing.answers] == [STRANGER] * 2
    assert caplog.text.count("refused (stranger)") == 2


def test_what_the_bot_writes_itself_is_no_wish(polled: Polled) -> None:
    polled.web.call("chat_postMessage", channel=CHANNEL, thread_ts=polled.head.ts, text="abort run")
    polled.look()
    assert polled.stops() == []


def test_a_long_thread_is_read_to_its_end(polled: Polled) -> None:
    for number in range(250):
        polled.reading.say(polled.head, ANNA, f"talk {number}")
    polled.reading.say(polled.head, ANNA, "abort run")
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]
    calls = len(polled.slack.answers("conversations.replies"))
    polled.look()
    assert len(polled.slack.answers("conversations.replies")) == calls + 1


def test_what_slack_does_not_let_the_app_read_is_said_once_and_the_rest_goes_on(
    polled: Polled, caplog: pytest.LogCaptureFixture
) -> None:
    polled.slack.scopes -= {"channels:history", "reactions:write"}
    polled.reading.react(polled.head, ANNA, "x")
    polled.look()
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]
    assert caplog.text.count("replies are not looked for any more") == 1
    assert caplog.text.count("what was read is not marked any more") == 1


def test_slack_says_how_long_to_wait(polled: Polled) -> None:
    polled.slack.fail("reactions.get", Failure("ratelimited", status=429, retry_after="17"))
    assert polled.look() == 17
    polled.slack.fail("reactions.get", Failure(hang_up=True))
    assert polled.look() == WAIT_S
    assert polled.look() == EVERY_S


def test_a_head_that_was_deleted_keeps_nobody_else_from_being_heard(
    polled: Polled, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Watched(polled.pressing.run, CHANNEL, "1600000000.000001")
    watched = polled.poller._watched
    polled.poller._watched = lambda: [gone, *watched()]
    polled.reading.say(polled.head, ANNA, "abort run")
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]
    assert "any more" not in caplog.text


MINUTE_S = 60.0


def later(polled: Polled, minutes: float) -> None:
    """Nobody looks meanwhile."""
    polled.pressing.world.clock.advance(minutes * MINUTE_S)


def answers(polled: Polled) -> list[str]:
    """What the bot has said in the thread."""
    return [m.text for m in polled.slack.thread(polled.head) if not m.user]


def test_a_reply_from_while_nobody_looked_counts_for_an_hour(polled: Polled) -> None:
    polled.reading.say(polled.head, ANNA, "abort run")
    later(polled, 59)
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]
    assert answers(polled) == []


def test_an_older_reply_is_answered_once_in_the_thread_and_does_nothing(polled: Polled) -> None:
    polled.slack.fail("chat.postMessage", Failure("ratelimited", status=429, retry_after="3"))
    reply = polled.reading.say(polled.head, ANNA, "abort run")
    later(polled, 61)
    assert polled.look() == 3
    for _ in range(2):
        polled.look()
        polled.restart()
    assert polled.stops() == []
    (answer,) = answers(polled)
    assert answer.startswith(f"<@{ANNA}> nothing was done: `abort run`, written Sat 21 Nov 2026 ")
    assert answer.endswith("If you still want it, reply again.")
    assert polled.seen(reply)
    polled.reading.say(polled.head, ANNA, "abort run")
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]


def test_a_stranger_s_old_reply_is_answered_to_nobody_else(polled: Polled) -> None:
    polled.reading.say(polled.head, STRANGER, "abort run")
    later(polled, 61)
    polled.look()
    assert answers(polled) == []
    assert [who for who, _ in polled.pressing.answers] == [STRANGER]


def test_a_reply_that_is_older_than_what_it_would_mean_does_nothing(polled: Polled) -> None:
    polled.reading.say(polled.head, ANNA, "abort fold")  # fold 0, which runs
    polled.pressing.until(lambda run: run.jobs["train.fold1"].status == "running")
    polled.look()
    assert polled.stops() == []
    (answer,) = answers(polled)
    assert "`abort fold` was written before things moved on to where they are" in answer


def test_a_reaction_counts_where_its_head_was_looked_at_without_it_just_before(
    polled: Polled,
) -> None:
    polled.look()
    later(polled, 4)
    polled.restart()
    polled.reading.react(polled.head, ANNA, "x")
    polled.look()
    assert polled.stops() == [(RUN, f"slack:{ANNA}")]


@pytest.mark.parametrize("looked_before", [False, True])
def test_a_reaction_from_while_nobody_looked_is_answered_once_in_the_thread(
    polled: Polled, looked_before: bool
) -> None:
    if looked_before:
        polled.look()
    polled.reading.react(polled.head, ANNA, "x")
    later(polled, 6)
    for _ in range(2):
        polled.look()
        polled.restart()
    assert polled.stops() == []
    (answer,) = answers(polled)
    assert "nobody looked when :x: was given" in answer
    assert "reply `abort run` here" in answer
