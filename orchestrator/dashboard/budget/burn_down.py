"""How the hours of an account go down, on a screen of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import textwrap
from collections.abc import Iterator
from datetime import tzinfo
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer

from budget.instant import format_instant
from orchestrator.dashboard.budget.burning import read_burns
from orchestrator.dashboard.ink import Line, Piece, fitted, headed
from orchestrator.dashboard.painted import Painted
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.forecasts.history import History
from orchestrator.home import Home
from orchestrator.views.budget.budget_parts import MARKS, shown_amount, shown_parts
from orchestrator.views.budget.burn_down import ALLOWED, LIKELY, NOW, PACE, RANGE, Burn, drawn
from orchestrator.views.budget.dry_words import dry_words
from orchestrator.views.budget.queue_words import queue_words
from orchestrator.views.budget.windows import window_words
from skint.errors import SkintError

AGAIN_S = 5.0
"""A forecast is no clock."""
ROLES = {
    "axis": "dim",
    ALLOWED: "bad",
    PACE: "rule",
    RANGE: "dim",
    LIKELY: "curve 5",
    NOW: "bold",
    "dry": "bold bad",
}
RULE_WORDS = (
    "The rule: what runs or waits takes as long as its own epochs say, else the folds before it,"
    " else runs like it; where nothing is known, its limit. The range is from the shortest to the"
    " longest of those. As many run at once as now. With nothing queued, the mean rate since the"
    " window began goes on. Reservations admit; this line only advises."
)
NO_ACCOUNTS = "no accounts yet · add one: skint account add NAME --preset simulated"
READING = "reading the ledger …"


class BurnDown(ModalScreen[None]):
    """`account` is the one that is shown first; the first one where that is None or unknown."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    BurnDown { background: $background; layout: vertical; }
    BurnDown #burn-all { height: 1fr; }
    BurnDown #burn-plot { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,tab,down,j,b", "switch(1)", "Next account", key_display="→"),
        Binding("left,shift+tab,up,k", "switch(-1)", show=False),
        Binding("escape,enter,q", "dismiss", "Back", key_display="esc"),
    ]

    def __init__(
        self, home: Home, seen: Screen, account: str | None, *, zone: tzinfo | None = None
    ) -> None:
        super().__init__()
        self._home, self._seen, self._zone = home, seen, zone
        names = self._names()
        self._account = account if account in names else next(iter(names), "")
        self._at = 0
        self._burns: tuple[Burn, ...] = ()
        self._trouble = ""
        self._history = History()
        self._reading = self._again = False
        self._plot = Painted("burn-plot", fills=True)
        self._words = Painted("burn-words")

    def compose(self) -> ComposeResult:
        with Vertical(id="burn-all"):
            yield self._plot
            yield self._words
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.read()
        self.set_interval(AGAIN_S, self.read)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def follow(self, screen: Screen) -> None:
        """What was seen by now; it is read again now and then."""
        self._seen = screen
        self.refresh_bindings()
        if self._account not in self._names():
            self._account, self._at = next(iter(self._names()), ""), 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is one limit there is no next one."""
        return action != "switch" or len(self._seen.accounts) > 1

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.account.name for one in self._seen.accounts))

    @work(group="burn")
    async def read(self) -> None:
        """One reading after the other: what they remember of the past is not shared."""
        if self._reading:
            self._again = True
            return
        self._reading = self._again = True
        while self._again:
            self._again = False
            await self._read(self._account)
        self._reading = False

    async def _read(self, account: str) -> None:
        try:
            burns = await asyncio.to_thread(
                read_burns, self._home, self._seen, account, self._history
            )
            self._trouble = ""
        except (SkintError, sqlite3.Error, OSError) as error:
            burns, self._trouble = self._burns, str(error)
        if account == self._account:
            self._burns = burns
            self.draw()

    def draw(self) -> None:
        """Show what was read last."""
        if not self._plot.is_attached or not self.size.width:
            return
        width = self.size.width
        if not self._burns:
            words = self._trouble or (READING if self._names() else NO_ACCOUNTS)
            self._plot.paint([headed("Burn-down", width, active=True), ((f" {words}", "dim"),)])
            self._words.paint(())
            return
        burn = self._burns[min(self._at, len(self._burns) - 1)]
        self._words.paint(tuple(_words(burn, width, self._trouble, self._what_else())))
        self.call_after_refresh(self._draw_plot, burn)

    def _draw_plot(self, burn: Burn) -> None:
        width, height = self._plot.size
        window = window_words(burn.limit, burn.now_ms)
        simulated = " (simulated)" if self._simulated() else ""
        title = f"Burn-down · {self._account}{simulated} · {window}"
        plotted = drawn(burn, width, height - 1, self._zone)
        lines: list[Line] = [headed(title, width, "hours used", active=True)]
        lines += [
            tuple((piece.text, ROLES.get(piece.style, piece.style)) for piece in line)
            for line in plotted
        ]
        self._plot.paint(lines)

    def _simulated(self) -> bool:
        return any(
            one.account.kind == "simulated"
            for one in self._seen.accounts
            if one.account.name == self._account
        )

    def _what_else(self) -> str:
        names = self._names()
        places = sum(1 for one in self._seen.accounts)
        return f"→ next of {places}: {', '.join(names)}" if places > 1 else ""

    def action_switch(self, by: int) -> None:
        """The next limit of this account, else the next account."""
        if self._burns and 0 <= self._at + by < len(self._burns):
            self._at += by
            self.draw()
            return
        names = self._names()
        if len(names) > 1:
            self._account = names[(names.index(self._account) + by) % len(names)]
            self._burns, self._at = (), 0
            self.draw()
            self.read()


def _words(burn: Burn, width: int, trouble: str, what_else: str) -> Iterator[Line]:
    limit = burn.limit
    yield fitted(_legend(burn), width)
    parts: list[Piece] = [(" ", "")]
    for part in shown_parts(limit):
        parts.append((f"{MARKS[part.name]} ", part.name))
        parts.append((f"{part.name} {shown_amount(part.amount_ms, limit)}  ", ""))
    yield fitted(parts, width)
    for head, sentence in _sentences(burn, trouble):
        room = max(20, width - 12)
        for number, text in enumerate(textwrap.wrap(sentence, room)):
            role = "bad" if head in ("dry", "not read") else ""
            yield ((f" {head if not number else '':<9} ", "dim"), (text, role))
    for text in textwrap.wrap(RULE_WORDS, width - 2):
        yield ((f" {text}", "dim"),)
    if what_else:
        yield fitted(((f" {what_else}", "dim"),), width)


def _legend(burn: Burn) -> Line:
    entries = [("━", "settled", "spent"), ("●", NOW, "now"), ("┅", "reserved", "committed")]
    if burn.expected is not None:
        entries += [("─", LIKELY, "expected"), ("⋯", RANGE, "its range")]
    else:
        entries.append(("⋯", LIKELY, "at the rate so far"))
    if not burn.limit.limit.unlimited:
        entries.append(("━", ALLOWED, "allowed"))
        entries += [("⋯", PACE, "even pace")] if burn.resets else []
    entries += [("▼", "dry", "runs dry")] if burn.dry is not None and burn.dry.at_ms else []
    pieces: list[Piece] = [(" ", "")]
    for mark, role, name in entries:
        pieces += [(f"{mark} ", ROLES.get(role, role)), (f"{name}  ", "dim")]
    return tuple(pieces)


def _sentences(burn: Burn, trouble: str) -> Iterator[tuple[str, str]]:
    limit = burn.limit
    if burn.dry is not None and burn.dry.at_ms is not None:
        at = format_instant(burn.dry.at_ms, limit.limit.window.zone)
        yield "dry", f"runs dry {at}, in {burn.dry.title} of {burn.dry.run}"
    if burn.expected is not None:
        yield "queued", queue_words(burn.expected, limit, burn.now_ms)
    rate = dry_words(limit, burn.now_ms, queued=burn.expected is not None)
    if rate:
        yield "rate", rate
    if trouble:
        yield "not read", trouble
