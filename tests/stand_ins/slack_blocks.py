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
    if kind == "actions":
        elements = block.get("elements", [])
        names = [element.get("action_id") for element in elements]
        return (
            1 <= len(elements) <= 25
            and len(set(names)) == len(names)
            and all(_is_button(element) for element in elements)
        )
    return kind in ("divider", "image")


def _is_button(element: dict[str, Any]) -> bool:
    confirm = element.get("confirm")
    return (
        element.get("type") == "button"
        and _is_plain(element.get("text"), 75)
        and 1 <= len(element.get("action_id", "")) <= 255
        and len(element.get("value", "")) <= 2000
        and element.get("style") in (None, "primary", "danger")
        and (confirm is None or _is_confirm(confirm))
    )


def _is_confirm(confirm: dict[str, Any]) -> bool:
    return (
        _is_plain(confirm.get("title"), 100)
        and _is_plain(confirm.get("text"), 300)
        and _is_plain(confirm.get("confirm"), 30)
        and _is_plain(confirm.get("deny"), 30)
        and confirm.get("style") in (None, "primary", "danger")
    )


def _is_plain(text: object, most: int) -> bool:
    return isinstance(text, dict) and text.get("type") == "plain_text" and _has_length(text, most)


def _has_length(text: dict[str, Any], most: int) -> bool:
    # Counted as JavaScript does: two units outside the basic plane.
    units = len(text["text"].encode("utf-16-le")) // 2
    return text["type"] in ("mrkdwn", "plain_text") and 1 <= units <= most
