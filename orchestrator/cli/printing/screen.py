"""Tables and lines on a terminal. Rich is imported by whoever draws, not by every command."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns when nobody's terminal says how many: a pipe must not break lines."""

USUAL_WIDTH = 80
LEAST_WIDTH = 40
"""Prose is not broken into less, however narrow the terminal."""


def console() -> Console:
    """Standard output; colours only on a terminal, and never with NO_COLOR."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, soft_wrap=not sys.stdout.isatty())


def columns() -> int:
    """Of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else USUAL_WIDTH


def prose(text: str, hang: str = "  ") -> str:
    """`text` broken between words at the terminal's width, further lines behind `hang`.

    A pipe has it in one line.
    """
    if not sys.stdout.isatty():
        return text
    first = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text.strip(),
        max(columns(), LEAST_WIDTH),
        initial_indent=first,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def error_text(text: str, width: int | None) -> str:
    """Of an error, with lines broken between words at `width`; what is to be typed stays whole, so
    that it can be copied. None: a pipe, which has each part in one line."""
    if width is None:
        return text
    return "\n".join(
        line
        if line.startswith("  next ")
        else textwrap.fill(
            line,
            max(width, LEAST_WIDTH),
            subsequent_indent=" " * 10 if line.startswith("  ") else "  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def room_for_last(heads: Sequence[str], rows: Iterable[Sequence[str]], least: int) -> int:
    """Characters that the last column may have beside the others, `least` of them in any case."""
    names = [head.lstrip(">") for head in heads]
    others = [max(map(len, column)) for column in zip(names, *rows, strict=True)][:-1]
    return max(least, columns() - sum(others) - 2 * len(others))


def fitted(heads: Sequence[str], rows: Iterable[Sequence[str]], spare: Sequence[str] = ()) -> str:
    """A table; on a terminal without those of the columns `spare`, from the first on, that it has
    no room for. A pipe has all of them."""
    names, body = [*heads], [[*row] for row in rows]
    drawn = table(names, body)
    for name in spare if sys.stdout.isatty() else ():
        if max(map(len, drawn.splitlines())) <= columns():
            break
        at = names.index(name)
        names.pop(at)
        for row in body:
            row.pop(at)
        drawn = table(names, body)
    return drawn


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns padded with spaces; a head with a leading `>` is right-aligned."""
    names = [head.lstrip(">") for head in heads]
    body = [[*row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *body, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if head.startswith(">") else cell.ljust(width)
            for head, cell, width in zip(heads, cells, widths, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join(line(cells) for cells in [names, *body])
