"""`skint top`. Keys never wait: files are read, and commands put, in other threads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import tzinfo
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import DataTable, Footer, Static

from orchestrator.clock import SystemClock
from orchestrator.commands import StopJobs
from orchestrator.dashboard.budget_bars import BudgetBars
from orchestrator.dashboard.confirm import Confirm
from orchestrator.dashboard.details import Details
from orchestrator.dashboard.events_log import EventsLog
from orchestrator.dashboard.jobs_table import JobsTable
from orchestrator.dashboard.question import Question, abort_question, cancel_question
from orchestrator.dashboard.rows import about
from orchestrator.dashboard.scheduler_line import SchedulerLine
from orchestrator.dashboard.snapshot import Reader, Screen
from orchestrator.home import Home
from skint.errors import SkintError

LOOK_EVERY_S = 1.0
REPLY_EVERY_S = 0.2
REPLY_TIMEOUT_S = 20.0

READ_ONLY = "This screen is read-only: leave with q and start `skint top` without --read-only."
NO_RUNS = (
    "No runs yet.\n\n"
    "skint plan PLAN.yaml     shows what a plan would do and cost\n"
    "skint submit PLAN.yaml   queues it; it appears here by itself"
)


class Dashboard(App[None]):
    """The dashboard of `home`. `now_ms` and `zone` are the person's unless a test says otherwise.

    With `read_only` nothing can be stopped or started from here.
    """

    TITLE = "skint top"
    CSS_PATH = "dashboard.tcss"
    AUTO_FOCUS = "#jobs"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Cancel run"),
        Binding("a", "abort", "Abort fold"),
        Binding("s", "start", "Start scheduler"),
        Binding("e", "events", "Events"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        home: Home,
        *,
        read_only: bool = False,
        now_ms: Callable[[], int] | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self.home = home
        self.read_only = read_only
        self.seen = Screen(now_ms=0)
        self._now_ms = now_ms or SystemClock().now_ms
        self._reader = Reader(home)
        # Kept, not queried: a query looks into the dialog that lies above, if one does.
        self.scheduler = SchedulerLine(zone, read_only=read_only)
        self.budget = BudgetBars()
        self.jobs = JobsTable()
        self.events = EventsLog(zone)
        self._hint = Static(NO_RUNS, id="hint-empty", markup=False)
        self._about = Static("", id="about", markup=False)

    def compose(self) -> ComposeResult:
        yield self.scheduler
        yield self.budget
        with Container(id="middle"):
            with Vertical(id="work") as pane:
                pane.border_title = "Jobs"
                yield self.jobs
                yield self._hint
                yield self._about
            yield self.events
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.theme = "nord"
        self.keep_looking()
        self.set_interval(LOOK_EVERY_S, self._show_scheduler)

    async def on_unmount(self) -> None:
        await self._reader.close()

    # --- looking ------------------------------------------------------------------------------

    @work(group="look")
    async def keep_looking(self) -> None:
        """One look after the other: a slow disk makes them rarer, never more than one."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Read once and show it."""
        self.seen = screen = await self._reader.look(self._now_ms())
        if not self.jobs.is_attached:
            return  # leaving
        self._show_scheduler()
        self.budget.show(screen)
        self.jobs.show(screen)
        self.events.show(screen)
        appeared = self.jobs.has_class("empty") and bool(screen.views)
        self._hint.set_class(not screen.views, "empty")
        self.jobs.set_class(not screen.views, "empty")
        if appeared and self.focused is None:
            self.jobs.focus()  # what is hidden has lost it

    def _show_scheduler(self) -> None:
        if self.scheduler.is_attached:
            self.scheduler.show(self.seen, self._now_ms())

    @on(JobsTable.Moved)
    def _tell_about(self, message: JobsTable.Moved) -> None:
        """The sentence of the line under the cursor, for which the table has no room."""
        line = message.line
        view = self.seen.view(line.run) if line else None
        words = about(view, line.job) if view is not None and line is not None else ""
        if words != self._about.content:
            self._about.update(words)

    @on(DataTable.RowSelected)
    def _open(self) -> None:
        line = self.jobs.selected
        view = self.seen.view(line.run) if line else None
        if line is None or view is None:
            return
        if line.job:
            self.push_screen(Details(view, view.row(line.job)))
        else:
            self.jobs.toggle(line.run)

    def action_events(self) -> None:
        self.events.toggle_class("shut")

    # --- stopping and starting ----------------------------------------------------------------

    def action_cancel(self) -> None:
        line = self.jobs.selected
        if self._may_change() and line is not None:
            self._confirm(lambda: cancel_question(self.seen.state.runs[line.run], self._now_ms()))

    def action_abort(self) -> None:
        line = self.jobs.selected
        if not self._may_change() or line is None:
            return
        if not line.job:
            self._say("Move to a fold first: a stops one, c cancels the whole run.", bad=True)
            return
        run = self.seen.state.runs[line.run]
        self._confirm(lambda: abort_question(run, line.job, self._now_ms()))

    def _confirm(self, question: Callable[[], Question]) -> None:
        try:
            asked = question()
        except ValueError as error:
            self._say(str(error), bad=True)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.stop_jobs(asked.request)

        self.push_screen(Confirm(asked), answered)

    @work(group="ask")
    async def stop_jobs(self, request: StopJobs) -> None:
        """Put the command into the inbox, have a scheduler there to obey it, tell its reply."""
        try:
            command = await self._reader.ask(request, self._now_ms())
            await asyncio.to_thread(self.home.start_scheduler)
            for _ in range(round(REPLY_TIMEOUT_S / REPLY_EVERY_S)):
                reply = await self._reader.reply(command)
                if reply is not None:
                    self._say(reply.text, bad=not reply.ok)
                    return
                await asyncio.sleep(REPLY_EVERY_S)
            self._say("The scheduler did not answer; the command stays queued for it.", bad=True)
        except (SkintError, sqlite3.Error, OSError) as error:
            self._say(f"{error}\nA command that was queued stays so.", bad=True)

    def action_start(self) -> None:
        if self._may_change():
            self.start_scheduler()

    @work(group="start", exclusive=True)
    async def start_scheduler(self) -> None:
        try:
            pid = await asyncio.to_thread(self.home.start_scheduler)
        except (SkintError, OSError) as error:
            self._say(str(error), bad=True)
            return
        self._say(f"The scheduler runs, pid {pid}.")
        await self.look()

    def _may_change(self) -> bool:
        if self.read_only:
            self._say(READ_ONLY, bad=True)
        return not self.read_only

    def _say(self, words: str, *, bad: bool = False) -> None:
        self.notify(words, severity="warning" if bad else "information", markup=False)
