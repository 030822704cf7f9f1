"""The words of a notice as Slack wants them: escaped, inside its limits, and always as text too.

Slack refuses a whole message for one block that is too long, so nothing here may exceed a limit.
"""

from __future__ import annotations

from typing import Any

from notifiers.base import Notice

SECTION_CHARS = 3000
"""Longest text of a section; below the 4,000 characters that an edit's text may have."""
FIELD_CHARS = 2000
FIELDS_PER_SECTION = 10
MAX_BLOCKS = 50
TITLE_CHARS = 300
"""Our own: a title is one line."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

Block = dict[str, Any]


def escape(text: str) -> str:
    """Slack's three escapes: without them `<!channel>` in a name would wake everybody."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def clip(text: str, limit: int) -> str:
    """Escape, and if the result exceeds `limit` keep the head and the tail around a remark.

    An error's cause stands in its first and its last lines. No escape is cut in two. Characters
    outside the basic plane count twice, as in JavaScript.
    """
    whole = _escaped(text[: limit + 1])
    if len(text) <= limit and _cost(whole) <= limit:
        return "".join(whole)
    remark = f"\n… {len(text)} characters, the middle is left out …\n"
    if limit <= 2 * len(remark):  # no room for a remark
        return "".join(whole[: _fitting(whole, limit - 1)]) + "…"
    room = limit - len(remark)
    tail = _escaped(text[-limit:])
    kept = _fitting(tail[::-1], room - room // 2)
    return "".join([*whole[: _fitting(whole, room // 2)], remark, *tail[len(tail) - kept :]])


def _escaped(text: str) -> list[str]:
    return [_ESCAPES.get(char, char) for char in text]


def _cost(pieces: list[str]) -> int:
    return sum(2 if piece > "\uffff" else len(piece) for piece in pieces)


def _fitting(pieces: list[str], room: int) -> int:
    """How many of the leading pieces fit."""
    for count, piece in enumerate(pieces):
        room -= _cost([piece])
        if room < 0:
            return count
    return len(pieces)


def fallback_text(notice: Notice, remark: str = "") -> str:
    """The notice as one text: what notifications and screen readers show, and what is left when
    blocks are refused."""
    first = notice.headline if notice.topic == "head" else notice.title
    lines = (first, *notice.details(), *([remark] if remark else []))
    return clip("\n".join(lines), SECTION_CHARS) or escape(notice.run)


def blocks(notice: Notice, remark: str = "") -> list[Block]:
    """A section with the title in bold and the lines, sections of ten fields, a small remark."""
    name = f"*{clip(_one_line(notice.run), TITLE_CHARS)}*"
    title = clip(_one_line(notice.title), TITLE_CHARS)
    if notice.topic != "head" or notice.headline == notice.title or not title:
        first = f"*{title}*" if title else name
    else:
        first = f"{name} · {title}"
    body = clip("\n".join(notice.lines), SECTION_CHARS - len(first) - 1 - 2 * TITLE_CHARS)
    found = [_section(f"{first}\n{body}" if body else first)]
    fields = [
        _text(f"*{clip(name, FIELD_CHARS // 4)}*\n{clip(value, FIELD_CHARS // 2)}")
        for name, value in notice.fields[: FIELDS_PER_SECTION * MAX_BLOCKS]
    ]
    for start in range(0, len(fields), FIELDS_PER_SECTION):
        found.append({"type": "section", "fields": fields[start : start + FIELDS_PER_SECTION]})
    found = found[: MAX_BLOCKS - 1]
    if remark:
        found.append({"type": "context", "elements": [_text(clip(remark, FIELD_CHARS))]})
    return found


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Block:
    # verbatim: Slack would otherwise turn #names and @names of our text into links and pings.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _one_line(text: str) -> str:
    return " ".join(text.split())
