"""Curves over epochs, laid over each other: each has a colour and a mark of its own. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.views.plots.axes import Frame, draw_below, draw_left, ticks
from orchestrator.views.plots.canvas import Canvas, Piece

LEAST_WIDTH, LEAST_HEIGHT = 24, 5
"""Cells; where there is less nothing is drawn."""
LARGEST = 1e150
"""Differences of larger numbers are none."""
MARK_EVERY_CELLS = 12
"""Where there is room, a curve's mark stands on it about as often as this."""


@dataclass(frozen=True)
class Curve:
    """(x, y) ascending by x; what is not finite, or larger than `LARGEST`, is left out."""

    mark: str
    """One character that stands on the curve and at its end: told apart without colours."""
    style: str
    points: tuple[tuple[float, float], ...]
    dotted: bool = False

    @property
    def finite(self) -> tuple[tuple[float, float], ...]:
        return tuple((x, y) for x, y in self.points if math.isfinite(x) and abs(y) <= LARGEST)


def drawn(
    curves: Sequence[Curve], width: int, height: int, *, last_x: float | None = None
) -> tuple[tuple[Piece, ...], ...]:
    """The curves in `width` x `height` cells; later ones lie above. The axis below goes at least
    to `last_x`. Empty where there is nothing to draw, or no room."""
    known = [(curve, curve.finite) for curve in curves if curve.finite]
    if not known or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return ()
    xs = [x for _, points in known for x, _ in points]
    low_y, high_y = _span([y for _, points in known for _, y in points])
    marks_y = ticks(low_y, high_y, max(2, (height - 2) // 3))
    names = namer(marks_y)
    left = max((len(names(value)) for value in marks_y), default=0) + 1
    canvas = Canvas(width, height)
    frame = Frame(
        left=left,
        width=width - left - len(known),  # the marks of the ends stand beside
        height=height - 2,
        low_x=min(xs),
        high_x=max([*xs, *([last_x] if last_x is not None else [])]),
        low_y=low_y,
        high_y=high_y,
    )
    draw_left(canvas, frame, marks_y, names)
    marks_x = ticks(frame.low_x, frame.high_x, max(2, frame.width // 7), whole=True)
    draw_below(canvas, frame, [(value, f"{value:.0f}") for value in marks_x or xs[:1]])
    for number, (curve, points) in enumerate(known):
        _draw(canvas, frame, curve, points, number, len(known))
    for curve, points in reversed(known):
        _mark_end(canvas, frame, curve, points[-1])
    return canvas.lines()


def namer(marks: Sequence[float]) -> Callable[[float], str]:
    """How numbers of an axis are written: all with as many digits as their distance needs."""
    step = min((after - before for before, after in pairwise(marks)), default=0.0)
    largest = max((abs(value) for value in marks), default=0.0)
    if largest >= 1e5 or 0 < step < 1e-5:
        return lambda value: f"{value:.1e}"
    digits = 0 if not step else max(0, -math.floor(math.log10(step) + 1e-9))
    return lambda value: f"{value:.{digits}f}"


def _span(ys: Sequence[float]) -> tuple[float, float]:
    """With a little air, and never empty."""
    low, high = min(ys), max(ys)
    air = (high / 2 - low / 2) * 0.1 or abs(high) * 0.1 or 1.0
    return low - air, high + air


def _draw(
    canvas: Canvas,
    frame: Frame,
    curve: Curve,
    points: Sequence[tuple[float, float]],
    number: int,
    count: int,
) -> None:
    dots = [frame.dot(x, y) for x, y in points]
    for start, end in pairwise(dots):
        canvas.line(start, end, curve.style, every=3 if curve.dotted else 1)
    if len(dots) == 1:
        canvas.dot(*dots[0], curve.style)
    cells = max(1, frame.width // max(1, len(points)))
    step = max(1, count, MARK_EVERY_CELLS // cells)
    # Each curve at other points than its neighbours, so that marks do not hide each other.
    for x, y in points[number * max(1, step // count) % step : -1 : step]:
        column, row = frame.cell(x, y)
        if canvas.is_free(column, row):
            canvas.write(column, row, curve.mark, curve.style)


def _mark_end(canvas: Canvas, frame: Frame, curve: Curve, end: tuple[float, float]) -> None:
    """Behind the last point, or behind the marks that stand there already."""
    column, row = frame.cell(*end)
    column += 1
    while column < canvas.width and not canvas.is_free(column, row):
        column += 1
    canvas.write(column, row, curve.mark, curve.style)
