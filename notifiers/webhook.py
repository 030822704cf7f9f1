"""A webhook of your own: each notice is one POST of signed JSON. `docs/notifiers.md` has the
format and how to check a signature."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from notifiers.base import Arrival, Notice, NotifierSettingsError, NotifyError
from notifiers.catalog import refuse_unknown
from notifiers.loopback import is_loopback
from notifiers.manner import KEYS, manner_of
from notifiers.retry_after import retry_after_s
from skint.errors import CREDENTIALS

VERSION = 1
"""Of the JSON. It counts up when a field goes or changes its meaning; new ones may come."""
SIGNATURE = "X-Skint-Signature"
SHORTEST_SECRET = 16
"""Characters: a shorter one could be guessed from one signature."""
POST_GAP_S = 0.2
RUN_HEAD_GAP_S = 1.0
"""Between two states of one run: what happens meanwhile is in the later one."""

_PASSING = frozenset({408, 423, 425, 429})
_HELP = {
    401: "check that both ends have the same SKINT_WEBHOOK_SECRET",
    403: "check that both ends have the same SKINT_WEBHOOK_SECRET",
    404: "check `notify.webhook.url`",
    410: "check `notify.webhook.url`",
}
_ANSWER_BYTES = 1024
"""Of an answer's body, to end it politely; nothing is read from it."""


class Webhook:
    """Posts to one address. The secret stands in no message, error, log line or repr, the path of
    the address in no error or repr."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        timeout_s: float = 15.0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._now_s = now_s
        self._host = urlsplit(url).netloc
        self._opener = urllib.request.build_opener(_NoRedirects())
        if is_loopback(url):
            self._opener = urllib.request.build_opener(
                _NoRedirects(), urllib.request.ProxyHandler({})
            )

    @property
    def name(self) -> str:
        return self.place({"url": self._url})

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        refuse_unknown("webhook", settings, ("url", *KEYS))
        manner_of("webhook", settings)
        url = settings.get("url")
        if not isinstance(url, str) or not _is_address(url):
            raise NotifierSettingsError(
                "a webhook needs an address",
                where="notify.webhook.url",
                got=None if url is None else "something else",  # it may hold a secret
                wanted="https://host/path, without user:password@",
            )
        if urlsplit(url).scheme != "https" and not is_loopback(url):
            raise NotifierSettingsError(
                "this address would send what it is told unencrypted",
                where="notify.webhook.url",
                got=f"http://{urlsplit(url).netloc}/…",
                wanted="https://… (http only on this machine)",
            )

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        url = str(settings["url"])
        return f"webhook:{urlsplit(url).netloc}/{hashlib.sha256(url.encode()).hexdigest()[:8]}"

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Webhook:
        """SKINT_WEBHOOK_SECRET signs."""
        cls.check(settings)
        secret = environ.get("SKINT_WEBHOOK_SECRET", "").strip()
        if len(secret) < SHORTEST_SECRET:
            missing = NotifierSettingsError(
                "SKINT_WEBHOOK_SECRET is too short"
                if secret
                else "SKINT_WEBHOOK_SECRET is not set",
                where="notify.webhook",
                wanted=f"at least {SHORTEST_SECRET} characters that the receiver knows as well",
                next="export SKINT_WEBHOOK_SECRET=$(openssl rand -hex 32)",
            )
            missing.exit_code = CREDENTIALS
            raise missing
        return cls(str(settings["url"]), secret)

    def __repr__(self) -> str:
        return f"Webhook({self._host!r})"

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        lanes = {f"webhook {self._host}": POST_GAP_S}
        if notice.topic == "head":
            lanes[f"webhook head {notice.run}"] = RUN_HEAD_GAP_S
        return lanes

    def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
        """Nothing need be looked for: the receiver knows what it has by the key."""
        return None

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """One signed POST. Raises `NotifyError`."""
        stored = notice.to_json()
        if self._secret in stored:
            notice = Notice.from_json(stored.replace(self._secret, "…"))
        body = payload(notice)
        request = urllib.request.Request(
            self._url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "User-Agent": "skint",
                SIGNATURE: sign(self._secret, body, int(self._now_s())),
            },
        )
        failure: NotifyError | None = None
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            failure = self._refused(error.code, dict(error.headers.items()))
            error.close()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            said = getattr(reason, "strerror", None) or type(reason).__name__
            failure = NotifyError(
                f"cannot reach the webhook at {self._host} ({said})", uncertain=True
            )
        if failure is not None:
            raise failure  # not chained: the errors below quote the whole address
        return {"told": "yes"}

    def _refused(self, status: int, headers: Mapping[str, str]) -> NotifyError:
        what = f"the webhook at {self._host} answered HTTP {status}"
        if status >= 500 or status in _PASSING:
            named = any(name.lower() == "retry-after" for name in headers)
            wait_s = retry_after_s(headers) if status == 429 or named else None
            return NotifyError(what, retry_after_s=wait_s, uncertain=status >= 500)
        if 300 <= status < 400:
            what += ", a redirect, and none is followed"
            return NotifyError(what, permanent=True, next="put the final address into the plan")
        return NotifyError(what, permanent=True, next=_HELP.get(status))


def sign(secret: str, body: bytes, at_s: int) -> str:
    """The signature header's value: HMAC-SHA256 of the Unix time, a full stop and the body."""
    signed = f"{at_s}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def payload(notice: Notice) -> bytes:
    """The notice as strict JSON: NaN and infinities are null."""
    curve = notice.curve and {
        "title": notice.curve.title,
        "metric": notice.curve.metric,
        "series": {
            name: [[_finite(x), _finite(y)] for x, y in points]
            for name, points in notice.curve.series.items()
        },
    }
    data: dict[str, Any] = {
        "version": VERSION,
        "key": notice.key,
        "run": notice.run,
        "topic": notice.topic,
        "about": notice.about,
        "title": notice.title,
        "lines": list(notice.lines),
        "quoted": list(notice.quoted),
        "fields": [{"name": name, "value": value} for name, value in notice.fields],
        "typed": list(notice.typed),
        "curve": curve,
        "at_ms": notice.at_ms,
        "final": notice.final,
    }
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could carry signed words to somebody else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _is_address(url: str) -> bool:
    # Anything odd would be quoted by http.client in an error.
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
