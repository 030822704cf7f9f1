"""Slack: one head message a run, edited in place, and a thread of replies under it.

Needs an app of your own with the scopes `chat:write` and `files:write` (pictures), its bot token
in the environment variable SLACK_BOT_TOKEN, and a channel by its ID. Buttons are shown where
presses are heard: where SLACK_APP_TOKEN is set and the plan allows somebody to press. With
SLACK_WEBHOOK_URL alone there are words only (`notifiers.slack.webhook`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from notifiers.base import Arrival, Notice, Notifier, NotifyError
from notifiers.slack.blocks import blocks, fallback_text
from notifiers.slack.errors import BLOCKS_REFUSED, HEAD_GONE, THREAD_GONE, SlackRefusal
from notifiers.slack.lookup import look, metadata
from notifiers.slack.pictures import uploads
from notifiers.slack.settings import (
    API_URL,
    api_url,
    app_token,
    bot_token,
    settings_of,
    webhook_url,
)
from notifiers.slack.web import AS_IT_STANDS, SlackWeb
from notifiers.slack.webhook import SlackWebhook

POST_GAP_S = 1.05
"""New messages in a channel: Slack allows about one a second (docs.slack.dev, rate limits)."""
EDIT_GAP_S = 1.3
"""Edits of all runs together: Slack allows 50 a minute of each method, app and workspace."""
RUN_EDIT_GAP_S = 3.0
"""Edits of one run's head: nobody reads faster."""

_PRESSABLE = "message "
"""In an address: before the key of a message with buttons, which is edited when it is answered."""


class Slack:
    """Posts as a bot in one channel. The token stands in no message, error, log line or repr."""

    shows_pictures = True

    def __init__(
        self,
        channel: str,
        token: str,
        *,
        api_url: str = API_URL,
        timeout_s: int = 15,
        hears: bool = False,
    ) -> None:
        """`hears`: presses are listened to, so buttons are shown. Else reactions and replies are
        looked for, and what they do is said where a button would be."""
        self._channel = channel
        self._web = SlackWeb(token, api_url=api_url, timeout_s=timeout_s)
        self._hears = hears

    @property
    def name(self) -> str:
        return f"slack:{self._channel}"

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        settings_of(settings)

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        return f"slack:{settings['channel']}"

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Notifier:
        """SLACK_BOT_TOKEN, or else SLACK_WEBHOOK_URL; SLACK_APP_TOKEN where presses are heard."""
        channel = settings_of(settings).channel
        url = webhook_url(environ)
        if url is not None:
            return SlackWebhook(cls.place(settings), url)
        token = bot_token(environ)
        hears = bool(environ.get("SLACK_APP_TOKEN") and app_token(environ))
        return cls(channel, token, api_url=api_url(environ), hears=hears)

    def __repr__(self) -> str:
        return f"Slack({self._channel!r})"

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        if notice.topic == "head" and address.get("ts"):
            return {"slack edit": EDIT_GAP_S, f"slack edit {notice.run}": RUN_EDIT_GAP_S}
        if notice.edits:
            return {"slack edit": EDIT_GAP_S} if address.get(_PRESSABLE + notice.edits) else {}
        return {f"slack post {address.get('channel') or self._channel}": POST_GAP_S}

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """Head: post or edit. Reply: in the thread, with its pictures in the same message. Alert:
        broadcast, then the pictures. What `edits` an earlier message edits that one, if it had
        buttons and is there still. Raises `NotifyError`."""
        notice = self._without_token(notice)
        if notice.buttons and not self._hears:
            notice = replace(notice, typed=(*notice.typed, _instead(notice)))
        if notice.topic == "head":
            return self._head(notice, address)
        if notice.edits:
            return self._edit(notice, address)
        if notice.topic == "alert" or notice.buttons:
            return self._alert(notice, address)
        return self._reply(notice, address)

    def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
        """Looks in the run's thread, for a head in the channel. An edit may just be sent again.
        Raises `NotifyError`."""
        notice = self._without_token(notice)
        if notice.edits or (notice.topic == "head" and address.get("ts")):
            return None
        channel = address.get("channel") or self._channel
        try:
            seen = look(self._web.call, channel, address.get("ts"), notice)
        except SlackRefusal as refusal:
            if refusal.code not in THREAD_GONE:
                raise
            return None
        if seen is None:
            return None
        if notice.topic == "head":
            return Arrival({"channel": channel, "ts": seen.ts})
        reached = _settled(address)
        if not (notice.topic == "alert" or notice.buttons):
            return Arrival(reached)
        if notice.buttons and self._hears:
            reached[_PRESSABLE + notice.key] = seen.ts
        files, _ = uploads(notice)
        if all(file["filename"] in seen.files for file in files):
            return Arrival(reached)
        return Arrival({**reached, "posted": notice.key}, whole=False)

    def _without_token(self, notice: Notice) -> Notice:
        stored = notice.to_json()
        if self._web.token not in stored:
            return notice
        # A traceback or a dump of the environment quoted it.
        return Notice.from_json(stored.replace(self._web.token, "xox…"))

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

    def _edit(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        message = _PRESSABLE + notice.edits
        ts = address.get(message)
        if ts:
            try:
                self._show("chat_update", notice, address, ts=ts)
            except SlackRefusal as refusal:
                if refusal.code not in HEAD_GONE:  # gone: there are no buttons to take away
                    raise
        return _settled({key: value for key, value in address.items() if key != message})

    def _reply(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        files, remark = uploads(notice)
        if files:
            # One call shows pictures and words: trying again cannot double the words.
            said = fallback_text(notice, remark)
            missing = self._upload(files, address, comment=said)
            if not missing:
                return _settled(address)
            remark = "; ".join(part for part in (missing, remark) if part)
        self._thread(notice, address, remark=remark)
        return _settled(address)

    def _alert(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        files, remark = uploads(notice)
        if address.get("posted") != notice.key:
            ts = self._thread(notice, address, remark=remark, broadcast=notice.topic == "alert")
            address = {**_settled(address), "posted": notice.key}
            if notice.buttons and self._hears:
                address = {**address, _PRESSABLE + notice.key: ts}
        if files:
            try:
                self._upload(files, address, comment=None)
            except NotifyError as error:
                error.reached = address  # the words are out: the next try sends the pictures only
                raise
        return _settled(address)

    def _thread(
        self,
        notice: Notice,
        address: Mapping[str, str],
        *,
        remark: str = "",
        broadcast: bool = False,
    ) -> str:
        """The `ts` of the new message."""
        where: dict[str, Any] = {}
        if address.get("ts"):
            where = {"thread_ts": address["ts"], "reply_broadcast": broadcast}
        try:
            answer = self._show("chat_postMessage", notice, address, remark=remark, **where)
            return str(answer["ts"])
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
        # The channel sees an alert without its thread. Hours that run low are no run's own.
        named = (notice.topic == "alert" or bool(notice.edits)) and notice.about != "quota"
        arguments: dict[str, Any] = {
            "channel": address.get("channel") or self._channel,
            "text": fallback_text(notice, remark, pressable=self._hears, named=named),
            **AS_IT_STANDS,
            **where,
        }
        if method == "chat_postMessage":
            arguments |= {"unfurl_links": False, "unfurl_media": False}
            arguments["metadata"] = metadata(notice)
        if address.get("plain") != notice.key:
            arguments["blocks"] = blocks(notice, remark, pressable=self._hears, named=named)
        try:
            return self._web.call(method, **arguments)
        except SlackRefusal as refusal:
            if refusal.code not in BLOCKS_REFUSED or "blocks" not in arguments:
                raise
            del arguments["blocks"]
            # Without blocks there are no buttons: what to type is said instead.
            arguments["text"] = fallback_text(notice, remark, named=named)
            try:
                return self._web.call(method, **arguments)
            except SlackRefusal as second:
                second.reached = {**address, "plain": notice.key}
                raise

    def _upload(
        self, files: list[dict[str, Any]], address: Mapping[str, str], *, comment: str | None
    ) -> str:
        """Share the pictures in one message; why there will be none, empty where there are.
        Raises `NotifyError` if there may be later."""
        try:
            self._web.call(
                "files_upload_v2",
                channel=address.get("channel") or self._channel,
                thread_ts=address.get("ts"),
                file_uploads=files,
                initial_comment=comment,
            )
        except SlackRefusal as refusal:
            if refusal.code in THREAD_GONE:
                raise NotifyError(refusal.what, retry_after_s=POST_GAP_S, reached={}) from refusal
            if refusal.permanent:
                return f"no picture: {refusal.what}"
            raise
        return ""


def _instead(notice: Notice) -> str:
    """What does as much as the buttons of a notice, where presses are polled."""
    if notice.topic != "head":
        return "or reply in this thread: `stop` or `let run`" if notice.about == "decision" else ""
    if notice.final:
        return "or react to this message with :arrow_forward: to resume"
    return "or react with :octagonal_sign: to abort the fold that runs, with :x: to abort the run"


def _settled(address: Mapping[str, str]) -> dict[str, str]:
    """The address without the marks of an unfinished send."""
    return {
        key: value
        for key, value in address.items()
        if key in ("channel", "ts") or key.startswith(_PRESSABLE)
    }
