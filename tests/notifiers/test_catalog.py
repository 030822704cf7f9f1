from __future__ import annotations

import subprocess
import sys

import pytest

from notifiers import catalog
from notifiers.base import NotifierSettingsError
from skint.errors import CREDENTIALS, USAGE

CHANNEL = {"channel": "C0123456789"}
TOKEN = "xoxb-123-456-abcDEF"


SETTINGS: dict[str, dict[str, str]] = {
    "slack": CHANNEL,
    "webhook": {"url": "https://example.org/hooks/skint"},
}
ENVIRON = {
    "SLACK_BOT_TOKEN": TOKEN,
    "SKINT_WEBHOOK_SECRET": "0123456789abcdef",
    "SKINT_APPRISE_URLS": "json://localhost",
}


@pytest.mark.parametrize("kind", catalog.BUILT_IN)
def test_every_name_in_the_catalogue_loads(kind: str) -> None:
    if kind == "apprise":
        pytest.importorskip("apprise", reason="the extra `apprise`")
    notifier = catalog.load(kind, SETTINGS.get(kind, {}), ENVIRON)
    assert notifier.name.startswith(kind)


def test_an_unknown_notifier_is_told_the_nearest_name() -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        catalog.check("slak", {})
    assert caught.value.exit_code == USAGE
    assert "did you mean `slack`?" in str(caught.value)


@pytest.mark.parametrize("kind", catalog.BUILT_IN)
def test_an_unknown_setting_is_refused(kind: str) -> None:
    with pytest.raises(NotifierSettingsError, match="unknown setting"):
        catalog.check(kind, {"chanel": "C0123456789"})


@pytest.mark.parametrize("channel", ["#general", "general", "U0123456789", "", None, 5, "C0123 "])
def test_a_slack_channel_must_be_an_id(channel: object) -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        catalog.check("slack", {"channel": channel})
    assert caught.value.where == "notify.slack.channel"
    assert "C0123456789" in str(caught.value)


@pytest.mark.parametrize("token", ["", "xapp-1-A-secret", "xoxp-1-secret", "xoxb-a\nb", "secret"])
def test_a_missing_or_odd_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        catalog.load("slack", CHANNEL, {"SLACK_BOT_TOKEN": token})
    assert caught.value.exit_code == CREDENTIALS
    assert "xoxb-…" in str(caught.value)
    assert not token or token not in str(caught.value)


def test_checking_a_plan_needs_no_token() -> None:
    catalog.check("slack", CHANNEL)


def test_the_token_is_not_sent_unencrypted_to_another_machine() -> None:
    environ = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_API_URL": "http://example.org/api/"}
    with pytest.raises(NotifierSettingsError, match="unencrypted"):
        catalog.load("slack", CHANNEL, environ)


def test_looking_a_notifier_up_imports_neither_slack_sdk_nor_matplotlib() -> None:
    program = (
        "import sys; from notifiers import catalog; "
        f"catalog.load('slack', {CHANNEL!r}, {{'SLACK_BOT_TOKEN': {TOKEN!r}}}); "
        "print(sorted({'slack_sdk', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
