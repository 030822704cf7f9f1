"""Calls of Slack's Web API through slack_sdk; every error it lets through becomes ours."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from notifiers.loopback import is_loopback
from notifiers.slack.errors import understand
from notifiers.slack.settings import API_URL

AS_IT_STANDS: Mapping[str, Any] = {"parse": "none", "link_names": False}
"""For every text: an edit would else make links of addresses and names, unlike a new message."""

if TYPE_CHECKING:
    from slack_sdk import WebClient


class SlackWeb:
    """One token's calls. The token stands in no error, log line or repr."""

    def __init__(self, token: str, *, api_url: str = API_URL, timeout_s: int = 15) -> None:
        self.token = token
        self._api_url = api_url
        self._timeout_s = timeout_s
        self._connected: WebClient | None = None

    def __repr__(self) -> str:
        return "SlackWeb(…)"

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """`method` is one of `WebClient`; its answer. Raises `SlackRefusal`."""
        from slack_sdk.errors import SlackClientError

        call: Callable[..., Mapping[str, Any]] = getattr(self._client(), method)
        try:
            return call(**arguments)
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            refusal = understand(error)
        # Not chained: slack_sdk's errors quote the whole answer, and requests hold the token.
        raise refusal

    def _client(self) -> WebClient:
        if self._connected is None:
            from slack_sdk import WebClient

            # No retry handlers: they sleep; the outbox waits instead.
            self._connected = WebClient(
                self.token,
                base_url=self._api_url,
                timeout=self._timeout_s,
                retry_handlers=[],
                logger=silent_logger(),
            )
            if is_loopback(self._api_url):
                self._connected.proxy = None
        return self._connected


def silent_logger() -> logging.Logger:
    """Of its own: every error arrives as an exception, and debug lines hold upload addresses."""
    return logging.Logger("notifiers.slack.sdk", logging.CRITICAL + 1)  # noqa: LOG001
