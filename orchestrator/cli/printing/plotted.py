"""Curves on a terminal, told apart by their marks: no colour is needed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from orchestrator.cli.printing.screen import USUAL_WIDTH, columns
from orchestrator.views.plots.curves import Curve, drawn

HEIGHT = 16
TALLEST = 28
ROOM_BESIDE = 10
"""Lines of a terminal that a plot leaves free."""
WIDEST = 2 * USUAL_WIDTH
MARKS = "0123456789abcdefghijklmnopqrstuvwxyz"


def mark_of(fold: int | None, number: int) -> str:
    """A fold is marked by its number, where that is one character."""
    return MARKS[(number if fold is None else fold) % len(MARKS)]


def plotted(title: str, curves: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]) -> str:
    """`curves` are mark, name and points; empty where there is nothing to draw. Epochs are drawn
    from left to right."""
    height = HEIGHT
    if sys.stdout.isatty():
        height = min(TALLEST, max(8, shutil.get_terminal_size().lines - ROOM_BESIDE))
    shown = [(mark, name, tuple(points)) for mark, name, points in curves if points]
    lines = drawn(
        [Curve(mark, "", points) for mark, _, points in shown], min(columns(), WIDEST), height
    )
    if not lines:
        return ""
    body = ["".join(piece.text for piece in line).rstrip() for line in lines]
    legend = " · ".join(f"{mark} {name}" for mark, name, _ in shown)
    return "\n".join([title, *body, f"epoch · {legend}"])
