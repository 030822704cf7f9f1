"""Lines drawn with braille dots, two across and four down in each cell, and text over them. Pure.

What is drawn later lies above: a cell has the style of the last line that went through it. Styles
are names; who shows the canvas gives them colours.
"""

from __future__ import annotations

from dataclasses import dataclass

DOTS_ACROSS, DOTS_DOWN = 2, 4
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


@dataclass(frozen=True)
class Piece:
    """Characters of one style, side by side."""

    text: str
    style: str = ""


class Canvas:
    """`width` x `height` cells; dots count from the upper left, (0, 0)."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._bits: dict[tuple[int, int], int] = {}
        self._styles: dict[tuple[int, int], str] = {}
        self._text: dict[tuple[int, int], tuple[str, str]] = {}

    def dot(self, x: int, y: int, style: str) -> None:
        """One dot; nothing where it lies outside."""
        cell = (y // DOTS_DOWN, x // DOTS_ACROSS)
        if 0 <= cell[0] < self.height and 0 <= cell[1] < self.width:
            bit = _BITS[y % DOTS_DOWN][x % DOTS_ACROSS]
            self._bits[cell] = self._bits.get(cell, 0) | bit
            self._styles[cell] = style

    def line(
        self, start: tuple[int, int], end: tuple[int, int], style: str, *, every: int = 1
    ) -> None:
        """From dot to dot; with `every` 3 only each third dot of it."""
        (x0, y0), (x1, y1) = start, end
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            x, y = round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
            if step % every == 0:
                self.dot(x, y, style)

    def write(self, column: int, row: int, text: str, style: str = "") -> None:
        """Text at a cell, over everything; what lies outside is cut."""
        if 0 <= row < self.height:
            for at, character in enumerate(text, column):
                if 0 <= at < self.width:
                    self._text[row, at] = (character, style)

    def is_free(self, column: int, row: int) -> bool:
        """No text stands in the cell."""
        return (row, column) not in self._text

    def lines(self) -> tuple[tuple[Piece, ...], ...]:
        return tuple(self._line(row) for row in range(self.height))

    def _line(self, row: int) -> tuple[Piece, ...]:
        found: list[Piece] = []
        for column in range(self.width):
            text, style = self._cell(row, column)
            if found and found[-1].style == style:
                found[-1] = Piece(found[-1].text + text, style)
            else:
                found.append(Piece(text, style))
        return tuple(found)

    def _cell(self, row: int, column: int) -> tuple[str, str]:
        written = self._text.get((row, column))
        if written is not None:
            return written
        bits = self._bits.get((row, column))
        if not bits:
            return " ", ""
        return chr(_BLANK + bits), self._styles[row, column]
