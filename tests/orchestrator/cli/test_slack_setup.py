"""`skint slack setup` and `skint slack test` as a person types them."""

from __future__ import annotations

import yaml

from skint.errors import CREDENTIALS, FAILED, OK, USAGE
from tests.stand_ins.slack import CHANNEL, TOKEN, SlackStandIn
from tests.terminal import Terminal


def test_setup_prints_a_manifest_to_paste_and_the_next_steps_beside_it(terminal: Terminal) -> None:
    said = terminal.skint("slack", "setup")
    assert said.code == OK
    assert yaml.safe_load(said.out)["display_information"]["name"] == "skint"
    assert "xapp-…" in said.err
    assert "skint slack test" in said.err


def test_test_says_what_works_and_what_is_wrong(terminal: Terminal) -> None:
    with SlackStandIn() as slack:
        slack.rate_limits = False
        environ = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
        at_slack = Terminal(terminal.folder, environ)
        said = at_slack.skint("slack", "test", CHANNEL)
        assert said.code == OK, said.out + said.err
        assert "ok     message    sent without a button" in said.out
        assert len(slack.messages) == 2
        slack.scopes = {"chat:write"}
        said = at_slack.skint("slack", "test", CHANNEL)
        assert said.code == FAILED
        assert "WRONG  scopes     files:write is missing" in said.out
        assert "next: your app's page" in said.out
    assert TOKEN not in said.out + said.err


def test_test_without_credentials_or_with_a_channels_name_says_what_is_wanted(
    terminal: Terminal,
) -> None:
    said = terminal.skint("slack", "test", CHANNEL)
    assert said.code == CREDENTIALS
    assert "SLACK_BOT_TOKEN is not set" in said.err
    assert "skint slack setup" in said.err
    said = terminal.skint("slack", "test", "#general")
    assert said.code == USAGE
    assert "named by its ID" in said.err
