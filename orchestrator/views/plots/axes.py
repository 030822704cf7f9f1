"""The frame of a plot: where a value stands on the canvas, and the numbers beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.views.plots.canvas import DOTS_ACROSS, DOTS_DOWN, Canvas

AXIS = "axis"
"""The style of lines and numbers of the frame."""


@dataclass(frozen=True)
class Frame:
    """The cells from `left` on, `width` x `height` of them from the top, show
    `low_x` ... `high_x` and `low_y` ... `high_y`."""

    left: int
    width: int
    height: int
    low_x: float
    high_x: float
    low_y: float
    high_y: float

    def dot(self, x: float, y: float) -> tuple[int, int]:
        """The dot of a value; values outside lie on the edge."""
        across, down = self.width * DOTS_ACROSS - 1, self.height * DOTS_DOWN - 1
        share_x = _share(x, self.low_x, self.high_x)
        share_y = _share(y, self.low_y, self.high_y)
        return self.left * DOTS_ACROSS + round(share_x * across), round((1 - share_y) * down)

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """(column, row) of a value."""
        across, down = self.dot(x, y)
        return across // DOTS_ACROSS, down // DOTS_DOWN


def _share(value: float, low: float, high: float) -> float:
    if high <= low:
        return 0.5
    return min(1.0, max(0.0, (value - low) / (high - low)))


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> tuple[float, ...]:
    """At most `most` round numbers from `low` to `high`, evenly spaced by 1, 2 or 5 times a power
    of ten; with `whole` no fractions."""
    if most < 1 or not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return ()
    step = next(
        step for step in _steps((high - low) / most, whole) if _count(low, high, step) <= most
    )
    first = math.ceil(low / step - 1e-9)
    return tuple((first + number) * step for number in range(_count(low, high, step)))


def _steps(least: float, whole: bool) -> Iterator[float]:
    power = 10.0 ** math.floor(math.log10(least))
    while True:
        for factor in (1, 2, 5):
            if not whole or power * factor >= 1:
                yield power * factor
        power *= 10


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def draw_left(
    canvas: Canvas, frame: Frame, marks: Sequence[float], name: Callable[[float], str]
) -> None:
    """The line at the left, with numbers before it."""
    column = frame.left - 1
    for row in range(frame.height):
        canvas.write(column, row, "│", AXIS)
    for value in marks:
        _, row = frame.cell(frame.low_x, value)
        text = name(value)
        canvas.write(column - len(text), row, text, AXIS)
        canvas.write(column, row, "┤", AXIS)


def draw_below(canvas: Canvas, frame: Frame, marks: Sequence[tuple[float, str]]) -> None:
    """The line below, with words under it; one that would touch the one before it is left out."""
    row = frame.height
    canvas.write(frame.left - 1, row, "└" + "─" * frame.width, AXIS)
    free = 0
    for value, text in marks:
        column, _ = frame.cell(value, frame.low_y)
        start = min(max(0, column - len(text) // 2), canvas.width - len(text))
        if start < free:
            continue
        canvas.write(column, row, "┬", AXIS)
        canvas.write(start, row + 1, text, AXIS)
        free = start + len(text) + 1
