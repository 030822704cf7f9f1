"""What anybody may have written, so that Slack shows it as it stands.

Escaping alone does not do that: Slack makes bold of `*args*`, a quotation of a line that begins
with `>`, a link of an address and a call to everybody of `@here`. A sign that would do something is
replaced by one that looks like it, and only where it would: what is copied from a message should
stay what it was. Text between two backticks is shown as code, which changes nothing in it.
"""

from __future__ import annotations

import re

_LOOK_ALIKE = {"*": "∗", "_": "ˍ", "~": "∼"}
_OPENS = {sign: re.compile(rf"(?<![^\W_])[{sign}](?=\S)") for sign in _LOOK_ALIKE}
"""At the beginning of a word, which `_` is no part of."""
_CLOSES = {sign: re.compile(rf"(?<=\S)[{sign}](?![^\W_])") for sign in _LOOK_ALIKE}
_CODE = re.compile(r"(`[^`\n]+`)")
_QUOTES = re.compile(r"^([ \t]*)(?:&gt;)+", re.MULTILINE)
_CALLS = re.compile(r"(?<!\w)@(?=(?:here|channel|everyone|group)\b)")
JOINER = "\u2060"
"""Takes no room and is seen by nobody; what it parts is no longer a word of a service."""


def calm(escaped: str, *, bold: bool = False) -> str:
    """Escaped text without what Slack would format; as long as before, or shorter. `bold`: it is
    to stand between two asterisks."""
    text = _QUOTES.sub(r"\1›", escaped.replace("```", "'''"))
    text = "\n".join(_line(line) for line in text.split("\n"))
    return text.replace("*", _LOOK_ALIKE["*"]) if bold else text


def unlinked(text: str) -> str:
    """Text in which Slack finds no address and nobody to call. Longer by one for each of them."""
    return _CALLS.sub(f"@{JOINER}", text.replace("://", f":{JOINER}//"))


def _line(line: str) -> str:
    parts = _CODE.split(line)
    prose = "`".join(parts[::2])
    for sign, look_alike in _LOOK_ALIKE.items():
        if _OPENS[sign].search(prose) and _CLOSES[sign].search(prose):
            for number in range(0, len(parts), 2):
                once = _CLOSES[sign].sub(look_alike, parts[number])
                parts[number] = _OPENS[sign].sub(look_alike, once)
    return "".join(parts)
