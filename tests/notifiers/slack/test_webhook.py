"""An incoming webhook: words only, through the real slack_sdk to the stand-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from notifiers.base import Button, Curve, Notice, Notifier, NotifierSettingsError, NotifyError
from notifiers.slack.notifier import Slack
from tests.stand_ins.slack import CHANNEL, Failure, SlackStandIn

HEAD = Notice("s-1", "head", "h1", "running", ("0.14 h charged",))
ASK = Notice("s-1", "alert", "a", "decision needed", buttons=(Button("Stop", "{}"),), typed=("or",))
CURVE = Curve("s-1", "val_acc", {"fold 0": ((1.0, 0.4),)})


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        yield stand_in


def hook(url: str) -> Notifier:
    return Slack.configure({"channel": CHANNEL}, {"SLACK_WEBHOOK_URL": url})


def test_it_says_the_start_what_is_alerted_and_the_end_and_names_the_run(
    slack: SlackStandIn,
) -> None:
    notifier = hook(slack.webhook_url)
    address: Mapping[str, str] = {}
    for notice in (
        HEAD,
        replace(HEAD, key="h2", title="epoch 2"),
        Notice("s-1", "reply", "r", "fold 0 done", curve=CURVE),
        ASK,
        replace(HEAD, key="h3", title="done", final=True),
        Notice("s-1", "alert", "e", "done: val_acc 0.9", curve=CURVE, about="end"),
    ):
        address = notifier.send(notice, address)
    assert [message.text for message in slack.messages] == [
        "s-1 · running\n0.14 h charged",
        "s-1 · decision needed\nor",
        "s-1 · done: val_acc 0.9",
    ]
    assert slack.messages[1].blocks[0]["text"]["text"] == "*s-1* · decision needed"
    assert not any(message.files for message in slack.messages)
    assert "actions" not in str([message.blocks for message in slack.messages])


def test_what_it_leaves_out_waits_for_no_lane(slack: SlackStandIn) -> None:
    notifier = hook(slack.webhook_url)
    assert notifier.pace(HEAD, {}) != {}
    assert notifier.pace(HEAD, {"begun": "yes"}) == {}


def test_refused_blocks_do_not_cost_the_words(slack: SlackStandIn) -> None:
    slack.fail("webhook", Failure("invalid_blocks", status=400))
    hook(slack.webhook_url).send(HEAD, {})
    assert [(m.text, m.blocks) for m in slack.messages] == [("s-1 · running\n0.14 h charged", [])]


@pytest.mark.parametrize(
    ("failure", "permanent", "retry_after_s"),
    [
        (Failure("rate_limited", status=429, retry_after="12"), False, 12),
        (Failure(status=503), False, None),
        (Failure(hang_up=True), False, None),
        (Failure("channel_is_archived", status=410), True, None),
        (Failure("invalid_token", status=403), True, None),
    ],
)
def test_trouble_says_whether_to_come_back(
    slack: SlackStandIn, failure: Failure, permanent: bool, retry_after_s: float | None
) -> None:
    slack.fail("webhook", failure)
    with pytest.raises(NotifyError) as caught:
        hook(slack.webhook_url).send(HEAD, {})
    assert (caught.value.permanent, caught.value.retry_after_s) == (permanent, retry_after_s)
    assert "TheWebhooksSecret" not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None


def test_a_webhook_that_is_gone_says_what_to_do(slack: SlackStandIn) -> None:
    with pytest.raises(NotifyError, match="no longer takes messages") as caught:
        hook(slack.webhook_url + "x").send(HEAD, {})
    assert caught.value.permanent
    assert "Incoming Webhooks" in str(caught.value.next)


def test_its_address_stands_in_no_message_and_no_repr(slack: SlackStandIn) -> None:
    notifier = hook(slack.webhook_url)
    notifier.send(replace(ASK, lines=(f"env {slack.webhook_url}",)), {})
    assert "TheWebhooksSecret" not in repr(slack.messages) + repr(notifier)


def test_a_bot_token_counts_before_a_webhook(slack: SlackStandIn) -> None:
    environ = {"SLACK_WEBHOOK_URL": slack.webhook_url, "SLACK_BOT_TOKEN": "xoxb-1-2-abc"}
    assert isinstance(Slack.configure({"channel": CHANNEL}, environ), Slack)


def test_the_address_is_not_sent_unencrypted_to_another_machine() -> None:
    with pytest.raises(NotifierSettingsError, match="unencrypted") as caught:
        hook("http://example.org/services/secret")
    assert "services/secret" not in str(caught.value)
