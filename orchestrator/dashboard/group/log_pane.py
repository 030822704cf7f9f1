"""The end of the chosen job's log, as it grows, under a head."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import RichLog

from orchestrator.dashboard.ink import Line
from orchestrator.dashboard.painted import Painted
from orchestrator.dashboard.reading.log_tail import LogTail

LOG_LINES = 2_000
NO_LOG = "no log here yet"


class LogPane(Vertical):
    """`head` is the line above it, given what there is to say of how it is followed."""

    def __init__(self, head: Callable[[str], Line]) -> None:
        self._head = head
        self._head_line = Painted("log-head")
        self._log = RichLog(id="detail-log", max_lines=LOG_LINES, wrap=False, min_width=20)
        self._following = True
        self._tail: LogTail | None = None
        self._busy: LogTail | None = None
        """The one that a thread reads now."""
        super().__init__(self._head_line, self._log, id="pane-log")

    def compose(self) -> ComposeResult:
        yield from super().compose()
        self._log.can_focus = False

    @work(group="log")
    async def read(self, path: Path | None) -> None:
        """Show the log at `path`, and what was added to it since it was shown last."""
        if path is None or self._tail is None or self._tail.path != path:
            self._tail = LogTail(path) if path is not None else None
            self._log.clear()
        tail = self._tail
        self.show_head()
        if tail is None or tail is self._busy:
            return  # what is being read is shown when it is there
        self._busy = tail
        try:
            lines = await asyncio.to_thread(tail.look)
        except OSError as error:
            lines = (f"the log cannot be read: {error}",)
        if self._busy is tail:
            self._busy = None
        if tail is self._tail:
            for line in lines:
                self._log.write(Text.from_ansi(line), scroll_end=self._following)
            self.show_head()

    def show_head(self) -> None:
        empty = self._tail is None or not self._tail.position
        how = NO_LOG if empty else "f: follows" if self._following else "f: stands still"
        self._head_line.paint([self._head(how)])

    def follow(self) -> None:
        """Stand still, or follow again."""
        self._following = not self._following
        self._log.auto_scroll = self._following
        if self._following:
            self._log.scroll_end(animate=False)
        self.show_head()

    def scroll_page(self, by: int) -> None:
        if by < 0:
            self._log.scroll_page_up(animate=False)
        else:
            self._log.scroll_page_down(animate=False)
