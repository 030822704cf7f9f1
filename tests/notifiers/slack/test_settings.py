from __future__ import annotations

import pytest

from notifiers import catalog
from notifiers.base import NotifierSettingsError
from notifiers.manner import Manner, manner_of
from notifiers.quiet_hours import QuietHours
from notifiers.slack.notifier import Slack
from notifiers.slack.settings import SlackSettings, settings_of

CHANNEL = {"channel": "C0123456789"}


def test_all_settings_of_a_plan() -> None:
    given = {
        **CHANNEL,
        "allow": ["U0123456789", "U0123456789", "W0123456789"],
        "mention": ["U0123456789"],
        "quiet": "22:00-07:00",
        "timezone": "Europe/Berlin",
        "level": "decisions",
    }
    assert settings_of(given) == SlackSettings(
        "C0123456789", ("U0123456789", "W0123456789"), ("U0123456789",)
    )
    night = QuietHours.parse("22:00-07:00", "Europe/Berlin")
    assert manner_of("slack", given) == Manner("decisions", night, "Europe/Berlin")


def test_without_settings_nobody_may_press_and_all_is_said() -> None:
    assert settings_of(CHANNEL) == SlackSettings("C0123456789")
    assert manner_of("slack", CHANNEL) == Manner()


@pytest.mark.parametrize(
    ("setting", "where", "wanted"),
    [
        ({"allow": "U0123456789"}, "allow", "[U0123456789]"),
        ({"allow": ["@ana"]}, "allow", "[U0123456789]"),
        ({"mention": ["C0123456789"]}, "mention", "[U0123456789]"),
        ({"level": "loud"}, "level", "decisions"),
        ({"quiet": "22:00-07:00"}, "quiet", "timezone"),
        ({"quiet": "10pm-7am", "timezone": "UTC"}, "quiet", "22:00-07:00"),
        ({"quiet": 5, "timezone": "UTC"}, "quiet", "22:00-07:00"),
        ({"timezone": "Mars/Base"}, "timezone", "Europe/Berlin"),
        ({"timezone": 2}, "timezone", "Europe/Berlin"),
    ],
)
def test_a_wrong_setting_names_its_place_and_what_is_wanted(
    setting: dict[str, object], where: str, wanted: str
) -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        catalog.check("slack", {**CHANNEL, **setting})
    assert caught.value.where == f"notify.slack.{where}"
    assert wanted in str(caught.value)


def test_an_odd_app_token_is_refused_without_showing_it() -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-1-2-abc", "SLACK_APP_TOKEN": "xoxb-secret"}
    with pytest.raises(NotifierSettingsError, match="SLACK_APP_TOKEN is not") as caught:
        Slack.configure(CHANNEL, environ)
    assert "secret" not in str(caught.value)
