"""Buttons, mentions and several pictures: the real slack_sdk against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notifiers.base import Button, Curve, Notice, Notifier, Picture
from notifiers.slack.notifier import Slack
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn

APP_TOKEN = "xapp-1-A0-secret"
CURVE = Curve("s-1 fold 0", "val_acc", {"fold 0": ((1.0, 0.4), (2.0, 0.9))})
STOP = Button("Stop now", '{"do":"stop"}', "danger", "3.1 h spent; up to 1.9 h would come back")
GO_ON = Button("Let it run", '{"do":"let-run"}')
HEAD = Notice("s-1", "head", "head", "running")
ASK = Notice(
    "s-1",
    "alert",
    "ask",
    "decision needed for fold 0",
    ("if nobody answers it stops at 14:30 UTC",),
    buttons=(STOP, GO_ON),
    typed=("to stop it now: skint answer s-1 --stop",),
    mention=("U0000001",),
    about="decision",
)
ANSWERED = Notice(
    "s-1",
    "reply",
    "answered",
    "fold 0 goes on, said slack:U0000001",
    edits="ask",
    persons=("U0000001",),
)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        yield stand_in


def bot(slack: SlackStandIn, **environ: str) -> Notifier:
    known = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
    return Slack.configure({"channel": CHANNEL}, {**known, **environ})


def hearing(slack: SlackStandIn) -> Notifier:
    return bot(slack, SLACK_APP_TOKEN=APP_TOKEN)


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for block in blocks if block["type"] == "actions" for part in block["elements"]]


def test_a_decision_has_buttons_that_ask_again_and_wakes_whom_the_plan_names(
    slack: SlackStandIn,
) -> None:
    notifier = hearing(slack)
    notifier.send(ASK, notifier.send(HEAD, {}))
    asked = slack.messages[-1]
    stop, go_on = buttons(asked.blocks)
    assert (stop["text"]["text"], stop["value"], stop["style"]) == (
        "Stop now",
        STOP.value,
        "danger",
    )
    assert stop["confirm"]["text"]["text"] == STOP.confirm
    assert "confirm" not in go_on
    assert asked.text.startswith("<@U0000001> s-1 · decision needed for fold 0\n")
    assert asked.blocks[0]["text"]["text"].startswith("<@U0000001> *s-1* · decision needed")
    assert "skint answer" not in asked.text + str(asked.blocks)


def test_where_nobody_listens_there_are_no_buttons_but_what_to_type(slack: SlackStandIn) -> None:
    notifier = bot(slack)
    notifier.send(ASK, notifier.send(HEAD, {}))
    asked = slack.messages[-1]
    assert buttons(asked.blocks) == []
    assert "skint answer s-1 --stop" in asked.text
    assert "skint answer s-1 --stop" in str(asked.blocks)


@pytest.mark.parametrize(
    ("notice", "hint"),
    [
        (ASK, "or reply in this thread: `stop` or `let run`"),
        (
            replace(HEAD, buttons=(STOP,)),
            "or react with :octagonal_sign: to abort the fold that runs, with :x: to abort the run",
        ),
        (
            replace(HEAD, buttons=(GO_ON,), final=True),
            "or react to this message with :arrow_forward: to resume",
        ),
    ],
)
def test_where_presses_are_polled_it_says_what_to_react_or_to_reply(
    slack: SlackStandIn, notice: Notice, hint: str
) -> None:
    bot(slack).send(notice, {})
    assert slack.messages[-1].text.endswith(hint)
    assert hint in str(slack.messages[-1].blocks)
    hearing(slack).send(notice, {})
    assert hint not in slack.messages[-1].text + str(slack.messages[-1].blocks)


def test_blocks_that_are_refused_leave_what_to_type(slack: SlackStandIn) -> None:
    notifier = hearing(slack)
    address = notifier.send(HEAD, {})
    slack.fail("chat.postMessage", Failure("invalid_blocks"))
    notifier.send(ASK, address)
    assert slack.messages[-1].blocks == []
    assert "skint answer s-1 --stop" in slack.messages[-1].text


def test_an_answer_takes_the_buttons_away_from_the_question(slack: SlackStandIn) -> None:
    notifier = hearing(slack)
    head = notifier.send(HEAD, {})
    address = notifier.send(ASK, head)
    assert notifier.send(ANSWERED, address) == head
    question = slack.messages[-1]
    assert len(slack.messages) == 2
    assert question.edits == 1
    assert buttons(question.blocks) == []
    assert question.text == "s-1 · fold 0 goes on, said <@U0000001>"


def test_an_answer_to_a_question_that_was_deleted_has_nothing_to_take_away(
    slack: SlackStandIn,
) -> None:
    notifier = hearing(slack)
    head = notifier.send(HEAD, {})
    address = notifier.send(ASK, head)
    slack.messages.pop()
    assert notifier.send(ANSWERED, address) == head
    assert len(slack.messages) == 1


def test_a_question_that_had_no_buttons_stays_as_it_is(slack: SlackStandIn) -> None:
    notifier = bot(slack)
    address = notifier.send(ASK, notifier.send(HEAD, {}))
    assert notifier.pace(ANSWERED, address) == {}
    assert notifier.send(ANSWERED, address) == address
    assert [message.edits for message in slack.messages] == [0, 0]


def test_a_head_loses_its_buttons_when_it_no_longer_has_any(slack: SlackStandIn) -> None:
    notifier = hearing(slack)
    address = notifier.send(replace(HEAD, buttons=(STOP,)), {})
    assert buttons(slack.messages[0].blocks)
    notifier.send(replace(HEAD, key="head2", final=True), address)
    assert buttons(slack.messages[0].blocks) == []
    assert slack.messages[0].blocks


def test_a_curve_and_pictures_come_in_one_message(slack: SlackStandIn, tmp_path: Path) -> None:
    grid = tmp_path / "predicted.png"
    grid.write_bytes(b"\x89PNG grid")
    done = Notice(
        "s-1", "reply", "done", "fold 0 done", curve=CURVE,
        pictures=(Picture(str(grid), "predicted", "nine pictures, eight right"),),
    )  # fmt: skip
    bot(slack).send(done, bot(slack).send(HEAD, {}))
    (reply,) = slack.messages[1:]
    assert reply.text == "fold 0 done"
    # The names hold what a message is found by (`notifiers.slack.lookup`).
    assert [(file.name.split("-")[0], file.title) for file in reply.files] == [
        ("learning", "s-1 fold 0"),
        ("predicted", "predicted"),
    ]
    assert reply.files[1].alt_text == "nine pictures, eight right"
    assert reply.files[1].content == b"\x89PNG grid"


def test_a_picture_that_is_gone_is_said_and_costs_neither_words_nor_curve(
    slack: SlackStandIn, tmp_path: Path
) -> None:
    gone = Picture(str(tmp_path / "predicted.png"), "predicted", "")
    done = Notice("s-1", "reply", "done", "fold 0 done", curve=CURVE, pictures=(gone,))
    bot(slack).send(done, bot(slack).send(HEAD, {}))
    assert slack.messages[1].text == (
        "fold 0 done\nno picture predicted.png: No such file or directory"
    )
    assert len(slack.messages[1].files) == 1


def test_who_did_it_is_mentioned_and_nobody_else_whom_words_name(slack: SlackStandIn) -> None:
    lines = ("cancelled by a person on Slack (U0000002)", "said slack:U0000003 <!channel>")
    notice = Notice("s-1", "reply", "k", "aborted by slack:U0000001", lines)
    did = replace(notice, persons=("U0000001", "U0000002"))
    bot(slack).send(did, bot(slack).send(HEAD, {}))
    assert slack.messages[1].text.splitlines() == [
        "aborted by <@U0000001>",
        "cancelled by <@U0000002>",
        "said slack:U0000003 &lt;!channel&gt;",
    ]
