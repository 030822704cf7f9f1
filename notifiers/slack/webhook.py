"""Slack by an incoming webhook: words only. No edits, no threads, no pictures, no buttons.

A webhook answers with no timestamp, so nothing can be found again. So that the channel is not
flooded it gets the first head of a run, what is alerted (decisions, failures, the end) and nothing
else. The address is a secret: whoever has it can post.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING

from notifiers.base import Notice
from notifiers.loopback import is_loopback
from notifiers.slack.blocks import Block, blocks, fallback_text
from notifiers.slack.errors import (
    BLOCKS_REFUSED,
    SlackRefusal,
    understand,
    understand_webhook,
)
from notifiers.slack.web import silent_logger

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

POST_GAP_S = 1.05


class SlackWebhook:
    """Posts to the one channel of its webhook. The address stands in no message, error or repr."""

    def __init__(self, name: str, url: str, *, timeout_s: int = 15) -> None:
        self._name = name
        self._url = url
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"SlackWebhook({self._name!r})"

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        return {"slack webhook": POST_GAP_S} if _is_worth(notice, address) else {}

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """Raises `NotifyError`."""
        if not _is_worth(notice, address):
            return address
        stored = notice.to_json()
        if self._url in stored:
            notice = Notice.from_json(stored.replace(self._url, "…"))
        # Without a thread around it, every message names its run.
        text = fallback_text(notice, named=True)
        try:
            self._post(text, blocks(notice, named=True))
        except SlackRefusal as refusal:
            if refusal.code not in BLOCKS_REFUSED:
                raise
            self._post(text, None)  # blocks that Slack does not take must not cost the words
        return {"begun": "yes"}

    def _post(self, text: str, made: list[Block] | None) -> None:
        try:
            answer = self._client().send(
                text=text, blocks=made, unfurl_links=False, unfurl_media=False
            )
        except (OSError, http.client.HTTPException) as error:
            raise understand(error) from None
        if answer.status_code != 200:
            raise understand_webhook(answer.status_code, answer.body, answer.headers)

    def _client(self) -> WebhookClient:
        from slack_sdk.webhook import WebhookClient

        client = WebhookClient(
            self._url, timeout=self._timeout_s, retry_handlers=[], logger=silent_logger()
        )
        if is_loopback(self._url):
            client.proxy = None
        return client


def _is_worth(notice: Notice, address: Mapping[str, str]) -> bool:
    if notice.topic == "head":
        return not address.get("begun")
    return notice.topic == "alert"
