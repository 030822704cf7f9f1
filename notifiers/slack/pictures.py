"""The pictures of a notice as slack_sdk uploads them: drawn or read when they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from notifiers.base import Notice
from notifiers.slack.lookup import marked

ALT_TEXT_CHARS = 900
MOST_PICTURES = 10
"""In one message; beyond that nobody looks."""


def uploads(notice: Notice) -> tuple[list[dict[str, Any]], str]:
    """Entries of `file_uploads` of `files_upload_v2`, and a remark on what is missing; the curve
    comes first."""
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    for one in _wanted(notice):
        if isinstance(one, str):
            missing.append(one)
        else:
            found.append(one)
    return found[:MOST_PICTURES], "; ".join(missing)


def _wanted(notice: Notice) -> Iterator[dict[str, Any] | str]:
    if notice.curve is not None:
        try:
            from notifiers.plot import alt_text, learning_curve_png
        except ImportError:  # matplotlib
            yield "no curve: matplotlib is not installed"
        else:
            yield _entry(
                marked(notice, "learning-curve.png"),
                notice.curve.title,
                alt_text(notice.curve),
                learning_curve_png(notice.curve),
            )
    for picture in notice.pictures:
        path = Path(picture.path)
        try:
            content = path.read_bytes()
        except OSError as error:
            yield f"no picture {path.name}: {error.strerror or 'it cannot be read'}"
            continue
        if content:  # Slack refuses an empty file, and with it the others
            yield _entry(marked(notice, path.name), picture.title, picture.alt_text, content)


def _entry(filename: str, title: str, alt_text: str, content: bytes) -> dict[str, Any]:
    return {
        "filename": filename,
        "title": title,
        "alt_txt": alt_text[:ALT_TEXT_CHARS],
        "content": content,
    }
