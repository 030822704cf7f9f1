"""`--watch`: the same again each second. A terminal is redrawn, a pipe gets what is new."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from orchestrator.home import Home
from orchestrator.state.state import State
from orchestrator.store.store import Store

EVERY_S = 1.0


def add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="again each second, until Ctrl-C")


class Recent:
    """The live runs and some that have ended; read again when something has happened."""

    def __init__(self, home: Home, ended: int) -> None:
        self._store = Store(home.store)
        self._ended = ended
        self._last = -1
        self._state = State()

    def state(self) -> State:
        last = self._store.last_event()
        if last != self._last:
            with self._store.standing_still():
                self._last, self._state = self._store.last_event(), self._store.recent(self._ended)
        return self._state


def watch(text: Callable[[], str], lines: Callable[[], Sequence[str]]) -> NoReturn:
    """Until somebody interrupts it, show `text` on a terminal and what is new of `lines` elsewhere.

    What changes each second, like the time that is left, does not belong into `lines`.
    """
    if sys.stdout.isatty():
        _redraw(text)
    said: set[str] = set()
    while True:
        now = lines()
        for line in now:
            if line not in said:
                print(line, flush=True)
        said = set(now)
        time.sleep(EVERY_S)


def _redraw(text: Callable[[], str]) -> NoReturn:
    from rich.live import Live
    from rich.text import Text

    from orchestrator.cli.printing.screen import console

    with Live(console=console(), auto_refresh=False) as live:
        while True:
            live.update(Text(text(), no_wrap=True, overflow="ellipsis"), refresh=True)
            time.sleep(EVERY_S)
