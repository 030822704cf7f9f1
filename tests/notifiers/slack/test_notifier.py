"""The real slack_sdk against the stand-in: what a reader of the channel sees."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from PIL import Image

from notifiers.base import Curve, Notice, Notifier, NotifyError, Topic
from notifiers.slack.notifier import Slack
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn

CURVE = Curve("s-1 fold 0", "val_acc", {"fold 0": ((1.0, 0.4), (2.0, 0.9))})
ENVIRON = {"SLACK_BOT_TOKEN": TOKEN}


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        yield stand_in


def bot(slack: SlackStandIn, channel: str = CHANNEL, token: str = TOKEN) -> Notifier:
    environ = {"SLACK_BOT_TOKEN": token, "SKINT_SLACK_API_URL": slack.url}
    return Slack.configure({"channel": channel}, environ)


def notice(topic: Topic, title: str, curve: Curve | None = None) -> Notice:
    return Notice("s-1", topic, f"{topic}:{title}", title, ("0.14 h spent",), curve=curve)


def refusal(slack: Notifier, said: Notice, address: Mapping[str, str] | None = None) -> NotifyError:
    with pytest.raises(NotifyError) as caught:
        slack.send(said, address or {})
    return caught.value


def test_one_head_is_edited_in_place_and_keeps_its_blocks(slack: SlackStandIn) -> None:
    address: Mapping[str, str] = {}
    for epoch in (1, 2, 3):
        address = bot(slack).send(notice("head", f"epoch {epoch}/3"), address)
    (message,) = slack.messages
    assert message.history == [f"s-1 · epoch {n}/3\n0.14 h spent" for n in (1, 2, 3)]
    assert message.blocks[0]["text"]["text"] == "*s-1* · epoch 3/3\n0.14 h spent"
    assert address == {"channel": CHANNEL, "ts": message.ts}


def test_a_reply_comes_with_its_picture_in_one_message_of_the_thread(slack: SlackStandIn) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    assert bot(slack).send(notice("reply", "fold 0 done", CURVE), address) == address
    head, reply = slack.messages
    assert slack.thread(head) == [reply]
    assert reply.text == "fold 0 done\n0.14 h spent"
    (file,) = reply.files
    assert file.alt_text == "s-1 fold 0. val_acc by epoch: fold 0 0.9 at epoch 2."
    with Image.open(io.BytesIO(file.content)) as image:
        image.load()
        assert image.size == (960, 540)


def test_an_alert_is_shown_in_the_channel_and_its_picture_in_the_thread(
    slack: SlackStandIn,
) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    assert bot(slack).send(notice("alert", "finished", CURVE), address) == address
    _, alert, picture = slack.messages
    assert (alert.broadcast, alert.thread_ts) == (True, address["ts"])
    assert (picture.broadcast, picture.thread_ts, len(picture.files)) == (False, address["ts"], 1)


def test_an_alert_whose_picture_has_to_wait_is_not_said_twice(slack: SlackStandIn) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    slack.fail("upload", Failure(status=429, retry_after="7"))
    error = refusal(bot(slack), notice("alert", "finished", CURVE), address)
    assert error.retry_after_s == 7
    assert error.reached is not None
    assert bot(slack).send(notice("alert", "finished", CURVE), error.reached) == address
    assert [(m.text, len(m.files)) for m in slack.messages[1:]] == [
        ("s-1 · finished\n0.14 h spent", 0),
        ("", 1),
    ]


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
def test_refused_blocks_do_not_cost_the_message(
    slack: SlackStandIn, method: str, code: str
) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    slack.fail(method, Failure(code))
    topic: Topic = "head" if method == "chat.update" else "reply"
    bot(slack).send(notice(topic, "still said"), address)
    assert "still said" in slack.messages[-1].text
    assert slack.messages[-1].blocks == []


def test_the_next_try_after_refused_blocks_is_text_at_once(slack: SlackStandIn) -> None:
    slack.fail("chat.postMessage", Failure("invalid_blocks"), Failure("ratelimited", 429, "1"))
    error = refusal(bot(slack), notice("head", "running"))
    assert error.reached is not None
    calls = len(slack.calls)
    address = bot(slack).send(notice("head", "running"), error.reached)
    assert len(slack.calls) == calls + 1
    assert address == {"channel": CHANNEL, "ts": slack.messages[0].ts}


def test_a_deleted_head_is_posted_anew(slack: SlackStandIn) -> None:
    address = bot(slack).send(notice("head", "epoch 1"), {})
    slack.messages.clear()
    error = refusal(bot(slack), notice("head", "epoch 2"), address)
    assert (error.permanent, error.reached) == (False, {})
    assert bot(slack).send(notice("head", "epoch 2"), {})["ts"] == slack.messages[0].ts


@pytest.mark.parametrize("curve", [None, CURVE])
def test_a_reply_to_a_deleted_head_is_not_lost(slack: SlackStandIn, curve: Curve | None) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    slack.messages.clear()
    error = refusal(bot(slack), notice("reply", "fold 0 done", curve), address)
    assert (error.permanent, error.reached) == (False, {})
    bot(slack).send(notice("reply", "fold 0 done", curve), {})
    assert slack.messages[0].text.startswith("fold 0 done")


def test_without_the_right_to_upload_the_words_go_out_and_say_so(slack: SlackStandIn) -> None:
    slack.scopes = {"chat:write"}
    address = bot(slack).send(notice("head", "running"), {})
    bot(slack).send(notice("reply", "fold 0 done", CURVE), address)
    reply = slack.messages[-1]
    assert reply.text.startswith("fold 0 done")
    assert "needs files:write" in reply.text
    assert "needs files:write" in str(reply.blocks)


@pytest.mark.parametrize(
    ("failure", "retry_after_s"),
    [
        (Failure("ratelimited", status=429, retry_after="30"), 30),
        (Failure("ratelimited", status=429, retry_after="0.5"), 0.5),
        (Failure(status=429), 30),
        (Failure(status=500), None),
        (Failure("internal_error"), None),
        (Failure(status=200), None),  # a page of a captive portal
        (Failure(hang_up=True), None),
    ],
)
def test_passing_trouble_asks_to_come_back(
    slack: SlackStandIn, failure: Failure, retry_after_s: float | None
) -> None:
    slack.fail("chat.postMessage", failure)
    error = refusal(bot(slack), notice("head", "running"))
    assert (error.permanent, error.retry_after_s) == (False, retry_after_s)
    assert len(slack.calls) == 1  # no retrying, no sleeping inside


@pytest.mark.parametrize(
    "failure", [Failure(status=429, retry_after="9"), Failure(status=503), Failure(hang_up=True)]
)
@pytest.mark.parametrize(
    "step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
)
def test_trouble_in_any_step_of_an_upload_shows_nothing_and_comes_back(
    slack: SlackStandIn, step: str, failure: Failure
) -> None:
    address = bot(slack).send(notice("head", "running"), {})
    slack.fail(step, failure)
    error = refusal(bot(slack), notice("reply", "fold 0 done", CURVE), address)
    assert not error.permanent
    assert error.retry_after_s == (9 if failure.status == 429 else None)
    assert len(slack.messages) == 1
    bot(slack).send(notice("reply", "fold 0 done", CURVE), address)
    assert len(slack.messages[1].files) == 1


def test_nobody_listening_is_passing_trouble() -> None:
    with SlackStandIn() as gone:
        pass
    error = refusal(bot(gone), notice("head", "running"))
    assert not error.permanent
    assert "cannot reach Slack" in error.what


@pytest.mark.parametrize(
    ("code", "help"),
    [
        ("invalid_auth", "SLACK_BOT_TOKEN"),
        ("token_revoked", "SLACK_BOT_TOKEN"),
        ("not_in_channel", "/invite"),
        ("is_archived", "another channel"),
        ("a_code_of_next_year", "a_code_of_next_year"),
    ],
)
def test_a_refusal_for_good_says_what_would_help(slack: SlackStandIn, code: str, help: str) -> None:
    slack.fail("chat.postMessage", Failure(code))
    error = refusal(bot(slack), notice("head", "running"))
    assert error.permanent
    assert code in error.what
    assert help in str(error)


def test_a_wrong_token_and_an_unknown_channel_are_permanent(slack: SlackStandIn) -> None:
    assert "invalid_auth" in refusal(bot(slack, token="xoxb-other"), notice("head", "a")).what
    assert "channel_not_found" in refusal(bot(slack, "C0NOWHERE1"), notice("head", "a")).what


def test_the_token_stands_in_no_log_error_repr_or_message(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notifier = bot(slack)
    leak = Notice(
        "s-1", "reply", "k", f"env {TOKEN}", ("x" * 1480 + f" {TOKEN} " + "y" * 3000,),
        ((TOKEN, TOKEN),), Curve(TOKEN, TOKEN, {TOKEN: ((1.0, 0.5),)}),
    )  # fmt: skip
    said = [repr(notifier)]
    for failure in (Failure("invalid_auth"), Failure(status=500), Failure(hang_up=True)):
        slack.outage = failure
        said.append(repr(refusal(notifier, leak)) + str(refusal(notifier, notice("head", "a"))))
    slack.outage = None
    notifier.send(leak, {})
    notifier.send(replace(leak, topic="head"), {})
    secret = TOKEN.removeprefix("xoxb-")
    half = secret[: len(secret) // 2]
    assert [len(message.files) for message in slack.messages] == [1, 0]
    assert half not in repr(slack.calls) + repr(slack.messages)
    assert half not in "".join(said)
    assert half not in caplog.text


def test_an_api_url_of_the_environment_is_used(slack: SlackStandIn) -> None:
    settings = {"channel": CHANNEL}
    Slack.configure(settings, {**ENVIRON, "SLACK_API_URL": slack.url}).send(notice("head", "a"), {})
    assert slack.messages


def test_a_proxy_is_not_asked_for_this_machine(
    slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    bot(slack).send(notice("head", "a"), {})
    assert slack.messages
