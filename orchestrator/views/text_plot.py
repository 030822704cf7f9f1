"""Curves drawn with characters: fine lines of braille dots, a mark of each curve's own on its
points. No colour is needed to tell them apart. Pure.

Not plotext, which draws more kinds of plots: importing it takes half of the time that a reading
command may take, and it draws on one figure of the whole process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

MARKS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ACROSS, _DOWN = 2, 4
"""Dots of a character."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800
_LEAST_ACROSS, _LEAST_DOWN = 8, 4


@dataclass(frozen=True)
class Line:
    mark: str
    """One character: the number of the fold."""
    name: str
    points: tuple[tuple[float, float], ...]
    """(x, y), ascending; finite."""


def plot(lines: Sequence[Line], *, title: str, x_name: str, width: int, height: int) -> list[str]:
    """`height` lines of text and three more, at most `width` characters wide; empty where there is
    nothing to draw. Where marks meet, the one of the earlier curve stands."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return []
    xs = [x for line in drawn for x, _ in line.points]
    ys = [y for line in drawn for _, y in line.points]
    labels = [_figure(max(ys)), _figure(min(ys))]
    margin = max(map(len, labels))
    across = max(_LEAST_ACROSS, width - margin - 2)
    down = max(_LEAST_DOWN, height)
    canvas = _Canvas(across, down, (min(xs), max(xs)), (min(ys), max(ys)))
    for line in drawn:
        canvas.line(line.points)
    for line in reversed(drawn):
        canvas.marks(line)
    rows = canvas.rows()
    heads = [labels[0], *[""] * (down - 2), labels[1]]
    first, last = _figure(min(xs)), _figure(max(xs))
    gap = max(1, across - len(first) - len(last))
    legend = " · ".join(f"{line.mark} {line.name}" for line in drawn)
    return [
        title,
        *(f"{head:>{margin}} ┤{row}".rstrip() for head, row in zip(heads, rows, strict=True)),
        f"{'':>{margin}}  {first}{x_name:^{gap}}{last}".rstrip(),
        f"{'':>{margin}}  {legend}",
    ]


class _Canvas:
    def __init__(
        self, across: int, down: int, xs: tuple[float, float], ys: tuple[float, float]
    ) -> None:
        self.across, self.down = across, down
        self._xs, self._ys = xs, ys
        self._dots = [[0] * across for _ in range(down)]
        self._marks: dict[tuple[int, int], str] = {}

    def line(self, points: Sequence[tuple[float, float]]) -> None:
        places = [self._place(*point) for point in points]
        for (x0, y0), (x1, y1) in pairwise(places):
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for step in range(steps + 1):
                share = step / steps
                self._dot(x0 + round((x1 - x0) * share), y0 + round((y1 - y0) * share))

    def marks(self, line: Line) -> None:
        for x, y in line.points:
            across, down = self._place(x, y)
            self._marks[across // _ACROSS, down // _DOWN] = line.mark

    def rows(self) -> Iterator[str]:
        for down, row in enumerate(self._dots):
            yield "".join(
                self._marks.get((across, down)) or (chr(_BLANK + dots) if dots else " ")
                for across, dots in enumerate(row)
            )

    def _dot(self, x: int, y: int) -> None:
        self._dots[y // _DOWN][x // _ACROSS] |= _DOTS[y % _DOWN][x % _ACROSS]

    def _place(self, x: float, y: float) -> tuple[int, int]:
        """In dots from the upper left corner."""
        right = _share(x, *self._xs) * (self.across * _ACROSS - 1)
        up = _share(y, *self._ys) * (self.down * _DOWN - 1)
        return round(right), self.down * _DOWN - 1 - round(up)


def _share(value: float, low: float, high: float) -> float:
    """0 to 1; halves, so that the difference of two huge values stays finite."""
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span > 0 else 0.5


def _figure(value: float) -> str:
    if value == math.floor(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.4g}"
