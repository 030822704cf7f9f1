"""The panes of the main screen: which there are, how large, and what they show."""

from __future__ import annotations

from datetime import tzinfo

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from orchestrator.dashboard.budget.budget_bars import budget_lines
from orchestrator.dashboard.event_lines import event_lines
from orchestrator.dashboard.ink import Line, fitted, headed
from orchestrator.dashboard.jobs.columns import head_of
from orchestrator.dashboard.jobs.jobs_table import JobsTable
from orchestrator.dashboard.jobs.lane_lines import lane_lines
from orchestrator.dashboard.jobs.rows import about
from orchestrator.dashboard.jobs.selected import selected_lines
from orchestrator.dashboard.key_line import KeyLine
from orchestrator.dashboard.keys import Situation, hints
from orchestrator.dashboard.layout import Layout
from orchestrator.dashboard.painted import Painted
from orchestrator.dashboard.questions.question_lines import question_lines
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.dashboard.scheduler_line import scheduler_line

NO_RUNS: tuple[Line, ...] = (
    (),
    (("  No runs yet.", "bold"),),
    (("  skint plan PLAN.yaml     ", "accent"), ("shows what a plan would do and cost", "dim")),
    (("  skint submit PLAN.yaml   ", "accent"), ("queues it; it appears here by itself", "dim")),
)
EVENTS_SHOWN = 80


class Panes:
    """Kept, not queried: a query looks into the dialog that lies above, if one does."""

    def __init__(self, zone: tzinfo | None, *, read_only: bool) -> None:
        self._zone, self._read_only = zone, read_only
        self._layout = Layout.fitting(80, 24)
        self.top, self.asked = Painted("scheduler"), Painted("questions")
        self.budget, self.lanes = Painted("budget"), Painted("lanes")
        self.jobs_head, self.empty = Painted("jobs-head"), Painted("empty")
        self.jobs = JobsTable()
        self.side, self.events = Painted("side", fills=True), Painted("events", fills=True)
        self.about, self.keys = Painted("about"), KeyLine()
        self.tiny = Painted("tiny")

    def compose(self) -> ComposeResult:
        yield self.tiny
        with Vertical(id="all"):
            yield self.top
            yield self.asked
            yield self.budget
            yield self.lanes
            with Horizontal(id="middle"):
                with Vertical(id="work"):
                    yield self.jobs_head
                    yield self.jobs
                    yield self.empty
                yield self.side
            yield self.events
            yield self.about
            yield self.keys

    def fit(self, layout: Layout) -> None:
        """Give each its room."""
        self._layout = layout
        self.tiny.paint([((line, "attention"),) for line in layout.tiny.splitlines()])
        self.side.display = bool(layout.side)
        self.side.styles.width = layout.side or 1
        self.events.display = bool(layout.events)
        self.events.styles.height = layout.events or 1

    def draw(self, screen: Screen) -> None:
        """What was seen; only what has changed is sent to the terminal."""
        layout = self._layout
        self.budget.paint(budget_lines(screen, layout.width))
        self.lanes.paint(lane_lines(screen, layout.width, most=layout.devices))
        self.jobs.show(screen)
        self.jobs_head.paint((head_of(self.jobs.widths, self._jobs_title(), layout.main),))
        if layout.events:
            lines = event_lines(screen, layout.events - 1, self._zone, layout.width)
            self.events.paint((headed("Events", layout.width), *lines))
        self.empty.paint(() if screen.views else NO_RUNS)
        self.jobs.set_class(not screen.views, "empty")
        if screen.views and self.jobs.app.focused is None and not layout.tiny:
            self.jobs.focus()  # what was hidden has lost it

    def tick(self, screen: Screen, now_ms: int) -> None:
        """What time alone changes."""
        width, read_only = self._layout.width, self._read_only
        self.top.paint((scheduler_line(screen, now_ms, self._zone, width, read_only=read_only),))
        self.asked.paint(question_lines(screen, now_ms, width, read_only=read_only))

    def tell(self, now: Situation, pending: str) -> None:
        """The sentence on the line under the cursor, and the keys that do something to it;
        `pending` says what can still be undone."""
        width = self._layout.width
        line = self.jobs.selected
        view = now.screen.view(line.run) if line else None
        words = about(view, line.job) if view and line and not line.more else ""
        said: Line = ((f" {words}", "dim"),)
        if pending:
            said = ((f" {pending}", "bold attention"),)
        elif marked := len(self.jobs.marked):
            text = f" {marked} marked: keys mean all of them"
            said = ((text, "attention"), (f" · {words}", "dim"))
        elif self.jobs.arrangement.text:
            shown = f" {len(self.jobs.runs_shown)} of {len(now.screen.views)} runs"
            text = f" with “{self.jobs.arrangement.text}”; Esc ends the filter"
            said = ((shown + text, "attention"), (f" · {words}", "dim"))
        self.about.paint((fitted(said, width),))
        self.keys.show(hints(now), width)
        if side := self._layout.side:
            self.side.paint(self._side_lines(now.screen, side))

    def _side_lines(self, screen: Screen, width: int) -> tuple[Line, ...]:
        chosen = selected_lines(screen, self.jobs.selected, width)
        room = max(1, self.side.size.height - len(chosen) - 2)
        events = event_lines(screen, min(room, EVENTS_SHOWN), self._zone, width)
        return (*chosen, (), headed("Events", width), *events)

    def _jobs_title(self) -> str:
        chosen = self.jobs.arrangement
        turned = " ↑" if chosen.turned else ""
        return "Jobs" if chosen.order == "age" and not turned else f"Jobs by {chosen.order}{turned}"
