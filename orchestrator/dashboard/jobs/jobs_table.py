"""The table of runs and their jobs. Only cells that have changed are drawn again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orchestrator.dashboard.ink import Line
from orchestrator.dashboard.jobs.arranging import Arrangement, arranged
from orchestrator.dashboard.jobs.columns import Widths
from orchestrator.dashboard.jobs.rows import TableLine, is_unfolded, lines_of
from orchestrator.dashboard.painted import Inks, changed, inks_of
from orchestrator.dashboard.reading.snapshot import Screen

CURSOR, MARK = "▌", "✓"
GUTTER = 2
"""Cells before each line: the cursor and the mark."""


class JobsTable(ScrollView, can_focus=True):
    """`show` brings it up to date; the cursor stays on the line it was on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,ctrl+home", "end(-1)", show=False),
        Binding("end,ctrl+end", "end(1)", show=False),
        Binding("left", "fold(False)", show=False),
        Binding("right", "fold(True)", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another line, or the line says something else."""

        line: TableLine | None

    @dataclass
    class Opened(Message):
        """A line was clicked on once more."""

        line: TableLine

    @dataclass
    class _Looks:
        """What the lines are made of, beside the screen."""

        unfolded: dict[str, bool] = field(default_factory=dict)
        marked: set[str] = field(default_factory=set)

    def __init__(self) -> None:
        super().__init__(id="jobs")
        self.arrangement = Arrangement()
        self._screen = Screen(now_ms=0)
        self._lines: tuple[TableLine, ...] = ()
        self._looks = self._Looks()
        self._cursor = 0
        self._inks: Inks | None = None

    # --- what is chosen -----------------------------------------------------------------------

    @property
    def selected(self) -> TableLine | None:
        """The line under the cursor."""
        return self._lines[self._cursor] if self._cursor < len(self._lines) else None

    @property
    def marked(self) -> tuple[TableLine, ...]:
        """Those that space has marked, as they stand."""
        return tuple(line for line in self._lines if line.key in self._looks.marked)

    @property
    def widths(self) -> Widths:
        return Widths.fitting((self.outer_size.width or self.app.size.width) - GUTTER)

    @property
    def table_lines(self) -> tuple[TableLine, ...]:
        """All of them, those that are scrolled away included."""
        return self._lines

    @property
    def runs_shown(self) -> frozenset[str]:
        return frozenset(line.run for line in self._lines)

    def mark(self) -> None:
        """Mark the line under the cursor, or take its mark away, and go to the next one."""
        line = self.selected
        if line is not None and not line.more:
            self._looks.marked ^= {line.key}
            self._draw([self._cursor])
            self.action_move(1)

    def clear_marks(self) -> None:
        self._looks.marked.clear()
        self.refresh()

    # --- showing ------------------------------------------------------------------------------

    def show(self, screen: Screen) -> None:
        """Bring the lines up to date."""
        self._screen = screen
        views, shown = arranged(screen, self.arrangement)
        lines = lines_of(
            views,
            self._looks.unfolded,
            self.widths,
            expected=screen.outlook.expected,
            uses=screen.lanes.uses,
            shown=shown,
        )
        at, before, self._lines = self.selected, self._lines, lines
        self._looks.marked &= {line.key for line in lines}
        self._cursor = self._place_of(at)
        if len(lines) != len(before):
            self.virtual_size = Size(self.size.width, len(lines))
            self.refresh()
        else:
            self._draw_changes(before)
        self._keep_in_sight()
        self.post_message(self.Moved(self.selected))

    def _draw_changes(self, before: tuple[TableLine, ...]) -> None:
        top, height = self.scroll_offset.y, self.size.height
        regions = []
        for y in range(top, min(top + height, len(self._lines))):
            old, new = before[y].pieces, self._lines[y].pieces
            if before[y].key != self._lines[y].key:
                regions.append(Region(0, y - top, self.size.width, 1))
            elif old != new:
                start, width = changed(old, new, self.size.width - GUTTER)
                regions.append(Region(start + GUTTER, y - top, width, 1))
        if regions:
            self.refresh(*regions)

    def _draw(self, rows: list[int]) -> None:
        top = self.scroll_offset.y
        self.refresh(*(Region(0, y - top, self.size.width, 1) for y in rows))

    def _place_of(self, line: TableLine | None) -> int:
        """Where it stands now; else its run, else where the cursor was."""
        if line is not None:
            keys = [one.key for one in self._lines]
            for key in (line.key, f"{line.run}/"):
                if key in keys:
                    return keys.index(key)
        return max(0, min(self._cursor, len(self._lines) - 1))

    def on_resize(self) -> None:
        self.show(self._screen)

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[y]
        here = y == self._cursor
        gutter: Line = (
            (CURSOR if here else " ", "accent"),
            (MARK if line.key in self._looks.marked else " ", "bold attention"),
        )
        return self.inks.strip((*gutter, *line.pieces), width, self._background(here))

    @property
    def inks(self) -> Inks:
        self._inks = inks_of(self.app.theme_variables, self._inks)
        return self._inks

    def _background(self, here: bool) -> Style:
        plain = self.rich_style
        return plain + Style(bgcolor=self.app.theme_variables["panel"]) if here else plain

    # --- moving -------------------------------------------------------------------------------

    def go_to(self, row: int) -> None:
        """Put the cursor on a line; the first or the last one where there is none."""
        row = max(0, min(row, len(self._lines) - 1))
        if row != self._cursor:
            rows, self._cursor = [self._cursor, row], row
            self._draw(rows)
            self._keep_in_sight()
            self.post_message(self.Moved(self.selected))

    def _keep_in_sight(self) -> None:
        if self.size.height:
            region = Region(0, self._cursor, self.size.width, 1)
            self.scroll_to_region(region, animate=False, force=True)

    def action_move(self, by: int) -> None:
        self.go_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.go_to(self._cursor + by * max(1, self.size.height - 1))

    def action_end(self, towards: int) -> None:
        self.go_to(len(self._lines) if towards > 0 else 0)

    def action_fold(self, unfold: bool) -> None:
        """Show the jobs of the run, or fold them away; from a job, go to its run first."""
        line = self.selected
        view = self._screen.view(line.run) if line else None
        if line is None or view is None:
            return
        if not unfold and line.job:
            self.go_to(self._place_of(TableLine(line.run, "", "")))
        elif is_unfolded(view, self._looks.unfolded) != unfold:
            self._looks.unfolded[line.run] = unfold
            self.show(self._screen)

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y
        if row >= len(self._lines):
            return
        again, line = row == self._cursor, self._lines[row]
        self.go_to(row)
        if not line.job and event.x < GUTTER + 2:
            view = self._screen.view(line.run)
            self.action_fold(view is not None and not is_unfolded(view, self._looks.unfolded))
        elif again and not line.more:
            self.post_message(self.Opened(line))
