"""What people do in a Slack, and what a bot reads of that and tells one person alone.

Threads are read by `tests.stand_ins.slack_history`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.stand_ins.slack import SlackStandIn
from tests.stand_ins.slack_history import shown
from tests.stand_ins.slack_records import Message, Method, Refused


@dataclass(frozen=True)
class Whisper:
    """An ephemeral message: only `user` sees it."""

    channel: str
    user: str
    text: str
    thread_ts: str


class ReadingStandIn:
    """Adds itself to the methods of a `SlackStandIn`."""

    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.whispers: list[Whisper] = []
        self.reactions: dict[str, dict[str, list[str]]] = {}
        """By the message's timestamp and the name of the reaction: who gave it."""
        slack.scopes |= {"reactions:read", "reactions:write"}
        slack.methods |= {
            "chat.postEphemeral": Method(self._whisper, "chat:write", per_minute=100),
            "reactions.get": Method(self._reactions, "reactions:read", per_minute=50),
            "reactions.add": Method(self._react, "reactions:write", per_minute=50),
        }

    # --- what people do ---------------------------------------------------------------------------

    def say(self, head: Message, user: str, text: str) -> Message:
        """Somebody replies in the thread of `head`."""
        with self.slack._lock:
            message = self.slack._add(head.channel, text, [], head.ts)
            message.user = user
            return message

    def react(self, message: Message, user: str, name: str) -> None:
        with self.slack._lock:
            self.reactions.setdefault(message.ts, {}).setdefault(name, []).append(user)

    # --- what the bot asks ------------------------------------------------------------------------

    def _whisper(self, form: dict[str, Any]) -> dict[str, Any]:
        channel = self.slack._channel(form.get("channel"))
        if not form.get("user"):
            raise Refused("user_not_in_channel")
        if not form.get("text"):
            raise Refused("no_text")
        thread_ts = str(form.get("thread_ts") or "")
        self.whispers.append(Whisper(channel, form["user"], form["text"], thread_ts))
        return {"message_ts": "1700000900.000001"}

    def _reactions(self, form: dict[str, Any]) -> dict[str, Any]:
        message = self._message(form, "timestamp", "message_not_found")
        # Without `full` the lists of people may be cut short.
        most = None if str(form.get("full")).lower() in ("1", "true") else 1
        given = [
            {"name": name, "users": users[:most], "count": len(users)}
            for name, users in self.reactions.get(message.ts, {}).items()
        ]
        whole = {**shown(message, form), **({"reactions": given} if given else {})}
        return {"type": "message", "channel": message.channel, "message": whole}

    def _react(self, form: dict[str, Any]) -> dict[str, Any]:
        message = self._message(form, "timestamp", "message_not_found")
        users = self.reactions.setdefault(message.ts, {}).setdefault(form["name"], [])
        if "U0BOT" in users:
            raise Refused("already_reacted")
        users.append("U0BOT")
        return {}

    def _message(self, form: dict[str, Any], key: str, missing: str) -> Message:
        channel = self.slack._channel(form.get("channel"))
        for message in self.slack.messages:
            if (message.channel, message.ts) == (channel, form.get(key)):
                return message
        raise Refused(missing)
