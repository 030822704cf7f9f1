"""Slack: one head message a run, edited in place, and a thread of replies under it.

Needs an app of your own with the scopes `chat:write` and `files:write` (pictures), its bot token
in the environment variable SLACK_BOT_TOKEN, and a channel by its ID.
"""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from notifiers.base import Curve, Notice, NotifierSettingsError, NotifyError
from notifiers.catalog import refuse_unknown
from notifiers.slack_blocks import blocks, fallback_text
from notifiers.slack_errors import (
    BLOCKS_REFUSED,
    HEAD_GONE,
    THREAD_GONE,
    SlackRefusal,
    understand,
)
from skint.errors import CREDENTIALS

if TYPE_CHECKING:
    from slack_sdk import WebClient

API_URL = "https://slack.com/api/"

POST_GAP_S = 1.05
"""New messages in a channel: Slack allows about one a second (docs.slack.dev, rate limits)."""
EDIT_GAP_S = 1.3
"""Edits of all runs together: Slack allows 50 a minute of each method, app and workspace."""
RUN_EDIT_GAP_S = 3.0
"""Edits of one run's head: nobody reads faster."""

_CHANNEL = re.compile(r"[CGD][A-Z0-9]{6,}")
_TOKEN = re.compile(r"(xoxe\.)?xoxb-[A-Za-z0-9-]+")
_ALT_TEXT_CHARS = 900


class Slack:
    """Posts as a bot in one channel. The token stands in no message, error, log line or repr."""

    def __init__(
        self, channel: str, token: str, *, api_url: str = API_URL, timeout_s: int = 15
    ) -> None:
        self._channel = channel
        self._token = token
        self._api_url = api_url
        self._timeout_s = timeout_s
        self._connected: WebClient | None = None

    @property
    def name(self) -> str:
        return f"slack:{self._channel}"

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        refuse_unknown("slack", settings, ("channel",))
        channel = settings.get("channel")
        if isinstance(channel, str) and _CHANNEL.fullmatch(channel):
            return
        raise NotifierSettingsError(
            "a Slack channel is named by its ID" if channel else "Slack needs a channel",
            where="notify.slack.channel",
            got=channel,
            wanted="an ID such as C0123456789: pictures cannot be sent to a name or a person",
            next="in Slack: click the channel's name; the ID is at the bottom of About",
        )

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        return f"slack:{settings['channel']}"

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Slack:
        """SLACK_BOT_TOKEN is the token; SKINT_SLACK_API_URL or SLACK_API_URL another API's URL."""
        cls.check(settings)
        token = environ.get("SLACK_BOT_TOKEN", "").strip()
        # Anything odd in a header would be quoted by http.client, with the token, in a traceback.
        if not _TOKEN.fullmatch(token):
            missing = NotifierSettingsError(
                "SLACK_BOT_TOKEN is not a bot token" if token else "SLACK_BOT_TOKEN is not set",
                where="notify.slack",
                wanted="the Bot User OAuth Token of your Slack app; it starts with xoxb-",
                next="export SLACK_BOT_TOKEN=xoxb-… and run this again",
            )
            missing.exit_code = CREDENTIALS
            raise missing
        api_url = environ.get("SKINT_SLACK_API_URL") or environ.get("SLACK_API_URL") or API_URL
        if urlsplit(api_url).scheme != "https" and not _is_loopback(api_url):
            raise NotifierSettingsError(
                "the Slack API URL would send the token unencrypted",
                where="SKINT_SLACK_API_URL",
                got=api_url,
                wanted="https://… (http only on this machine)",
            )
        return cls(str(settings["channel"]), token, api_url=api_url)

    def __repr__(self) -> str:
        return f"Slack({self._channel!r})"

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        if notice.topic == "head" and address.get("ts"):
            return {"slack edit": EDIT_GAP_S, f"slack edit {notice.run}": RUN_EDIT_GAP_S}
        return {f"slack post {address.get('channel') or self._channel}": POST_GAP_S}

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """Head: post or edit. Reply: in the thread, with its picture in the same message.
        Alert: broadcast, then the picture. Raises `NotifyError`."""
        stored = notice.to_json()
        if self._token in stored:  # a traceback or a dump of the environment quoted it
            notice = Notice.from_json(stored.replace(self._token, "xox…"))
        if notice.topic == "head":
            return self._head(notice, address)
        if notice.topic == "alert":
            return self._alert(notice, address)
        return self._reply(notice, address)

    def _head(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        if address.get("ts"):
            try:
                self._show("chat_update", notice, address, ts=address["ts"])
                return _settled(address)
            except SlackRefusal as refusal:
                if refusal.code not in HEAD_GONE:
                    raise
                # Somebody deleted it: a new head is posted in a turn of its own, paced as a post.
                raise NotifyError(refusal.what, retry_after_s=0.0, reached={}) from refusal
        answer = self._show("chat_postMessage", notice, address)
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}

    def _reply(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        remark = ""
        if notice.curve is not None:
            try:
                # One call shows picture and words: trying again cannot double the words.
                self._upload(notice, notice.curve, address, comment=fallback_text(notice))
                return _settled(address)
            except _NoPicture as missing:
                remark = str(missing)
        self._thread(notice, address, remark=remark)
        return _settled(address)

    def _alert(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        if address.get("posted") != notice.key:
            self._thread(notice, address, broadcast=True)
            address = {**_settled(address), "posted": notice.key}
        if notice.curve is not None:
            try:
                self._upload(notice, notice.curve, address, comment=None)
            except _NoPicture as missing:
                logging.getLogger(__name__).warning("%s: %s", notice.run, missing)
            except NotifyError as error:
                error.reached = address  # the words are out: the next try sends the picture only
                raise
        return _settled(address)

    def _thread(
        self,
        notice: Notice,
        address: Mapping[str, str],
        *,
        remark: str = "",
        broadcast: bool = False,
    ) -> None:
        where: dict[str, Any] = {}
        if address.get("ts"):
            where = {"thread_ts": address["ts"], "reply_broadcast": broadcast}
        try:
            self._show("chat_postMessage", notice, address, remark=remark, **where)
        except SlackRefusal as refusal:
            if refusal.code not in THREAD_GONE:
                raise
            # The head was deleted: better in the channel than lost.
            raise NotifyError(refusal.what, retry_after_s=POST_GAP_S, reached={}) from refusal

    def _show(
        self,
        method: str,
        notice: Notice,
        address: Mapping[str, str],
        *,
        remark: str = "",
        **where: Any,
    ) -> Mapping[str, Any]:
        """Send text and blocks. Both, always: an edit with text alone removes the blocks.

        Blocks that Slack does not take must not cost the message: it comes back as text only.
        """
        arguments: dict[str, Any] = {
            "channel": address.get("channel") or self._channel,
            "text": fallback_text(notice, remark),
            **where,
        }
        if method == "chat_postMessage":
            arguments |= {"unfurl_links": False, "unfurl_media": False}
        if address.get("plain") != notice.key:
            arguments["blocks"] = blocks(notice, remark)
        try:
            return self._call(method, **arguments)
        except SlackRefusal as refusal:
            if refusal.code not in BLOCKS_REFUSED or "blocks" not in arguments:
                raise
            del arguments["blocks"]
            try:
                return self._call(method, **arguments)
            except SlackRefusal as second:
                second.reached = {**address, "plain": notice.key}
                raise

    def _upload(
        self, notice: Notice, curve: Curve, address: Mapping[str, str], *, comment: str | None
    ) -> None:
        """Draw and share the picture. Raises `_NoPicture` if there will be none, `NotifyError` if
        there may be later."""
        try:
            from notifiers.plot import alt_text, learning_curve_png
        except ImportError:  # matplotlib
            raise _NoPicture("no picture: matplotlib is not installed") from None
        picture = learning_curve_png(curve)
        try:
            self._call(
                "files_upload_v2",
                channel=address.get("channel") or self._channel,
                thread_ts=address.get("ts"),
                filename="learning-curve.png",
                title=curve.title,
                alt_txt=alt_text(curve)[:_ALT_TEXT_CHARS],
                content=picture,
                initial_comment=comment,
            )
        except SlackRefusal as refusal:
            if refusal.permanent:
                raise _NoPicture(f"no picture: {refusal.what}") from refusal
            raise

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One call of slack_sdk; every error it lets through becomes a `SlackRefusal`."""
        from slack_sdk.errors import SlackClientError

        call: Callable[..., Mapping[str, Any]] = getattr(self._client(), method)
        try:
            return call(**arguments)
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            refusal = understand(error)
        # Not chained: slack_sdk's errors quote the whole answer, and requests hold the token.
        raise refusal

    def _client(self) -> WebClient:
        if self._connected is None:
            from slack_sdk import WebClient

            # No retry handlers: they sleep; the outbox waits instead. A logger of its own that is
            # silent: every error arrives as an exception, and debug lines hold upload URLs.
            self._connected = WebClient(
                self._token,
                base_url=self._api_url,
                timeout=self._timeout_s,
                retry_handlers=[],
                logger=logging.Logger("notifiers.slack.sdk", logging.CRITICAL + 1),  # noqa: LOG001
            )
            if _is_loopback(self._api_url):
                self._connected.proxy = None
        return self._connected


class _NoPicture(Exception):
    """There is no picture and there will be none; the words go without it."""


def _settled(address: Mapping[str, str]) -> dict[str, str]:
    """The address without the marks of an unfinished send."""
    return {key: value for key, value in address.items() if key in ("channel", "ts")}


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
