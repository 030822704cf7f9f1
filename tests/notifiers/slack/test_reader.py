"""What people do under a message, read by the real slack_sdk from a Slack on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notifiers.slack.errors import SlackRefusal
from notifiers.slack.reader import SEEN, Reaction, Reply, SlackReader, stamp
from notifiers.slack.web import SlackWeb
from tests.stand_ins.slack import CHANNEL, TOKEN, Message, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn, Whisper


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as slack:
        slack.rate_limits = False
        yield slack


@pytest.fixture
def reading(slack: SlackStandIn) -> ReadingStandIn:
    return ReadingStandIn(slack)


@pytest.fixture
def web(slack: SlackStandIn) -> SlackWeb:
    return SlackWeb(TOKEN, api_url=slack.url)


@pytest.fixture
def head(slack: SlackStandIn, web: SlackWeb) -> Message:
    web.call("chat_postMessage", channel=CHANNEL, text="seedlings-1")
    return slack.heads()[0]


def test_reactions_come_with_everybody_who_gave_them(
    reading: ReadingStandIn, web: SlackWeb, head: Message
) -> None:
    assert SlackReader(web).reactions(CHANNEL, head.ts) == []
    for user in ("U1", "U2", "U3"):
        reading.react(head, user, "x")
    reading.react(head, "U1", "heart")
    assert SlackReader(web).reactions(CHANNEL, head.ts) == [
        *(Reaction("x", user) for user in ("U1", "U2", "U3")),
        Reaction("heart", "U1"),
    ]


def test_replies_are_those_of_people_after_what_was_read(
    reading: ReadingStandIn, web: SlackWeb, head: Message
) -> None:
    first = reading.say(head, "U1", "one")
    web.call("chat_postMessage", channel=CHANNEL, thread_ts=head.ts, text="a fold is done")
    second = reading.say(head, "U2", "two")
    reader = SlackReader(web)
    assert reader.replies(CHANNEL, head.ts, head.ts) == [
        Reply("U1", "one", first.ts),
        Reply("U2", "two", second.ts),
    ]
    assert reader.replies(CHANNEL, head.ts, first.ts) == [Reply("U2", "two", second.ts)]


def test_a_mark_is_set_once_and_again_is_no_error(
    reading: ReadingStandIn, web: SlackWeb, head: Message
) -> None:
    for _ in range(2):
        SlackReader(web).mark_seen(CHANNEL, head.ts)
    assert reading.reactions[head.ts] == {SEEN: ["U0BOT"]}
    with pytest.raises(SlackRefusal, match="message_not_found"):
        SlackReader(web).mark_seen(CHANNEL, "1600000000.000001")


def test_a_whisper_names_persons_and_wakes_nobody(reading: ReadingStandIn, web: SlackWeb) -> None:
    text = "<!channel> was faster, and slack:U0ANNA0001 too"
    SlackReader(web).whisper(CHANNEL, "U0BEN00001", text, "1700000000.000001")
    said = "&lt;!channel&gt; was faster, and <@U0ANNA0001> too"
    assert reading.whispers == [Whisper(CHANNEL, "U0BEN00001", said, "1700000000.000001")]


def test_stamps_are_compared_as_numbers() -> None:
    assert stamp("999999999.000002") < stamp("1000000000.000001") < stamp("1000000000.000010")
    assert stamp("1000000000") < stamp("1000000000.000001")
