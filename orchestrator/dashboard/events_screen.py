"""All events that are kept, on a screen of their own."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen as TextualScreen
from textual.widgets import Label, RichLog

from orchestrator.dashboard.event_lines import pieces_of
from orchestrator.dashboard.ink import text_of
from orchestrator.dashboard.reading.snapshot import EVENTS_KEPT, EventLine, Screen

COLOURS = {"good": "success", "attention": "warning", "bad": "error"}


class EventsLog(RichLog):
    """One line an event; `follow` appends those it has not shown yet."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__(id="events-log", max_lines=EVENTS_KEPT, wrap=True, min_width=20)
        self._zone = zone
        self._screen: Screen | None = None
        self._shown: tuple[int, int] | None = None
        """First and last event that it was told of."""

    def on_resize(self, event: Resize) -> None:
        """Lines were folded for another width."""
        if self._screen is not None:
            self._shown = None
            self.follow(self._screen)

    def follow(self, screen: Screen) -> None:
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
        at, run, said = pieces_of(line, self._zone)
        colour = COLOURS.get(line.tone)
        styled = self.app.theme_variables[colour] if colour else ""
        text = Text.assemble((at[0], "dim"), (run[0], "bold"), (said[0], styled))
        text.no_wrap = len(text_of((at, run, said))) <= self.size.width
        return text


class EventsScreen(TextualScreen[None]):
    """All events that are kept, in full width."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,e", "dismiss", "Back")]

    def __init__(self, seen: Screen, zone: tzinfo | None) -> None:
        super().__init__()
        self._seen = seen
        self._log = EventsLog(zone)

    def compose(self) -> ComposeResult:
        yield Label("Events · newest last · Esc goes back", id="events-title")
        yield self._log

    def on_mount(self) -> None:
        self._log.focus()
        self._log.follow(self._seen)

    def follow(self, screen: Screen) -> None:
        """The screen as it is a second later."""
        self._log.follow(screen)
