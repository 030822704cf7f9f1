"""The table of runs and their jobs. Only cells that have changed are drawn again."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import ClassVar

from rich.console import JustifyMethod
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from orchestrator.dashboard.rows import HEADS, Line, Widths, is_unfolded, lines_of
from orchestrator.dashboard.snapshot import Screen

COLOURS = {
    "running": "success",
    "starting": "success",
    "done": "primary",
    "reused": "primary",
    "failed": "error",
    "unreachable": "warning",
    "stopping": "warning",
    "parking": "warning",
    "cancelled": "warning",
    "stopped": "warning",
    "parked": "warning",
}
"""Of the state's word; the word itself is always there."""


class JobsTable(DataTable[Text]):
    """`show` brings it up to date; the cursor stays on the line it was on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Details", show=True),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another line, or the line says something else."""

        line: Line | None

    def __init__(self) -> None:
        super().__init__(id="jobs", cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._widths: Widths | None = None
        self._lines: tuple[Line, ...] = ()
        self._screen: Screen | None = None
        self._unfolded: dict[str, bool] = {}

    @property
    def selected(self) -> Line | None:
        """The line under the cursor."""
        row = self.cursor_row
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def on_resize(self) -> None:
        if self._screen is not None:
            self.show(self._screen)

    def toggle(self, run: str) -> None:
        """Fold the jobs of a run away, or show them."""
        view = self._screen.view(run) if self._screen else None
        if view is not None and self._screen is not None:
            self._unfolded[run] = not is_unfolded(view, self._unfolded)
            self.show(self._screen)

    def show(self, screen: Screen) -> None:
        self._screen = screen
        widths = Widths.fitting(self.size.width or self.app.size.width - 2)
        lines = lines_of(screen.views, self._unfolded, widths)
        if widths != self._widths or [x.key for x in lines] != [x.key for x in self._lines]:
            self._rebuild(lines, widths)
        else:
            for old, new in zip(self._lines, lines, strict=True):
                self._update_line(old, new)
        self._lines = lines
        self.post_message(self.Moved(self.selected))

    def on_data_table_row_highlighted(self) -> None:
        self.post_message(self.Moved(self.selected))

    def _rebuild(self, lines: tuple[Line, ...], widths: Widths) -> None:
        at = self.selected
        keys = [line.key for line in lines]
        self.clear(columns=widths != self._widths)
        if widths != self._widths:
            for head, cells in zip(HEADS, astuple(widths), strict=True):
                self.add_column(_aligned(head, head), width=cells, key=head)
            self._widths = widths
        for line in lines:
            self.add_row(*self._styled(line), key=line.key)
        if at is not None:
            same_run = f"{at.run}/"
            row = next((keys.index(key) for key in (at.key, same_run) if key in keys), 0)
            self.move_cursor(row=row)

    def _update_line(self, old: Line, new: Line) -> None:
        cells = zip(HEADS, old.cells, new.cells, self._styled(new), strict=True)
        for head, before, after, styled in cells:
            if before != after or (head == "state" and old.state != new.state):
                self.update_cell(new.key, head, styled)

    def _styled(self, line: Line) -> list[Text]:
        variables = self.app.theme_variables
        is_run = not line.job
        styles = dict.fromkeys(HEADS, "bold" if is_run else "")
        colour = COLOURS.get(line.state)
        styles["state"] = f"bold {variables[colour]}" if colour else "dim"
        styles["curve"] = "dim" if is_run else variables["primary"]
        if line.state == "running" and not is_run:
            styles["epoch"] = variables["success"]
        return [
            _aligned(head, cell, styles[head]) for head, cell in zip(HEADS, line.cells, strict=True)
        ]


def _aligned(head: str, cell: str, style: str = "") -> Text:
    """A cell of the column `head`."""
    justify: JustifyMethod = "right" if head in ("to go", "hours") else "left"
    return Text(cell, style, justify=justify, no_wrap=True, overflow="ellipsis")
