"""Who may see the dashboard in a browser: who came first with the token, and nobody else.

The server is on loopback, but so is everybody else on this machine, and every page that a browser
has open can reach it. Pure.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from skint.errors import SkintError

LOCAL = ("127.0.0.1", "localhost", "[::1]")


class WebError(SkintError):
    """The dashboard cannot be shown in a browser."""


@dataclass
class Guard:
    """The token works once; whoever used it is known by a cookie from then on."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    used: bool = False

    def takes(self, token: str) -> bool:
        """Whether this is the token, and nobody has used it yet; it is used then."""
        right = _same(token, self.token)
        if not right or self.used:
            return False
        self.used = True
        return True

    def knows(self, cookie: str) -> bool:
        return _same(cookie, self.cookie)


def is_local(host: str) -> bool:
    """Whether a `Host` header names this machine: a foreign name that was made to point here does
    not. Any port: it may be forwarded."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal():
        name = host
    return name.lower() in LOCAL


def is_own(origin: str | None, host: str) -> bool:
    """Whether a page of this server asks. Browsers name the origin of each websocket."""
    return origin is None or origin.lower() == f"http://{host}".lower()


def _same(given: str, wanted: str) -> bool:
    # Bytes that are no text come as surrogates from the web server.
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())
