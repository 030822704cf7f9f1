"""What a plan says under `notify: {slack: …}`, and what Slack needs from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from notifiers.base import NotifierSettingsError
from notifiers.catalog import refuse_unknown
from notifiers.loopback import is_loopback
from notifiers.manner import KEYS, manner_of
from skint.errors import CREDENTIALS

API_URL = "https://slack.com/api/"

_CHANNEL = re.compile(r"[CGD][A-Z0-9]{6,}")
_PERSON = re.compile(r"[UW][A-Z0-9]{6,}")
_TOKEN = re.compile(r"(xoxe\.)?xoxb-[A-Za-z0-9-]+")
_APP_TOKEN = re.compile(r"xapp-[A-Za-z0-9-]+")


@dataclass(frozen=True)
class SlackSettings:
    channel: str
    allow: tuple[str, ...] = ()
    """Who may press buttons; nobody where it is empty."""
    mention: tuple[str, ...] = ()
    """Who is woken when a decision is needed."""


def settings_of(settings: Mapping[str, object]) -> SlackSettings:
    """Raises `NotifierSettingsError` for what cannot work; needs no credentials."""
    refuse_unknown("slack", settings, ("channel", "allow", "mention", *KEYS))
    channel = settings.get("channel")
    if not isinstance(channel, str) or not _CHANNEL.fullmatch(channel):
        raise NotifierSettingsError(
            "a Slack channel is named by its ID" if channel else "Slack needs a channel",
            where="notify.slack.channel",
            got=channel,
            wanted="an ID such as C0123456789: pictures cannot be sent to a name or a person",
            next="in Slack: click the channel's name; the ID is at the bottom of About",
        )
    manner_of("slack", settings)
    return SlackSettings(channel, _persons("allow", settings), _persons("mention", settings))


def _persons(key: str, settings: Mapping[str, object]) -> tuple[str, ...]:
    given = settings.get(key, [])
    if isinstance(given, list | tuple) and all(
        isinstance(one, str) and _PERSON.fullmatch(one) for one in given
    ):
        return tuple(dict.fromkeys(given))
    raise NotifierSettingsError(
        "persons on Slack are named by their member IDs",
        where=f"notify.slack.{key}",
        got=given,
        wanted="a list such as [U0123456789]",
        next="in Slack: a person's profile, ⋮, Copy member ID",
    )


def bot_token(environ: Mapping[str, str]) -> str:
    """SLACK_BOT_TOKEN. Raises `NotifierSettingsError` (exit 4) without showing it."""
    # Anything odd in a header would be quoted by http.client, with the token, in a traceback.
    return _token(
        environ,
        "SLACK_BOT_TOKEN",
        _TOKEN,
        "a bot token",
        "the Bot User OAuth Token of your Slack app; it starts with xoxb-",
        "export SLACK_BOT_TOKEN=xoxb-… and run this again (`skint slack setup` says how to get it)",
    )


def app_token(environ: Mapping[str, str]) -> str:
    """SLACK_APP_TOKEN, for presses. Raises `NotifierSettingsError` (exit 4) without showing it."""
    return _token(
        environ,
        "SLACK_APP_TOKEN",
        _APP_TOKEN,
        "an app-level token",
        "an app-level token with the scope connections:write; it starts with xapp-",
        "your app's page: Basic Information, App-Level Tokens; export SLACK_APP_TOKEN=xapp-…",
    )


def _token(
    environ: Mapping[str, str], name: str, form: re.Pattern[str], kind: str, wanted: str, next: str
) -> str:
    token = environ.get(name, "").strip()
    if form.fullmatch(token):
        return token
    what = f"{name} is not {kind}" if token else f"{name} is not set"
    missing = NotifierSettingsError(what, where="notify.slack", wanted=wanted, next=next)
    missing.exit_code = CREDENTIALS
    raise missing


def webhook_url(environ: Mapping[str, str]) -> str | None:
    """SLACK_WEBHOOK_URL where there is no bot token: words alone can be sent."""
    url = environ.get("SLACK_WEBHOOK_URL", "").strip()
    if not url or environ.get("SLACK_BOT_TOKEN", "").strip():
        return None
    _refuse_plain("SLACK_WEBHOOK_URL", url, shown="")  # the address is the secret
    return url


def api_url(environ: Mapping[str, str]) -> str:
    """SKINT_SLACK_API_URL or SLACK_API_URL where another server stands in for Slack."""
    url = environ.get("SKINT_SLACK_API_URL") or environ.get("SLACK_API_URL") or API_URL
    _refuse_plain("SLACK_API_URL", url, shown=url)
    return url


def _refuse_plain(name: str, url: str, shown: str) -> None:
    if urlsplit(url).scheme == "https" or is_loopback(url):
        return
    raise NotifierSettingsError(
        "this address would send a secret unencrypted",
        where=name,
        got=shown or None,
        wanted="https://… (http only on this machine)",
    )
