"""`skint slack test` through the real slack_sdk: what it finds, and what it says to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from notifiers.base import Button, NotifierSettingsError
from notifiers.slack.manifest import ADVISED, FOR_POLLING, MANIFEST, NEEDED
from notifiers.slack.trial import Check, tried
from skint.errors import CREDENTIALS, FAILED
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn
from tests.stand_ins.slack_records import Method

BUTTON = Button("Press me", '{"v":1}', "primary")
APP_TOKEN = "xapp-1-A0-TheAppSecret"


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        stand_in.methods["apps.connections.open"] = Method(
            lambda form: {"url": "wss://127.0.0.1/link"}, token=APP_TOKEN
        )
        stand_in.scopes = {*NEEDED, *ADVISED, *FOR_POLLING}
        yield stand_in


def trial(slack: SlackStandIn, channel: str = CHANNEL, **environ: str) -> list[Check]:
    known = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_API_URL": slack.url, "SLACK_APP_TOKEN": APP_TOKEN}
    return [*tried(channel, BUTTON, {**known, **environ})]


def wrong(checks: list[Check]) -> list[str]:
    return [check.what for check in checks if not check.ok]


def test_all_that_a_run_would_ask_of_slack_is_tried(slack: SlackStandIn) -> None:
    checks = trial(slack)
    assert [check.what for check in checks] == [
        "bot token", "scopes", "message", "edit", "picture", "buttons",
    ]  # fmt: skip
    assert wrong(checks) == []
    assert checks[0].said == "skint of stand-in"
    head, reply = slack.messages
    assert "Press me" in str(head.blocks)
    assert head.text.endswith("charged: nothing")
    assert "this line came with an edit" in head.text
    assert (reply.thread_ts, len(reply.files)) == (head.ts, 1)


def test_a_missing_scope_says_what_for_and_where_to_add_it(slack: SlackStandIn) -> None:
    slack.scopes = {"chat:write"}
    checks = trial(slack)
    assert wrong(checks) == ["scopes", "picture"]
    (scope,) = [check for check in checks if check.what == "scopes" and not check.ok]
    assert scope.said == "files:write is missing: learning curves and grids of pictures"
    assert "OAuth & Permissions" in scope.then
    assert any("may come twice" in check.said for check in checks if check.ok)
    assert max(check.exit_code for check in checks) == FAILED


def test_without_an_app_token_reactions_need_their_scopes_and_there_is_no_button(
    slack: SlackStandIn,
) -> None:
    slack.scopes -= {"reactions:read"}
    checks = trial(slack, SLACK_APP_TOKEN="")
    assert wrong(checks) == []
    assert any("reactions:read" in check.said for check in checks)
    assert checks[-1].said == "none: SLACK_APP_TOKEN is not set"
    assert "Press me" not in str(slack.messages[0].blocks)


def test_a_token_that_slack_does_not_know_ends_it(slack: SlackStandIn) -> None:
    (check,) = trial(slack, SLACK_BOT_TOKEN="xoxb-other")
    assert (check.ok, check.exit_code) == (False, CREDENTIALS)
    assert "SLACK_BOT_TOKEN" in check.then


def test_a_channel_without_the_bot_says_to_invite_it(slack: SlackStandIn) -> None:
    slack.channels[CHANNEL] = False
    checks = trial(slack)
    assert wrong(checks) == ["message"]
    (message,) = [check for check in checks if check.what == "message"]
    assert "/invite" in message.then
    assert [check.what for check in checks] == ["bot token", "scopes", "message", "buttons"]


def test_an_app_token_of_another_kind_or_that_slack_refuses_is_said(slack: SlackStandIn) -> None:
    odd = trial(slack, SLACK_APP_TOKEN=TOKEN)[-1]
    assert (odd.ok, odd.said) == (False, "SLACK_APP_TOKEN is not an app-level token")
    refused = trial(slack, SLACK_APP_TOKEN="xapp-other")[-1]
    assert (refused.ok, refused.exit_code) == (False, CREDENTIALS)
    assert "connections:write" in refused.then
    assert "SLACK_BOT_TOKEN" not in refused.said


def test_without_credentials_it_says_so_and_tries_nothing(slack: SlackStandIn) -> None:
    with pytest.raises(NotifierSettingsError, match="SLACK_BOT_TOKEN is not set") as caught:
        trial(slack, SLACK_BOT_TOKEN="")
    assert caught.value.exit_code == CREDENTIALS
    assert slack.calls == []


def test_a_webhook_alone_is_tried_with_one_message(slack: SlackStandIn) -> None:
    environ = {"SLACK_WEBHOOK_URL": slack.webhook_url}
    (check,) = tried(CHANNEL, BUTTON, environ)
    assert check.ok
    assert len(slack.messages) == 1
    slack.fail("webhook", Failure("invalid_token", status=403))
    (check,) = tried(CHANNEL, BUTTON, environ)
    assert (check.ok, check.exit_code) == (False, FAILED)


def test_no_token_stands_in_what_it_says(slack: SlackStandIn) -> None:
    said = repr(trial(slack)) + repr(trial(slack, SLACK_APP_TOKEN="xapp-other-secret"))
    assert "Secret" not in said
    assert "xapp-other" not in said


def test_the_manifest_asks_for_every_scope_and_for_presses() -> None:
    manifest = yaml.safe_load(MANIFEST)
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert {*NEEDED, *ADVISED, *FOR_POLLING} <= set(scopes)
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]
