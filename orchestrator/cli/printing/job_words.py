"""What jobs said and why they ended so: a few words in a table, all of it below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.cli.printing.screen import prose
from orchestrator.views.run.job_row import JobRow

PARTS = ("where", "got", "wanted", "next")
"""Of an error, in the order in which errors of commands have them."""


def said(row: JobRow) -> str:
    """How far it is, else what failed, else why it stands so, else the first thing it noted."""
    return row.counted or row.error.get("what", "") or row.why or row.note


def cut(text: str, most: int) -> str:
    """At most so many characters of it, with an ellipsis where some are missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def below(rows: Iterable[JobRow], most: int) -> list[str]:
    """Lines for below a table whose cells have at most `most` characters of what jobs say.

    Jobs that say the same share their lines.
    """
    titles: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        lines = tuple(_lines(row, most))
        if lines:
            titles.setdefault(lines, []).append(row.title)
    found = []
    for lines, names in titles.items():
        found += [prose(", ".join(names)), *(prose(f"  {line}", "    ") for line in lines)]
    return found


def _lines(row: JobRow, most: int) -> Iterator[str]:
    shown = said(row) if len(said(row)) <= most else ""
    if row.counted and row.counted != shown:
        yield row.counted
    if row.error:
        parts = [(name, row.error[name]) for name in PARTS if row.error.get(name)]
        if row.error["what"] != shown:
            yield row.error["what"] or row.why
        yield from (f"{name:<7} {text}" for name, text in parts)
        yield f"{'log':<7} {row.log}"
    elif row.why and row.why != shown:
        yield row.why
    yield from (note for note in row.notes if note != shown)
