"""Blocks of a message within the limits that docs.slack.dev documents."""

from __future__ import annotations

from typing import Any


def accepts_blocks(blocks: list[dict[str, Any]]) -> bool:
    """Whether Slack would take a message with these blocks."""
    return len(blocks) <= 50 and all(_is_valid(block) for block in blocks)


def _is_valid(block: dict[str, Any]) -> bool:
    kind = block.get("type")
    if kind == "header":
        return block["text"]["type"] == "plain_text" and _has_length(block["text"], 150)
    if kind == "section":
        fields = block.get("fields", [])
        return (
            ("text" in block or bool(fields))
            and ("text" not in block or _has_length(block["text"], 3000))
            and len(fields) <= 10
            and all(_has_length(part, 2000) for part in fields)
        )
    if kind == "context":
        elements = block.get("elements", [])
        return 1 <= len(elements) <= 10 and all(_has_length(part, 2000) for part in elements)
    return kind in ("divider", "actions", "image")


def _has_length(text: dict[str, Any], most: int) -> bool:
    # Counted as JavaScript does: two units outside the basic plane.
    units = len(text["text"].encode("utf-16-le")) // 2
    return text["type"] in ("mrkdwn", "plain_text") and 1 <= units <= most
