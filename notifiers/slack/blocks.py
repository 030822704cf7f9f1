"""The words of a notice as Slack wants them: escaped, inside its limits, and always as text too.

Slack refuses a whole message for one block that is too long, so nothing here may exceed a limit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from notifiers.base import Button, Notice
from notifiers.slack.plain import calm, unlinked

SECTION_CHARS = 3000
"""Longest text of a section; below the 4,000 characters that an edit's text may have."""
FIELD_CHARS = 2000
FIELDS_PER_SECTION = 10
MAX_BLOCKS = 50
TITLE_CHARS = 300
"""Our own: a title is one line."""
MOST_BUTTONS = 25
LABEL_CHARS = 75
VALUE_CHARS = 2000
CONFIRM_TITLE_CHARS = 100
CONFIRM_CHARS = 300
CONFIRM_LABEL_CHARS = 30
MOST_MENTIONS = 10

_PERSON = re.compile(r"\bslack:([UW][A-Z0-9]+)\b|\ba person on Slack \(([UW][A-Z0-9]+)\)")
"""How words name people of Slack: by the id of who pressed, or as it is said elsewhere."""

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


def fallback_text(
    notice: Notice, remark: str = "", *, pressable: bool = False, named: bool = False
) -> str:
    """The notice as one text: what notifications and screen readers show, and what is left when
    blocks are refused. `named`: with the run's name also where a thread would say it."""
    first = notice.headline if named or notice.topic == "head" else notice.title
    lines = [first, *notice.lines, *(f"{name}: {value}" for name, value in notice.fields)]
    lines += notice.quoted
    lines += [] if pressable and notice.buttons else [line for line in notice.typed if line]
    lines += [remark] if remark else []
    woken = _woken(notice)
    said = calm(clip(unlinked("\n".join(lines)), SECTION_CHARS - len(woken)))
    return woken + with_persons(said or escape(notice.run), notice.persons)


def blocks(
    notice: Notice, remark: str = "", *, pressable: bool = False, named: bool = False
) -> list[Block]:
    """A section with the title in bold and the lines, sections of ten fields, what is quoted as it
    stands, buttons where they can be pressed and else what to type, and a small remark. A button
    whose value would not come back whole is left out."""
    name = f"*{calm(clip(_one_line(notice.run), TITLE_CHARS), bold=True)}*"
    title = clip(_one_line(notice.title), TITLE_CHARS)
    said_already = notice.headline == notice.title
    if not title:
        first = name
    elif said_already or not (named or notice.topic == "head"):
        first = f"*{calm(title, bold=True)}*"
    else:
        first = f"{name} · {calm(title)}"
    first = _woken(notice) + first
    body = calm(clip("\n".join(notice.lines), SECTION_CHARS - len(first) - 1 - 2 * TITLE_CHARS))
    found = [_section(with_persons(f"{first}\n{body}" if body else first, notice.persons))]
    fields = [
        _text(with_persons(_field(name, value), notice.persons))
        for name, value in notice.fields[: FIELDS_PER_SECTION * MAX_BLOCKS]
    ]
    for start in range(0, len(fields), FIELDS_PER_SECTION):
        found.append({"type": "section", "fields": fields[start : start + FIELDS_PER_SECTION]})
    found = found[: MAX_BLOCKS - 4]
    if quoted := "\n".join(notice.quoted).strip("\n"):
        found.append(_section(f"```\n{_unfenced(clip(quoted, SECTION_CHARS - 8))}\n```"))
    buttons = [button for button in notice.buttons if len(button.value) <= VALUE_CHARS]
    if buttons and pressable:
        found.append(_actions(buttons[:MOST_BUTTONS]))
    elif typed := "\n".join(notice.typed).strip():
        found.append(_small(typed))
    if remark:
        found.append(_small(remark))
    return found


def _field(name: str, value: str) -> str:
    bold = calm(clip(_one_line(name), FIELD_CHARS // 4), bold=True)
    return f"*{bold}*\n{calm(clip(value, FIELD_CHARS // 2))}"


def _unfenced(text: str) -> str:
    """Without what would end the block of code that it stands in."""
    return text.replace("```", "'''")


def _actions(buttons: Sequence[Button]) -> Block:
    return {
        "type": "actions",
        "block_id": "skint",
        "elements": [_button(number, button) for number, button in enumerate(buttons)],
    }


def _button(number: int, button: Button) -> Block:
    made: Block = {
        "type": "button",
        "action_id": f"skint-{number}",
        "text": _plain(button.label, LABEL_CHARS),
        "value": button.value,
    }
    if button.style != "plain":
        made["style"] = button.style
    if button.confirm:
        made["confirm"] = {
            "title": _plain(button.label, CONFIRM_TITLE_CHARS),
            "text": _plain(button.confirm, CONFIRM_CHARS),
            "confirm": _plain(button.label, CONFIRM_LABEL_CHARS),
            "deny": _plain("No", CONFIRM_LABEL_CHARS),
        }
        if button.style != "plain":
            made["confirm"]["style"] = button.style
    return made


def _woken(notice: Notice) -> str:
    """Mentions, which wake; never made of words of a run."""
    return "".join(f"<@{person}> " for person in notice.mention[:MOST_MENTIONS])


def with_persons(escaped: str, persons: Collection[str]) -> str:
    """These persons as readers of Slack see them. This is shorter than what it replaces."""

    def shown(found: re.Match[str]) -> str:
        id = found[1] or found[2]
        return f"<@{id}>" if id in persons else found[0]

    return _PERSON.sub(shown, escaped)


def persons_in(text: str) -> frozenset[str]:
    """Whom words of ours name: not for what somebody else wrote."""
    return frozenset(found[1] or found[2] for found in _PERSON.finditer(text))


def _small(text: str) -> Block:
    return {"type": "context", "elements": [_text(calm(clip(text, FIELD_CHARS)))]}


def _plain(text: str, limit: int) -> Block:
    """Of buttons and dialogs: nothing in it is read as markup, and an escape would be seen."""
    said = _one_line(text) or "…"
    if _cost(list(said)) > limit:
        said = said[: _fitting(list(said[:limit]), limit - 1)] + "…"
    return {"type": "plain_text", "text": said, "emoji": False}


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Block:
    # verbatim: Slack would otherwise turn #names and @names of our text into links and pings.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _one_line(text: str) -> str:
    return " ".join(text.split())
