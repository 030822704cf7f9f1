"""A text with columns of a table in it: `{id}.jpg`, `{id[0]}/{id[1]}/{id}.jpg`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\{([^{}\[\]]+)(?:\[(\d+)\])?\}")


def is_template(text: str) -> bool:
    return "{" in text or "}" in text


def template_columns(template: str) -> tuple[str, ...]:
    """The columns it names. Raises ValueError where a brace stands alone."""
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        raise ValueError(
            f"{template} is not a template: columns stand in braces, like {{id}} or {{id[0]}}"
        )
    return tuple(dict.fromkeys(match[1] for match in _FIELD.finditer(template)))


def fill(template: str, cells: Mapping[str, str]) -> str:
    """The template with the cells of a row; `{id[0]}` is the first letter of the id.

    Empty where a cell that it names is empty or too short.
    """
    whole = True

    def cell(match: re.Match[str]) -> str:
        nonlocal whole
        text = cells[match[1]]
        if match[2] is not None:
            text = text[int(match[2]) : int(match[2]) + 1]
        whole = whole and text != ""
        return text

    text = _FIELD.sub(cell, template)
    return text if whole else ""
