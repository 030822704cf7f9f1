"""Tables and lines on a terminal. Rich is imported by whoever draws, not by every command."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns when nobody's terminal says how many: a pipe must not break lines."""


def console() -> Console:
    """Standard output; colours only on a terminal, and never with NO_COLOR."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, soft_wrap=not sys.stdout.isatty())


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
