"""What has happened, newest last."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from rich.text import Text
from textual.events import Resize
from textual.widgets import RichLog

from orchestrator.dashboard.snapshot import EVENTS_KEPT, EventLine, Screen

COLOURS = {"good": "success", "attention": "warning", "bad": "error"}


class EventsLog(RichLog):
    """One line an event, cut at the edge; `show` appends those it has not shown yet."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__(id="events", max_lines=EVENTS_KEPT, wrap=False, min_width=20)
        self._zone = zone
        self._screen: Screen | None = None
        self._shown: tuple[int, int] | None = None
        """First and last event that it was told of."""

    def on_mount(self) -> None:
        self.border_title = "Events"

    def on_resize(self, event: Resize) -> None:
        """Lines were cut for another width."""
        if self._screen is not None:
            self._shown = None
            self.show(self._screen)

    def show(self, screen: Screen) -> None:
        self._screen = screen
        if not self.size.width:
            return  # not laid out yet: a resize follows
        ids = [line.id for line in screen.events]
        if self._shown is None or not ids or ids[-1] < self._shown[1]:
            self.clear()  # another store, or another width
            last = 0
        else:
            last = self._shown[1]
        for line in screen.events:
            if line.id > last:
                self.write(self._styled(line), expand=True)
        self._shown = (ids[0], ids[-1]) if ids else None

    def _styled(self, line: EventLine) -> Text:
        at = datetime.fromtimestamp(line.at_ms / 1000, tz=UTC).astimezone(self._zone)
        colour = COLOURS.get(line.tone)
        return Text.assemble(
            (f"{at:%a %H:%M:%S}  ", "dim"),
            (f"{line.run}  " if line.run else "", "bold"),
            (line.text, self.app.theme_variables[colour] if colour else ""),
            no_wrap=True,
            overflow="ellipsis",
        )
