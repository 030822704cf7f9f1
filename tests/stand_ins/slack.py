"""A Slack on loopback that enforces the documented rules, for the real slack_sdk to talk to.

Web API (chat.postMessage, chat.update, upload of several files, auth.test) and an incoming webhook
as documented at docs.slack.dev: block limits, an update without blocks loses the blocks,
threads and channels that must exist, lengths of uploads, rate limits with Retry-After. Its seconds
come from `now`, so a test may run it on a clock that jumps.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.stand_ins.server import Server
from tests.stand_ins.slack_form import blocks_of, form_of, metadata_of
from tests.stand_ins.slack_history import history, replies
from tests.stand_ins.slack_records import Call as Call
from tests.stand_ins.slack_records import Failure as Failure
from tests.stand_ins.slack_records import File as File
from tests.stand_ins.slack_records import Message as Message
from tests.stand_ins.slack_records import Method, Refused

TOKEN = "xoxb-1111-2222-TheStandInsSecret"
CHANNEL = "C0STANDIN01"
WEBHOOK_PATH = "/services/T0STANDIN/B0STANDIN/TheWebhooksSecret"

_SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
_PER_MINUTE = {  # tiers 3 and 4
    "chat.update": 50,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
}
_TEXT_CHARS, _UPDATE_TEXT_CHARS = 40_000, 4_000


class _Limited(Exception):
    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"{retry_after_s} s")
        self.retry_after = str(max(1, math.ceil(retry_after_s)))


class SlackStandIn(Server):
    """`with SlackStandIn() as slack:` serves at `slack.url` until the block ends."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.messages: list[Message] = []
        self.calls: list[Call] = []
        self.channels = {CHANNEL: True}
        """Channel ID -> whether the bot is a member."""
        self.scopes = {"chat:write", "files:write", "channels:history"}
        """Of the bot; the header `x-oauth-scopes` of every answer lists them."""
        self.failures: dict[str, deque[Failure]] = {}
        """By method (`upload` for the raw step): answers to give first."""
        self.outage: Failure | None = None
        """While set, the answer to everything."""
        self.rate_limits = True
        self.methods = {
            "conversations.history": Method(lambda f: history(self, f), "channels:history", "", 50),
            "conversations.replies": Method(lambda f: replies(self, f), "channels:history", "", 50),
        }
        """By name, beside those that are always there."""
        self.wall_s: Callable[[], int] = lambda: 1_700_000_000
        """Unix time in the stamps of messages."""
        self.watch: Callable[[str, str], None] = lambda method, moment: None
        """Told of each call twice: when it `arrived`, and when it is `done` and not answered."""
        self._uploads: dict[str, dict[str, Any]] = {}
        self._closed_until: dict[str, float] = {}
        self._last_post: dict[str, float] = {}
        self._minute: dict[str, deque[float]] = {}
        self._count = 0
        super().__init__(_handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"

    def fail(self, method: str, *failures: Failure) -> None:
        self.failures.setdefault(method, deque()).extend(failures)

    def heads(self) -> list[Message]:
        return [message for message in self.messages if message.thread_ts is None]

    def thread(self, head: Message) -> list[Message]:
        return [message for message in self.messages if message.thread_ts == head.ts]

    def answers(self, method: str) -> list[str]:
        return [call.answer for call in self.calls if call.method == method]

    # What follows runs in the server's threads, under the lock.

    def handle(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body of the answer; None closes the connection without one."""
        upload, hook = path.startswith("/upload/"), path.startswith("/services/")
        method = "upload" if upload else "webhook" if hook else path.removeprefix("/api/")
        form = {} if upload else form_of(headers.get("content-type", ""), body)
        self.watch(method, "arrived")
        with self._lock:
            queued = self.failures.get(method)
            failure = self.outage or (queued.popleft() if queued else None)
            answer: tuple[int, dict[str, str], bytes] | None = None
            if failure is None or failure.taken:
                answer = self._carry_out(method, form, path, headers, body)
            if failure is not None:
                self.calls.append(Call(method, form, self._now(), "failure"))
                answer = _answer_failure(failure, hook)
        self.watch(method, "done")
        if failure is not None and failure.hang_s:
            time.sleep(failure.hang_s)
        return answer

    def _carry_out(
        self, method: str, form: dict[str, Any], path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if method == "webhook":
            return self._webhook(path, form)
        try:
            self._limit(method, form)
            if method == "upload":
                answer = self._raw_upload(path.removeprefix("/upload/"), body)
            else:
                self._authorise(method, headers.get("authorization", ""))
                answer = self._dispatch(method, form)
        except _Limited as limit:
            self.calls.append(Call(method, form, self._now(), "ratelimited"))
            failure = {"ok": False, "error": "ratelimited"}
            return 429, {"Retry-After": limit.retry_after}, json.dumps(failure).encode()
        except Refused as refused:
            self.calls.append(Call(method, form, self._now(), refused.error))
            content = {"ok": False, "error": refused.error, **refused.more}
            return (500 if method == "upload" else 200), {}, json.dumps(content).encode()
        self.calls.append(Call(method, form, self._now(), "ok"))
        scopes = {"x-oauth-scopes": ",".join(sorted(self.scopes))}
        return 200, scopes, json.dumps({"ok": True, **answer}).encode()

    def _webhook(self, path: str, form: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """An incoming webhook: words into its one channel; it answers with a word of text."""
        try:
            if path != WEBHOOK_PATH:
                raise Refused("no_service")
            self._limit("webhook", form)
            text, blocks = str(form.get("text") or ""), blocks_of(form.get("blocks"))
            if not text and not blocks:
                raise Refused("no_text")
            if len(text) > _TEXT_CHARS:
                raise Refused("msg_too_long")
            self._add(self._channel(CHANNEL), text, blocks, None)
        except _Limited as limit:
            self.calls.append(Call("webhook", form, self._now(), "ratelimited"))
            return 429, {"Retry-After": limit.retry_after}, b"rate_limited"
        except Refused as refused:
            self.calls.append(Call("webhook", form, self._now(), refused.error))
            return (404 if refused.error == "no_service" else 400), {}, refused.error.encode()
        self.calls.append(Call("webhook", form, self._now(), "ok"))
        return 200, {}, b"ok"

    def _limit(self, method: str, form: dict[str, Any]) -> None:
        """About one message a second a channel; per-minute tiers; silence after a Retry-After."""
        if not self.rate_limits:
            return
        now = self._now()
        name = f"{method} {form.get('channel')}" if method == "chat.postMessage" else method
        wait = self._closed_until.get(name, -math.inf) - now
        if wait <= 0 and method in ("chat.postMessage", "webhook"):
            wait = self._last_post.get(name, -math.inf) + 1.0 - now
            if wait <= 0:
                self._last_post[name] = now
        elif wait <= 0 and (most := self._per_minute(method)) is not None:
            recent = self._minute.setdefault(method, deque())
            while recent and recent[0] <= now - 60:
                recent.popleft()
            if len(recent) >= most:
                wait = recent[0] + 60 - now
            else:
                recent.append(now)
        if wait > 0:
            limited = _Limited(wait)
            self._closed_until[name] = now + wait
            raise limited

    def _per_minute(self, method: str) -> int | None:
        more = self.methods.get(method)
        return more.per_minute if more else _PER_MINUTE.get(method)

    def _authorise(self, method: str, header: str) -> None:
        more = self.methods.get(method)
        if not header:
            raise Refused("not_authed")
        if header != f"Bearer {(more and more.token) or TOKEN}":
            raise Refused("invalid_auth")
        needed = more.scope if more else _SCOPES.get(method)
        if needed and needed not in self.scopes:
            raise Refused("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    def _dispatch(self, method: str, form: dict[str, Any]) -> dict[str, Any]:
        if method == "auth.test":
            return {"team": "stand-in", "user": "skint", "user_id": "U0BOT", "bot_id": "B0BOT"}
        if method == "chat.postMessage":
            return self._post(form)
        if method == "chat.update":
            return self._update(form)
        if method == "files.getUploadURLExternal":
            return self._upload_url(form)
        if method == "files.completeUploadExternal":
            return self._complete_upload(form)
        if method in self.methods:
            return self.methods[method].answer(form)
        raise Refused("unknown_method")

    def _post(self, form: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(form.get("channel"))
        text, blocks = str(form.get("text") or ""), blocks_of(form.get("blocks"))
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > _TEXT_CHARS:
            raise Refused("msg_too_long")
        thread_ts = self._parent(channel, form.get("thread_ts"))
        broadcast = str(form.get("reply_broadcast", "0")).lower() in ("1", "true")
        message = self._add(channel, text, blocks, thread_ts)
        message.broadcast = broadcast and thread_ts is not None
        message.metadata = metadata_of(form.get("metadata"))
        return {"channel": channel, "ts": message.ts, "message": {"text": text}}

    def _update(self, form: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(form.get("channel"))
        for message in self.messages:
            if (message.channel, message.ts) == (channel, form.get("ts")):
                break
        else:
            raise Refused("message_not_found")
        text, blocks = str(form.get("text") or ""), blocks_of(form.get("blocks"))
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > _UPDATE_TEXT_CHARS:
            raise Refused("msg_too_long")
        message.text = text
        message.blocks = blocks  # text without blocks removes them
        message.edits += 1
        message.history.append(text)
        return {"channel": channel, "ts": message.ts, "text": text}

    def _upload_url(self, form: dict[str, Any]) -> dict[str, Any]:
        length = int(form.get("length") or 0)
        if not form.get("filename") or length <= 0:
            raise Refused("invalid_arguments")
        self._count += 1
        file_id = f"F{self._count:010}"
        self._uploads[file_id] = {
            "name": form["filename"],
            "length": length,
            "alt_text": form.get("alt_txt", ""),
        }
        base = self.url.removesuffix("api/")
        return {"file_id": file_id, "upload_url": f"{base}upload/{file_id}"}

    def _raw_upload(self, file_id: str, body: bytes) -> dict[str, Any]:
        upload = self._uploads.get(file_id)
        if upload is None or len(body) != upload["length"]:
            raise Refused("upload_length_mismatch")
        upload["content"] = body
        return {}

    def _complete_upload(self, form: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(form.get("channel_id"))
        thread_ts = self._parent(channel, form.get("thread_ts"))
        files = []
        for part in json.loads(form["files"]):
            upload = self._uploads.get(part["id"])
            if upload is None or "content" not in upload:
                raise Refused("file_not_found")
            title = part.get("title") or upload["name"]
            files.append(File(upload["name"], title, upload["alt_text"], upload["content"]))
            del self._uploads[part["id"]]
        message = self._add(channel, str(form.get("initial_comment") or ""), [], thread_ts)
        message.files = files
        return {"files": [{"id": part["id"]} for part in json.loads(form["files"])]}

    def _add(
        self, channel: str, text: str, blocks: list[dict[str, Any]], thread_ts: str | None
    ) -> Message:
        self._count += 1
        message = Message(channel, f"{self.wall_s()}.{self._count:06}", text, blocks, thread_ts)
        message.history.append(text)
        self.messages.append(message)
        return message

    def _channel(self, channel: object) -> str:
        if not isinstance(channel, str) or channel not in self.channels:
            raise Refused("channel_not_found")  # names and user ids as well
        if not self.channels[channel]:
            raise Refused("not_in_channel")
        return channel

    def _parent(self, channel: str, thread_ts: object) -> str | None:
        if not thread_ts:
            return None
        if any((m.channel, m.ts) == (channel, thread_ts) for m in self.messages):
            return str(thread_ts)
        raise Refused("thread_not_found")


def _answer_failure(failure: Failure, hook: bool) -> tuple[int, dict[str, str], bytes] | None:
    if failure.hang_up:
        return None
    headers = {} if failure.retry_after is None else {"Retry-After": failure.retry_after}
    if failure.error and hook:
        return failure.status, headers, failure.error.encode()
    if failure.error:
        return failure.status, headers, json.dumps({"ok": False, "error": failure.error}).encode()
    return failure.status, headers, b"<html>Something went wrong</html>"


def _handler(slack: SlackStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            self._answer(path, query.encode(), {"content-type": ""})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(self.path, body, {})

        def _answer(self, path: str, body: bytes, more_headers: dict[str, str]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = slack.handle(path, headers | more_headers, body)
            self.close_connection = True
            if answer is None:
                return
            status, more, content = answer
            with suppress(ConnectionError):  # whoever asked has gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
