"""Where the contract of notifiers is tried: what a reader sees of each, and how to disturb it."""

from __future__ import annotations

import html
import io
import json
from abc import ABC, abstractmethod
from typing import Literal

from notifiers.base import Notifier
from notifiers.console import Console
from notifiers.memory import Memory
from notifiers.slack.notifier import Slack
from notifiers.webhook import Webhook
from tests.stand_ins.receiver import Answer, Receiver
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn

Trouble = Literal["error", "hang-up", "limited", "refused", "closed"]
"""`error`: an error of the service. `limited`: too many requests. `refused`: for good."""
SECRET = "a-secret-that-nobody-may-see"
PERSON = "U0123456789"
"""Whom a notice mentions."""


class Desk(ABC):
    troubles: tuple[Trouble, ...] = ("error", "hang-up", "limited", "refused", "closed")
    """What can happen to it."""
    says_when = True
    """Whether a service that limits the rate can say for how long."""
    keeps_all = True
    """Whether every reply is shown; else alerts and the first head."""
    pictures = False
    secrets: tuple[str, ...] = ()
    """Parts of what nobody may see."""

    @abstractmethod
    def notifier(self) -> Notifier:
        """A new one, as after a restart."""

    @abstractmethod
    def seen(self) -> list[str]:
        """What a reader has been shown, as they read it, in order; edits as well."""

    @abstractmethod
    def trouble(self, kind: Trouble, retry_after: str = "7") -> None:
        """What the next send meets."""

    def picture_count(self) -> int:
        return 0

    def secret(self) -> str:
        """The whole of it, as a dump of the environment would show it; empty: it has none."""
        return ""

    def close(self) -> None:  # noqa: B027
        """End what was started."""


class ConsoleDesk(Desk):
    troubles = ("refused",)

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def notifier(self) -> Notifier:
        return Console(self.stream)

    def seen(self) -> list[str]:
        shown = self.stream.getvalue().splitlines()
        for line in shown:
            assert line.isprintable(), f"a terminal would obey this: {line!r}"
        return shown

    def trouble(self, kind: Trouble, retry_after: str = "7") -> None:
        self.stream.close()


class MemoryDesk(Desk):
    troubles = ()

    def __init__(self) -> None:
        self.memory = Memory()

    def notifier(self) -> Notifier:
        return self.memory

    def seen(self) -> list[str]:
        return ["\n".join([notice.title, *notice.details()]) for notice in self.memory.sent]

    def trouble(self, kind: Trouble, retry_after: str = "7") -> None:
        raise NotImplementedError


class SlackDesk(Desk):
    pictures = True
    secrets: tuple[str, ...] = (TOKEN.removeprefix("xoxb-"),)
    methods = ("chat.postMessage",)

    def __init__(self) -> None:
        self.slack = SlackStandIn()
        self.slack.rate_limits = False
        self.slack.__enter__()
        self.open = True

    def notifier(self) -> Notifier:
        environ = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_API_URL": self.slack.url}
        return Slack.configure({"channel": CHANNEL}, environ)

    def seen(self) -> list[str]:
        shown = [text for message in self.slack.messages for text in message.history if text]
        for text in shown:
            left = text.replace(f"<@{PERSON}>", "")
            assert "<" not in left, f"Slack would read this as its own: {text}"
        return [html.unescape(text) for text in shown]

    def secret(self) -> str:
        return TOKEN

    def trouble(self, kind: Trouble, retry_after: str = "7") -> None:
        if kind == "closed":
            self.close()
            return
        failure = {
            "error": Failure(status=500),
            "hang-up": Failure(hang_up=True),
            "limited": Failure("ratelimited", 429, retry_after),
            "refused": self.refusal(),
        }[kind]
        for method in self.methods:
            self.slack.fail(method, failure)

    def refusal(self) -> Failure:
        return Failure("invalid_auth")

    def picture_count(self) -> int:
        return sum(len(message.files) for message in self.slack.messages)

    def close(self) -> None:
        if self.open:
            self.slack.__exit__(None, None, None)
        self.open = False


class SlackWebhookDesk(SlackDesk):
    keeps_all = False
    pictures = False
    secrets: tuple[str, ...] = ("TheWebhooksSecret",)
    methods = ("webhook",)

    def notifier(self) -> Notifier:
        return Slack.configure({"channel": CHANNEL}, {"SLACK_WEBHOOK_URL": self.slack.webhook_url})

    def refusal(self) -> Failure:
        return Failure("no_service", 404)

    def secret(self) -> str:
        return self.slack.webhook_url


class ReceiverDesk(Desk):
    secrets: tuple[str, ...] = ("ThePathIsASecret",)

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.receiver.__enter__()
        self.open = True

    def trouble(self, kind: Trouble, retry_after: str = "7") -> None:
        if kind == "closed":
            self.close()
            return
        answer = {
            "error": Answer(500),
            "hang-up": Answer(hang_up=True),
            "limited": Answer(429, {"Retry-After": retry_after}),
            "refused": Answer(401),
        }[kind]
        self.receiver.answers.append(answer)

    def close(self) -> None:
        if self.open:
            self.receiver.__exit__(None, None, None)
        self.open = False


class WebhookDesk(ReceiverDesk):
    secrets: tuple[str, ...] = (SECRET, "ThePathIsASecret")

    def notifier(self) -> Notifier:
        settings = {"url": self.receiver.url}
        return Webhook.configure(settings, {"SKINT_WEBHOOK_SECRET": SECRET})

    def seen(self) -> list[str]:
        told = [json.loads(post.body) for post in self.receiver.posts]
        return [
            "\n".join([one["title"], *one["lines"], *(f["value"] for f in one["fields"])])
            for one in told
        ]

    def secret(self) -> str:
        return SECRET


class AppriseDesk(ReceiverDesk):
    says_when = False
    pictures = True

    def notifier(self) -> Notifier:
        from notifiers.apprise import Apprise

        return Apprise.configure({}, {"SKINT_APPRISE_URLS": self.secret()})

    def secret(self) -> str:
        return self.receiver.url.replace("http://", "json://")

    def seen(self) -> list[str]:
        told = [json.loads(post.body) for post in self.receiver.posts]
        return ["\n".join(part for part in (t["title"], t["message"]) if part) for t in told]

    def picture_count(self) -> int:
        return sum(len(json.loads(post.body)["attachments"]) for post in self.receiver.posts)


DESKS: dict[str, type[Desk]] = {
    "console": ConsoleDesk,
    "memory": MemoryDesk,
    "slack": SlackDesk,
    "slack webhook": SlackWebhookDesk,
    "webhook": WebhookDesk,
    "apprise": AppriseDesk,
}
