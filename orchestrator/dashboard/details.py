"""All that is known of one job."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from budget.duration import format_clock, format_exact
from orchestrator.dashboard.confirm import facts_table
from orchestrator.dashboard.rows import to_go
from orchestrator.views.glyphs import bar, sparkline
from orchestrator.views.view import JobRow, RunView

CURVE_CELLS = 48


def details_of(view: RunView, row: JobRow) -> tuple[tuple[str, str], ...]:
    """(name, sentence) of what there is to say; what is not known is left out."""
    lane = f"{row.lane}, simulated device" if view.simulated and row.lane != "cpu" else row.lane
    facts = [("state", row.status), ("lane", lane), ("why", row.why), ("said", row.note)]
    if row.epochs:
        share = bar(row.progress or 0.0, 24)
        facts.append(("epoch", f"{share} {row.epoch or 0} of {row.epochs}"))
    elif row.counted:
        facts.append(("progress", f"{bar(row.progress or 0.0, 24)} {row.counted}"))
    if row.value is not None:
        best = f", best {row.best:.4f}" if row.best is not None else ""
        facts.append((row.metric, f"{row.value:.4f}{best}"))
    facts.append(("curve", sparkline(row.history, CURVE_CELLS)))
    facts.append(("to go", to_go(row.eta)))
    if row.wall_ms is not None:
        facts.append(("time", format_clock(row.wall_ms)))
    if row.charged_ms:
        facts.append(("charged", format_exact(row.charged_ms)))
    if row.in_flight_ms:
        facts.append(("in flight", format_exact(row.in_flight_ms)))
    if row.saved_ms:
        facts.append(("saved", f"{format_exact(row.saved_ms)}: its result was known"))
    facts.append(("log", row.log))
    return tuple((name, sentence) for name, sentence in facts if sentence)


class Details(ModalScreen[None]):
    """Any of the keys that leave closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close")]

    def __init__(self, view: RunView, row: JobRow) -> None:
        super().__init__()
        self._title = f"{row.title} of {view.name}"
        self._facts = details_of(view, row)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(self._title, id="title", markup=False)
            yield Static(facts_table(self._facts), id="facts")
            yield Label("Esc closes", id="hint")
