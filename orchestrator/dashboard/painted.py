"""A widget of lines. Only the cells that have changed are sent to the terminal: over SSH they are
what a dashboard costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.theme import BUILTIN_THEMES
from textual.widget import Widget

from orchestrator.dashboard.ink import Line

COLOURS = {
    "accent": "primary",
    "good": "success",
    "attention": "warning",
    "bad": "error",
    "rule": "panel-lighten-3",
    "key": "primary",
    "settled": "primary",
    "in flight": "success",
    "reserved": "warning",
    "foreign": "secondary",
    "kept back": "panel-lighten-3",
    "free": "panel-lighten-2",
    "curve 0": "primary",
    "curve 1": "warning",
    "curve 2": "success",
    "curve 3": "accent",
    "curve 4": "error",
    "curve 5": "foreground",
    "baseline": "foreground-darken-3",
}
"""Roles, and the colours of the theme that they have."""
ATTRIBUTES = ("bold", "dim", "reverse")

THEME = replace(BUILTIN_THEMES["nord"], name="skint", error="#E0828B")
"""A red that can be read on this background."""


class Painted(Widget):
    """`paint` gives it its lines, which are its height unless it `fills` the height it has."""

    can_focus = False
    DEFAULT_CSS = "Painted { height: auto; }"

    def __init__(self, id: str, *, fills: bool = False) -> None:
        super().__init__(id=id)
        self._fills = fills
        self._lines: tuple[Line, ...] = ()
        self._inks: Inks | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """What it shows."""
        return self._lines

    def paint(self, lines: Sequence[Line]) -> None:
        """Show these lines instead; what is the same is not drawn again."""
        before, self._lines = self._lines, tuple(lines)
        if len(before) != len(self._lines) and not self._fills:
            self.styles.height = len(self._lines)
            self.refresh(layout=True)
            return
        regions = [
            Region(start, y, width, 1)
            for y, (old, new) in enumerate(zip_longest(before, self._lines, fillvalue=()))
            if old != new
            for start, width in (changed(old, new, self.size.width),)
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return self.inks.strip(line, self.size.width, self.rich_style)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    @property
    def inks(self) -> Inks:
        """Of the theme of the app."""
        self._inks = inks_of(self.app.theme_variables, self._inks)
        return self._inks


def inks_of(variables: Mapping[str, str], known: Inks | None) -> Inks:
    """Those of a theme; `known` where they are its own."""
    return known if known is not None and known.variables is variables else Inks(variables)


class Inks:
    """The styles of the roles, in one theme."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self._styles: dict[str, Style] = {}

    def style(self, role: str) -> Style:
        """Raises KeyError for a role that there is not."""
        known = self._styles.get(role)
        if known is None:
            words = role.split()
            colour = " ".join(word for word in words if word not in ATTRIBUTES)
            known = Style(
                color=self.variables[COLOURS[colour]] if colour else None,
                bold=True if "bold" in words else None,
                dim=True if "dim" in words else None,
                reverse=True if "reverse" in words else None,
            )
            self._styles[role] = known
        return known

    def strip(self, line: Line, width: int, under: Style) -> Strip:
        """The line, `width` cells wide, on a background."""
        segments = [Segment(text, under + self.style(role)) for text, role in line if text]
        return Strip(segments).adjust_cell_length(width, under)


def changed(old: Line, new: Line, width: int) -> tuple[int, int]:
    """First cell that differs, and how many from there on may differ."""
    before, after = _cells(old), _cells(new)
    pairs = list(zip_longest(before, after))
    first = next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))
    last = next(
        (at for at in range(len(pairs) - 1, first - 1, -1) if pairs[at][0] != pairs[at][1]), first
    )
    return min(first, max(0, width - 1)), max(1, last - first + 1)


def _cells(line: Line) -> list[tuple[str, str]]:
    """A character with its role for each cell; of a wide one the second cell is empty."""
    found: list[tuple[str, str]] = []
    for text, role in line:
        for character in text:
            found.append((character, role))
            found += [("", role)] * (cell_len(character) - 1)
    return found
