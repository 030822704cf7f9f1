"""The panes of the screen of one group: which there are, which are seen, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Size

from orchestrator.baselines.group import Group
from orchestrator.dashboard.group.beside import Beside
from orchestrator.dashboard.group.detail_lines import event_lines, fact_lines, facts_of, fold_lines
from orchestrator.dashboard.group.group_curves import JobCurve, drawn_curves, last_epoch
from orchestrator.dashboard.group.log_pane import LogPane
from orchestrator.dashboard.ink import RULE, Line, Piece, headed, justified
from orchestrator.dashboard.painted import Painted
from orchestrator.dashboard.reading.snapshot import EventLine
from orchestrator.state.state import RunState
from orchestrator.views.plots.curves import Curve, drawn
from orchestrator.views.run.view import RunView

WIDE, TALL = 110, 28
"""Cells from which all panes have room side by side."""
PANES = ("folds", "log", "events", "costs")
NO_CURVE = "nothing was reported epoch by epoch yet"
LEAST_WIDTH = 20
"""Of lines that fold or are cut; a pane that is hidden has none."""


@dataclass(frozen=True)
class Shown:
    """What the panes are to show."""

    run: RunState
    view: RunView
    group: Group
    job: str
    """The chosen one of the group."""
    metrics: tuple[str, ...]
    metric: str
    """The chosen one of them; empty where there is none."""
    curves: tuple[JobCurve, ...]
    baseline: Curve | None
    beside: Beside | None
    trouble: str
    """Why nothing newer could be read beside the state."""
    events: tuple[EventLine, ...]
    """Of the run, those that came after what was read beside it."""
    now_ms: int


class DetailPanes:
    """Kept, not queried, like `Panes`. Of `PANES`, `chosen` is the number of the one that is seen
    where there is no room for all."""

    def __init__(self, job: str, chosen: int, zone: tzinfo | None) -> None:
        self._job, self.chosen, self._zone = job, chosen, zone
        self._size, self._wide = Size(), False
        self._plot, self._folds = Painted("detail-plot", fills=True), Painted("detail-folds")
        self._facts, self._events = Painted("detail-facts"), Painted("detail-events")
        self.log, self._events_head = LogPane(self._log_head), Painted("events-head")
        self._events_scroll = VerticalScroll(self._events, id="events-scroll", can_focus=False)
        self._events_scroll.anchor()  # at its end, until somebody scrolls
        self._panes = {
            "folds": VerticalScroll(self._folds, id="pane-folds", can_focus=False),
            "costs": VerticalScroll(self._facts, id="pane-facts", can_focus=False),
            "log": self.log,
            "events": Vertical(self._events_head, self._events_scroll, id="pane-events"),
        }
        self._plot_pane = Vertical(self._plot, id="pane-plot")
        right = (self._panes[name] for name in ("folds", "costs", "events"))
        self._right = Vertical(*right, id="detail-right")

    def compose(self) -> Horizontal:
        """All of them."""
        left = Vertical(self._plot_pane, self.log, id="detail-left")
        return Horizontal(left, self._right, id="detail")

    @property
    def laid_out(self) -> bool:
        """Whether they have a size yet."""
        return bool(self._plot_pane.size.width)

    def arrange(self, size: Size) -> bool:
        """All side by side, or the one that is chosen below the curves; True for the former."""
        self._size = size
        wide = self._wide = size.width >= WIDE and size.height >= TALL
        for number, name in enumerate(PANES):
            self._panes[name].display = wide or number == self.chosen
        self._right.display = wide or PANES[self.chosen] != "log"
        return wide

    def scroll(self, by: int) -> None:
        """The chosen one, by a page: up where `by` is negative."""
        name = PANES[self.chosen]
        if name == "log":
            self.log.scroll_page(by)
            return
        target = self._events_scroll if name == "events" else self._panes["costs"]
        if by < 0:
            target.scroll_page_up(animate=False)
        else:
            target.scroll_page_down(animate=False)

    # --- what they show -------------------------------------------------------------------------

    def draw(self, shown: Shown) -> None:
        """Show this; the log is read by whoever knows where it lies."""
        self._job = shown.job
        self._draw_plot(shown)
        self._draw_folds(shown)
        self._draw_facts(shown)
        self._draw_events(shown)

    def _draw_plot(self, shown: Shown) -> None:
        width, height = self._plot_pane.size
        metrics, metric = shown.metrics, shown.metric
        more = f"m: {metrics.index(metric) + 1} of {len(metrics)}" if len(metrics) > 1 else ""
        what = f" · {metric}" if metric else ""
        head = headed(f"{shown.run.name} · {shown.group.name}{what}", width, more, active=True)
        curves = drawn_curves(shown.curves, shown.job, shown.baseline)
        plotted = drawn(curves, width, height - 1, last_x=last_epoch(shown.curves))
        lines: list[Line] = [
            head,
            *(tuple((piece.text, _role(piece.style)) for piece in line) for line in plotted),
        ]
        if not plotted:
            lines.append(((f" {NO_CURVE}", "dim"),))
        self._plot.paint(lines[:height])

    def _draw_folds(self, shown: Shown) -> None:
        view, pane = shown.view, self._panes["folds"]
        width = pane.size.width or self._size.width
        folds = f" · {view.folds_done}/{view.folds} {view.unit}" if view.folds else ""
        lines = fold_lines(
            shown.run,
            view,
            shown.curves,
            shown.job,
            width - 1,
            baseline=shown.baseline,
            beside=shown.beside,
        )
        self._folds.paint([self._head(shown.group.name, width, view.status + folds), *lines])
        chosen = [one.job.id for one in shown.curves].index(shown.job)
        pane.scroll_to(y=max(0, chosen - 2), animate=False)

    def _draw_facts(self, shown: Shown) -> None:
        width = self._panes["costs"].size.width - 1
        row = shown.view.row(shown.job)
        sections = facts_of(shown.run, shown.view, row, shown.curves, shown.beside, shown.now_ms)
        if shown.trouble:
            sections = (*sections, ("not read", (("why", shown.trouble),)))
        head = () if self._wide else (self._head("", width),)
        self._facts.paint((*head, *fact_lines(sections, max(LEAST_WIDTH, width))))

    def _draw_events(self, shown: Shown) -> None:
        width = self._panes["events"].size.width
        old = shown.beside.events if shown.beside else ()
        lines = event_lines((*old, *shown.events), max(LEAST_WIDTH, width - 1), self._zone)
        self._events_head.paint([self._head("Events", width)])
        self._events.paint(lines)

    def _log_head(self, how: str) -> Line:
        return self._head(f"Log of {self._job}", self.log.size.width, how)

    def _head(self, title: str, width: int, right: str = "") -> Line:
        """The rule above a pane: its title; or all panes by number, where one is seen at a time."""
        if self._wide:
            return headed(title, width, right)
        tabs: list[Piece] = [(f"{RULE} ", "rule")]
        for number, name in enumerate(PANES):
            tabs += [(f"{number + 1} {name}  ", "bold accent" if number == self.chosen else "dim")]
        return justified(tabs, ((right, "dim"), (" ", "")), width)


def _role(style: str) -> str:
    """Of a piece of the plot."""
    return "dim" if style == "axis" else style
