from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from notifiers.base import Curve, Notice
from notifiers.slack.notifier import Slack
from notifiers.slack.plain import calm, unlinked
from notifiers.slack.reader import SlackReader
from notifiers.slack.web import SlackWeb
from notifiers.slack.webhook import SlackWebhook
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, Message, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn

OUTSIDE = (
    "slack:U0000009 and a person on Slack (U0000009) <@U0000009> <!channel> <!subteam^S1>\n"
    "@here @channel @everyone <https://example.org|click> https://example.org/x #general\n"
    "> quoted\n*bold* _italic_ ~struck~ __init__ **kwargs\n```\nfence\n```"
)
"""What a job may print, or a file be called."""
HEAD = Notice("s-1", "head", "head", "epoch 1/12")
SAID = Notice("s-1", "alert", "k", OUTSIDE, tuple(OUTSIDE.split("\n")), ((OUTSIDE, OUTSIDE),))
_DOES = re.compile(
    r"<[@!#]|<https?:|^\s*&gt;|(?<![^\W_])([*_~])(?=\S)[^\n]*?(?<=\S)\1(?![^\W_])", re.MULTILINE
)
"""What Slack makes something of in text that is marked verbatim, or sent with `parse: none`."""
_FOUND = re.compile(r"://|@(?:here|channel|everyone)")
"""What it may make something of in other text."""


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        yield stand_in


def bot(slack: SlackStandIn, hears: bool = False) -> Slack:
    return Slack(CHANNEL, TOKEN, api_url=slack.url, hears=hears)


def texts_of(message: Message) -> list[str]:
    """All texts of its blocks that Slack reads."""
    parts = [part for block in message.blocks for part in (block, *block.get("elements", ()))]
    found = [part["text"] for part in parts if isinstance(part.get("text"), dict)]
    found += [part for part in parts if part.get("type") == "mrkdwn"]
    found += [field for block in message.blocks for field in block.get("fields", ())]
    assert all(one["verbatim"] for one in found if one["type"] == "mrkdwn")
    return [one["text"] for one in found if one["type"] == "mrkdwn"]


def prose(text: str) -> str:
    """Without our own bold words and what is shown as code, where Slack reads nothing."""
    text = re.sub(r"\A```\n((?!```).)*\n```\Z", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]+`", "", text)
    return re.sub(r"\A\*[^*\n]*\*", "", text)


def check(message: Message) -> None:
    """That nothing from outside does anything in it."""
    for text in [prose(text) for text in [*texts_of(message), message.text]]:
        assert _DOES.search(text) is None, text
    assert _FOUND.search(message.text) is None


@pytest.mark.parametrize("hears", [False, True])
def test_nothing_from_outside_mentions_links_or_formats_in_any_message(
    slack: SlackStandIn, hears: bool
) -> None:
    notifier = bot(slack, hears)
    address = notifier.send(HEAD, {})
    curve = Curve(OUTSIDE, OUTSIDE, {OUTSIDE: ((1.0, 0.5),)})
    quoting = replace(SAID, quoted=tuple(OUTSIDE.split("\n")), typed=(OUTSIDE,))
    notifier.send(replace(quoting, topic="head"), address)
    address = notifier.send(quoting, address)
    address = notifier.send(replace(quoting, topic="reply", key="r"), address)
    notifier.send(replace(quoting, topic="reply", key="c", curve=curve), address)  # an upload
    slack.fail("chat.postMessage", Failure("invalid_blocks"))
    notifier.send(replace(quoting, key="text alone"), address)
    assert len(slack.messages) == 5
    for message in slack.messages:
        check(message)
    for call in slack.calls:
        if call.method in ("chat.postMessage", "chat.update"):
            assert (call.form["parse"], call.form["link_names"]) == ("none", False)


def test_an_incoming_webhook_shows_no_more_and_unfurls_nothing(slack: SlackStandIn) -> None:
    hook = SlackWebhook("hook", slack.webhook_url)
    address = hook.send(SAID, {})
    slack.fail("webhook", Failure("invalid_blocks", status=400))
    hook.send(replace(SAID, quoted=(OUTSIDE,)), address)
    assert len(slack.messages) == 2
    for message in slack.messages:
        check(message)
    for call in slack.calls:
        assert (call.form["unfurl_links"], call.form["unfurl_media"]) == (False, False)


@pytest.mark.parametrize(
    "says",
    [
        lambda reader, head: reader.whisper(CHANNEL, "U1", OUTSIDE, head.ts),
        lambda reader, head: reader.answer(CHANNEL, head.ts, "U1", OUTSIDE),
    ],
)
def test_what_one_person_is_told_wakes_nobody_else(
    slack: SlackStandIn, says: Callable[[SlackReader, Message], Any]
) -> None:
    reading = ReadingStandIn(slack)
    bot(slack).send(HEAD, {})
    says(SlackReader(SlackWeb(TOKEN, api_url=slack.url)), slack.messages[0])
    told = [one.text for one in reading.whispers] + [one.text for one in slack.messages[1:]]
    (text,) = told
    assert "<!" not in text
    assert _FOUND.search(text) is None
    assert slack.calls[-1].form["parse"] == "none"


def test_a_log_that_ends_its_own_block_of_code_stays_in_it(slack: SlackStandIn) -> None:
    bot(slack).send(replace(HEAD, quoted=("one", "``` <!here>", "    two")), {})
    (block,) = [b for b in slack.messages[0].blocks if "one" in json.dumps(b)]
    assert block["text"]["text"] == "```\none\n''' &lt;!here&gt;\n    two\n```"


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4, a_b_c, train_fold_0.csv, ~/runs/s-1, 5 ~ 6",
        "next: `skint answer s-1 --about _a_` or `ls *.py *.md`",
        "x &gt; 1",
        "lr 3e-4 · batch 64",
    ],
)
def test_what_slack_would_show_as_it_stands_is_not_touched(text: str) -> None:
    assert calm(text) == text
    assert unlinked(text) == text


def test_what_is_replaced_is_only_what_would_do_something() -> None:
    assert calm("a_b in __init__, 2*3") == "a_b in ˍˍinitˍˍ, 2*3"
    assert calm("&gt; 12 assert x &gt; 1") == "› 12 assert x &gt; 1"
    assert calm("a*b", bold=True) == "a∗b"
    assert unlinked("mail a@here.org, @here") == "mail a@here.org, @\u2060here"
