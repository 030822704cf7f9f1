"""What Slack's errors mean for us: come back later, or tell the person what to do."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.error import HTTPError

from notifiers.base import NotifyError
from notifiers.retry_after import retry_after_s

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError, SlackClientError

_TOKEN_HELP = (
    "copy the Bot User OAuth Token (xoxb-…) from your app's page, OAuth & Permissions, into "
    "SLACK_BOT_TOKEN and restart the scheduler"
)
_BAD_TOKEN = ("Slack does not accept the token in SLACK_BOT_TOKEN", _TOKEN_HELP)

HELP: Mapping[str, tuple[str, str]] = {
    "invalid_auth": _BAD_TOKEN,
    "not_authed": _BAD_TOKEN,
    "not_allowed_token_type": _BAD_TOKEN,
    "token_revoked": ("the token in SLACK_BOT_TOKEN was revoked", _TOKEN_HELP),
    "token_expired": ("the token in SLACK_BOT_TOKEN has expired", _TOKEN_HELP),
    "account_inactive": ("the Slack app was uninstalled or its workspace is gone", _TOKEN_HELP),
    "missing_scope": (
        "the Slack app may not do this",
        "add the scope on your app's page, OAuth & Permissions, and install the app again",
    ),
    "channel_not_found": (
        "Slack knows no such channel, or the app may not see it",
        "check the ID (channel name > About, at the bottom); in a private channel type "
        "/invite and the app's name",
    ),
    "not_in_channel": (
        "the Slack app is not in the channel",
        "type /invite and the app's name in the channel",
    ),
    "is_archived": ("the Slack channel is archived", "name another channel in the plan"),
    "restricted_action": (
        "the workspace does not let the app post there",
        "ask an administrator, or name another channel in the plan",
    ),
}
"""Error code -> (sentence, next). Other codes are permanent as well unless listed below."""

_BAD_WEBHOOK = (
    "Slack no longer takes messages at SLACK_WEBHOOK_URL",
    "make a new webhook on your app's page, Incoming Webhooks, and restart the scheduler",
)
WEBHOOK_HELP: Mapping[str, tuple[str, str]] = {
    "no_service": _BAD_WEBHOOK,
    "no_service_id": _BAD_WEBHOOK,
    "no_active_hooks": _BAD_WEBHOOK,
    "invalid_token": _BAD_WEBHOOK,
    "no_team": _BAD_WEBHOOK,
    "team_disabled": _BAD_WEBHOOK,
    "channel_not_found": _BAD_WEBHOOK,
    "channel_is_archived": ("the channel of the webhook is archived", _BAD_WEBHOOK[1]),
}
"""The same for what incoming webhooks answer."""

_PASSING = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error"})
"""Of these Slack says that some of what was asked may have been done all the same."""
_NEVER_CONNECTED = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "too_many_blocks"}
)
HEAD_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
THREAD_GONE = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"})

_CODE = re.compile(r"[a-z0-9_]+")


class SlackRefusal(NotifyError):
    """A `NotifyError` that remembers Slack's code, for those codes that have another way."""

    code: str = ""


def understand(error: SlackClientError | OSError | http.client.HTTPException) -> SlackRefusal:
    """Any error that slack_sdk lets through, as one of ours. The token stands in none of them:
    only codes, states and the classes of network errors are quoted."""
    from slack_sdk.errors import SlackApiError

    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, HTTPError):  # the raw upload step of a picture does not wrap it
        return _of_status(error.code, dict(error.headers.items()))
    reason = getattr(error, "reason", None) or error
    kind = type(reason).__name__
    number = getattr(reason, "strerror", None)
    return SlackRefusal(f"cannot reach Slack ({number or kind})", uncertain=not _never_left(reason))


def _never_left(error: object) -> bool:
    """Whether a request was surely not sent: there was no connection to send it on."""
    if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(error, OSError) and error.errno in _NEVER_CONNECTED


def _of_answer(error: SlackApiError) -> SlackRefusal:
    response = error.response
    status = int(response.status_code)
    if status != 200:
        return _of_status(status, response.headers)
    data = response.data if isinstance(response.data, dict) else {}
    code = str(data.get("error", ""))
    if not _CODE.fullmatch(code):  # a page of a proxy or a captive portal, not Slack
        return SlackRefusal("something that is not Slack answered", uncertain=True)
    if code in _PASSING:
        refusal = SlackRefusal(f"Slack is in trouble ({code})", uncertain=code in _PERHAPS_DONE)
    else:
        sentence, then = HELP.get(code, ("Slack refused the message", None))
        needed = f", needs {data['needed']}" if "needed" in data else ""
        refusal = SlackRefusal(f"{sentence} ({code}{needed})", permanent=True, next=then)
    refusal.code = code
    return refusal


def understand_webhook(status: int, body: str, headers: Mapping[str, str]) -> SlackRefusal:
    """An answer of an incoming webhook, which is one word of text, as one of ours."""
    code = body.strip()
    if status == 429 or status >= 500 or not _CODE.fullmatch(code):
        return _of_status(status, headers)
    sentence, then = WEBHOOK_HELP.get(code, ("Slack refused the message", None))
    refusal = SlackRefusal(f"{sentence} ({code})", permanent=True, next=then)
    refusal.code = code
    return refusal


def _of_status(status: int, headers: Mapping[str, str]) -> SlackRefusal:
    if status == 429:
        wait_s = retry_after_s(headers)
        return SlackRefusal(f"Slack asks to wait {wait_s:g} s", retry_after_s=wait_s)
    return SlackRefusal(f"Slack is in trouble (HTTP {status})", uncertain=True)
