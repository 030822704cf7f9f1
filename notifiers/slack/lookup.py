"""Whether a notice is in Slack already: asked when a send was cut short and nobody saw its end.

Every message carries the digest of its notice's key in its metadata, and every picture in its
file name: a message that is made by an upload can have no metadata. Reading the channel takes the
scope `channels:history` (`groups:history` in a private channel).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from notifiers.base import Notice

EVENT_TYPE = "skint_notice"
PAGE = 200
"""Messages a call; Slack recommends no more."""
MOST_PAGES = 10
"""What is not among the newest 2,000 messages of a channel is not there."""

Call = Callable[..., Mapping[str, Any]]
"""`call(method, **arguments)`: one call of the Web API. Raises `SlackRefusal`."""


@dataclass(frozen=True)
class Sighting:
    """The message that says a notice, and the names of all its files that are shared."""

    ts: str
    files: frozenset[str]


def mark(notice: Notice) -> str:
    """What a notice is known by in Slack. A digest: keys may quote what a training wrote."""
    return hashlib.sha256(notice.key.encode()).hexdigest()[:20]


def metadata(notice: Notice) -> dict[str, Any]:
    """For `chat.postMessage`. An edit without metadata keeps those that the message has."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": mark(notice)}}


def marked(notice: Notice, file_name: str) -> str:
    """The name that a picture of this notice is uploaded under."""
    path = PurePath(file_name)
    return f"{path.stem}-{mark(notice)}{path.suffix}"


def look(call: Call, channel: str, thread_ts: str | None, notice: Notice) -> Sighting | None:
    """Search the thread, or without one the channel. Raises `SlackRefusal`."""
    ts, files = "", set[str]()
    for message in _messages(call, channel, thread_ts):
        names = {str(file.get("name")) for file in message.get("files") or ()}
        own = {name for name in names if mark(notice) in name}
        if own or _key_of(message) == mark(notice):
            # Of an alert the words come before the pictures, which have a message of their own.
            ts = ts if ts and own else str(message["ts"])
            files |= own
    return Sighting(ts, frozenset(files)) if ts else None


def _key_of(message: Mapping[str, Any]) -> object:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") or {}
    return payload.get("key") if found.get("event_type") == EVENT_TYPE else None


def _messages(call: Call, channel: str, thread_ts: str | None) -> Iterator[Mapping[str, Any]]:
    arguments: dict[str, Any] = {"channel": channel, "limit": PAGE, "include_all_metadata": True}
    if thread_ts:
        arguments["ts"] = thread_ts
    method = "conversations_replies" if thread_ts else "conversations_history"
    for _ in range(MOST_PAGES):
        answer = call(method, **arguments)
        yield from answer.get("messages") or ()
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
        arguments["cursor"] = cursor
