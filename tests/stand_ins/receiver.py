"""Whoever listens on loopback for POSTs: keeps what comes, and answers as it is told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.stand_ins.server import Server


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    hang_s: float = 0.0


class Receiver(Server):
    """`with Receiver() as receiver:` listens at `receiver.url` until the block ends."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        """Those that were answered with 200."""
        self.answers: deque[Answer] = deque()
        """Given first, one each."""
        self.judge: Callable[[Post], int] = lambda post: 200
        """The status of the others."""
        super().__init__(_handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/ThePathIsASecret"


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            post = Post(self.path, headers, body)
            queued = receiver.answers
            answer = queued.popleft() if queued else Answer(receiver.judge(post))
            if answer.status == 200 and not answer.hang_up:
                receiver.posts.append(post)
            time.sleep(answer.hang_s)
            self.close_connection = True
            if answer.hang_up:
                return
            with suppress(ConnectionError):  # whoever asked has gone
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
