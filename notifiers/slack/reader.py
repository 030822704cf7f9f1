"""What people do under a message in Slack, read without Socket Mode, and words for one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notifiers.slack.blocks import SECTION_CHARS, clip, persons_in, with_persons
from notifiers.slack.errors import SlackRefusal
from notifiers.slack.plain import calm, unlinked
from notifiers.slack.web import AS_IT_STANDS, SlackWeb

PAGE = 200
"""Replies a call; Slack recommends no more."""
MOST_PAGES = 10
SEEN = "eyes"
"""The reaction that says: this was read, and is being seen to."""


@dataclass(frozen=True)
class Reaction:
    name: str
    user: str


@dataclass(frozen=True)
class Reply:
    user: str
    text: str
    ts: str


class SlackReader:
    """Reads what stands under messages, and answers. Raises `SlackRefusal`.

    Scopes: `reactions:read`, `reactions:write`, and `channels:history`, `groups:history` or
    `im:history` for a public channel, a private one or a direct message.
    """

    def __init__(self, web: SlackWeb) -> None:
        self._web = web

    def reactions(self, channel: str, ts: str) -> list[Reaction]:
        """Everybody's reactions to one message."""
        # `full`: else the lists of people are cut short.
        answer = self._web.call("reactions_get", channel=channel, timestamp=ts, full=True)
        message = answer.get("message") or {}
        return [
            Reaction(str(given.get("name")), str(user))
            for given in message.get("reactions") or ()
            for user in given.get("users") or ()
        ]

    def replies(self, channel: str, ts: str, after: str) -> list[Reply]:
        """What people, not programs, have written under one message after the stamp `after`, the
        oldest first."""
        return [
            Reply(str(one["user"]), str(one.get("text", "")), str(one["ts"]))
            for one in self._messages(channel, ts, after)
            if one.get("user")
            and not one.get("bot_id")
            and not one.get("subtype")
            and stamp(str(one["ts"])) > stamp(after)
        ]

    def mark_seen(self, channel: str, ts: str) -> None:
        try:
            self._web.call("reactions_add", channel=channel, timestamp=ts, name=SEEN)
        except SlackRefusal as refusal:
            if refusal.code != "already_reacted":
                raise

    def whisper(self, channel: str, user: str, text: str, thread_ts: str = "") -> None:
        """Tell one person in a channel something that nobody else sees, and nobody is woken by."""
        where = {"thread_ts": thread_ts} if thread_ts else {}
        self._web.call(
            "chat_postEphemeral",
            channel=channel,
            user=user,
            text=_shown(text),
            **AS_IT_STANDS,
            **where,
        )

    def answer(self, channel: str, thread_ts: str, user: str, text: str) -> None:
        """Tell one person something in a thread, where it stays for when they look."""
        self._web.call(
            "chat_postMessage",
            channel=channel,
            text=f"<@{user}> {_shown(text)}",
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **AS_IT_STANDS,
        )

    def _messages(self, channel: str, ts: str, after: str) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {"channel": channel, "ts": ts, "oldest": after, "limit": PAGE}
        for _ in range(MOST_PAGES):
            answer = self._web.call("conversations_replies", **arguments)
            yield from answer.get("messages") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            arguments["cursor"] = cursor


def _shown(text: str) -> str:
    return with_persons(calm(clip(unlinked(text), SECTION_CHARS)), persons_in(text))


def stamp(ts: str) -> tuple[int, int]:
    """A message's stamp, seconds and a number within them, as something that can be compared."""
    seconds, _, number = ts.partition(".")
    return int(seconds), int(number or 0)


def written_ms(ts: str) -> int:
    """When a message was written, Unix time in milliseconds by Slack's clock."""
    seconds, number = stamp(ts)
    return seconds * 1000 + number // 1000
