"""What the stand-in Slack shows to whoever may read a channel: its messages and its threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.stand_ins.slack_records import Message, Refused

if TYPE_CHECKING:
    from tests.stand_ins.slack import SlackStandIn


def history(slack: SlackStandIn, form: dict[str, Any]) -> dict[str, Any]:
    """The messages of the channel, the newest first; replies only if they were broadcast."""
    channel = slack._channel(form.get("channel"))
    found = [
        message
        for message in slack.messages
        if message.channel == channel and (message.thread_ts is None or message.broadcast)
    ]
    return _page(found[::-1], form)


def replies(slack: SlackStandIn, form: dict[str, Any]) -> dict[str, Any]:
    """A message and the replies under it, the oldest first; the message is on every page."""
    channel = slack._channel(form.get("channel"))
    heads = [m for m in slack.messages if (m.channel, m.ts) == (channel, form.get("ts"))]
    if not heads:
        raise Refused("thread_not_found")
    oldest = str(form.get("oldest") or "0")
    page = _page([m for m in slack.thread(heads[0]) if m.ts > oldest], form)
    page["messages"].insert(0, shown(heads[0], form))
    return page


def _page(found: list[Message], form: dict[str, Any]) -> dict[str, Any]:
    start, limit = int(form.get("cursor") or 0), int(form.get("limit") or 100)
    more = len(found) > start + limit
    return {
        "messages": [shown(message, form) for message in found[start : start + limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }


def shown(message: Message, form: dict[str, Any]) -> dict[str, Any]:
    """One message as it is listed; its metadata only where they were asked for."""
    by = {"user": message.user} if message.user else {"user": "U0BOT", "bot_id": "B0BOT"}
    one: dict[str, Any] = {"type": "message", "text": message.text, "ts": message.ts, **by}
    if message.thread_ts:
        one["thread_ts"] = message.thread_ts
    if message.files:
        one["files"] = [{"name": file.name, "title": file.title} for file in message.files]
    asked = str(form.get("include_all_metadata", "")).lower() in ("1", "true")
    if message.metadata is not None and asked:
        one["metadata"] = message.metadata
    return one
