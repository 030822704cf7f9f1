"""What the stand-in Slack keeps of messages and calls, and what it may be told to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class File:
    name: str
    title: str
    alt_text: str
    content: bytes


@dataclass
class Message:
    """What a reader of the channel sees."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    broadcast: bool = False
    user: str = ""
    """Who wrote it; empty: the bot."""
    files: list[File] = field(default_factory=list)
    edits: int = 0
    history: list[str] = field(default_factory=list)
    """The texts it had, the present one last."""
    metadata: dict[str, Any] | None = None
    """What an app keeps in it for itself."""


@dataclass(frozen=True)
class Call:
    """A request as it arrived; `answer` is `ok` or the error."""

    method: str
    form: dict[str, Any]
    at_s: float
    answer: str


@dataclass(frozen=True)
class Failure:
    """An answer out of turn: an error code, an HTTP status, or a connection that just closes."""

    error: str = ""
    status: int = 200
    retry_after: str | None = None
    hang_up: bool = False
    hang_s: float = 0.0
    """The answer comes, or the connection closes, only after these seconds."""
    taken: bool = False
    """What was asked is done all the same: only its answer is this one."""


@dataclass(frozen=True)
class Method:
    """One more method of the Web API, which another stand-in adds."""

    answer: Callable[[dict[str, Any]], dict[str, Any]]
    """Called under the lock; raises `Refused`."""
    scope: str = ""
    token: str = ""
    """Empty: the bot's."""
    per_minute: int | None = None


class Refused(Exception):
    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
