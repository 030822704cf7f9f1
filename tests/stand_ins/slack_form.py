"""What a request to the stand-in Slack says, refused where Slack would refuse it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from tests.stand_ins.slack_blocks import accepts_blocks
from tests.stand_ins.slack_records import Refused


def blocks_of(given: object) -> list[dict[str, Any]]:
    """Parsed blocks; refused like Slack does: for one that is wrong the whole message."""
    blocks = json.loads(given) if isinstance(given, str) else given
    if blocks is None:
        return []
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not accepts_blocks(blocks):
        raise Refused("invalid_blocks")
    return blocks


def metadata_of(given: object) -> dict[str, Any] | None:
    metadata = json.loads(given) if isinstance(given, str) else given
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    return metadata


def form_of(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type.startswith("application/json"):
        return dict(json.loads(body)) if body else {}
    return dict(parse_qsl(body.decode(), keep_blank_values=True))
