"""`skint top`. Keys never wait: files are read, and commands put, in other threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen as TextualScreen

from orchestrator.clock import SystemClock
from orchestrator.dashboard.jobs.filter_line import FilterLine
from orchestrator.dashboard.jobs.jobs_table import JobsTable
from orchestrator.dashboard.jobs.lanes import LaneWatch
from orchestrator.dashboard.jobs.rows import worth_seeing
from orchestrator.dashboard.key_line import KeyLine
from orchestrator.dashboard.keys import KEYS, MOVES, Key, Situation, why_not
from orchestrator.dashboard.layout import Layout
from orchestrator.dashboard.painted import THEME
from orchestrator.dashboard.panes import Panes
from orchestrator.dashboard.questions.deeds import ASKS, SENDS, question_of, sent_at_once
from orchestrator.dashboard.questions.outgoing import GRACE_S, Outgoing
from orchestrator.dashboard.questions.question import Choice
from orchestrator.dashboard.reading.reader import Reader
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.home import Home
from skint.errors import SkintError

if TYPE_CHECKING:
    from orchestrator.dashboard.group.past_groups import PastGroups

LOOK_EVERY_S = 1.0
MOST_SHARE = 0.1
"""Of a core, that looking may cost; with more to look at it is done less often."""
SELDOMEST_S = 4.0
RESIZED_S = 1 / 60
"""Textual itself waits half as long for the last one of many sizes."""


class Dashboard(App[None]):
    """The dashboard of `home`. `now_ms`, `zone` and `watch` are the person's and the machine's
    unless a test says otherwise; `grace_s` is how long a stop can be taken back.

    With `read_only` nothing can be stopped or started from here.
    """

    TITLE = "skint top"
    CSS_PATH = "dashboard.tcss"
    AUTO_FOCUS = "#jobs"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key.key, f"press('{key.action}')", key.short, priority=key.action == "filter")
            for key in KEYS
            if key.action != "command_palette"
        ),
        Binding("ctrl+c", "quit", show=False),
    ]

    def __init__(
        self,
        home: Home,
        *,
        read_only: bool = False,
        now_ms: Callable[[], int] | None = None,
        zone: tzinfo | None = None,
        watch: LaneWatch | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name  # now: once it runs, all styles would be read again
        self.home = home
        self.read_only = read_only
        self.zone = zone
        self.seen = Screen(now_ms=0)
        self._now_ms = now_ms or SystemClock().now_ms
        self._reader = Reader(home, watch)
        self.outgoing = Outgoing(home, self._reader, self._say, self._now_ms, grace_s)
        self._panes = Panes(zone, read_only=read_only)
        self.jobs = self._panes.jobs
        self._filter = FilterLine()
        self._past: PastGroups | None = None

    def compose(self) -> ComposeResult:
        yield from self._panes.compose()

    def on_mount(self) -> None:
        self._fit(Layout.fitting(*self.size))
        self.keep_looking()
        self.set_interval(LOOK_EVERY_S, self._tick)

    async def on_unmount(self) -> None:
        try:
            await self.outgoing.flush()
        finally:
            await self._reader.close()

    def _fatal_error(self) -> None:
        """Textual would show the values of all variables: a minute's work where they are many."""
        from rich.traceback import Traceback

        self.panic(Traceback(show_locals=False, width=None))

    # --- looking ------------------------------------------------------------------------------

    @work(group="look")
    async def keep_looking(self) -> None:
        """One look after the other: a slow disk makes them rarer, never more than one; so do
        thousands of jobs, as looking is to cost little."""
        while True:
            before_s = time.process_time()
            await self.look()
            cost_s = time.process_time() - before_s
            await asyncio.sleep(min(max(LOOK_EVERY_S, cost_s / MOST_SHARE), SELDOMEST_S))

    async def look(self) -> None:
        """Read once and show it."""
        self.seen = await self._reader.look(self._now_ms())
        if not self.jobs.is_attached:
            return  # leaving
        self.draw()
        follow = getattr(self.screen, "follow", None)
        if follow is not None:
            follow(self.seen)

    def draw(self) -> None:
        """Show what was seen last."""
        if self.seen.now_ms:  # something has been read
            self._tick()
            self._panes.draw(self.seen)

    def _tick(self) -> None:
        """What time alone changes, also while something is being read."""
        if not self.jobs.is_attached:
            return
        waited = bool(self.outgoing.pending)
        for choice in self.outgoing.due():
            self.send(choice)
        self._panes.tick(self.seen, self._now_ms())
        if waited:  # for how long it can still be undone
            self._tell()

    @on(JobsTable.Moved)
    def _tell(self) -> None:
        self._panes.tell(self.situation, self.outgoing.words())
        told = getattr(self.screen, "tell", None)
        if told is not None:
            told()

    def on_resize(self, event: Resize) -> None:
        self._fit(Layout.fitting(*event.size))
        self.set_timer(RESIZED_S, self.draw)

    def _fit(self, layout: Layout) -> None:
        self.screen_stack[0].set_class(bool(layout.tiny), "tiny")
        self._panes.fit(layout)

    # --- keys ---------------------------------------------------------------------------------

    @property
    def situation(self) -> Situation:
        """What a key would be about now."""
        line = self.jobs.selected
        return Situation(
            self.seen,
            self.jobs.marked or ((line,) if line is not None and not line.more else ()),
            read_only=self.read_only,
            undoable=bool(self.outgoing.pending),
            arranged=bool(self.jobs.marked or self.jobs.arrangement.text),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is typed into the filter, or meant for a screen above, is no key of this one."""
        on_it = len(self.screen_stack) == 1 and self.focused is not self._filter
        return action != "press" or on_it

    async def action_press(self, action: str) -> None:
        """Do what a key of `KEYS` does, or say why not."""
        now = self.situation
        if action in (*ASKS, *SENDS, "undo") or why_not(action, now):
            self.do(action, now)
        elif action == "filter":
            await self._filter_begins()
        else:
            self._others[action]()

    def do(self, action: str, now: Situation) -> None:
        """What changes something, about what `now` says; or say why not."""
        if why := why_not(action, now):
            self._say(why, True)
        elif action in ASKS:
            self._ask(action, now)
        elif action in SENDS:
            self.send(sent_at_once(action, now))
            self._decided(now)
        else:
            self._undo()

    @property
    def _others(self) -> dict[str, Callable[[], object]]:
        return {
            "detail": self._detail,
            "log": lambda: self._detail("log"),
            "burn_down": self._burn_down,
            "events": self._show_events,
            "report": self.write_report,
            "sort": lambda: self._arrange(order=self.jobs.arrangement.next_order),
            "turn": lambda: self._arrange(turned=not self.jobs.arrangement.turned),
            "mark": self.jobs.mark,
            "clear": self._clear,
            "start": self.start_scheduler,
            "help": self._help,
            "quit": self.exit,
        }

    def get_system_commands(self, screen: TextualScreen[object]) -> Iterable[SystemCommand]:
        """The same keys by name; without what cannot be done now."""
        now = self.situation
        for key in KEYS:
            if key.action != "command_palette" and not why_not(key.action, now):
                yield SystemCommand(key.short, f"{key.does} ({key.shown})", self._pressing(key))

    def _pressing(self, key: Key) -> Callable[[], Awaitable[None]]:
        return lambda: self.action_press(key.action)

    @on(KeyLine.Pressed)
    async def _key_clicked(self, message: KeyLine.Pressed) -> None:
        if message.key.action == "command_palette":
            self.action_command_palette()
        else:
            await self.action_press(message.key.action)

    # --- stopping and starting ----------------------------------------------------------------

    def _ask(self, action: str, now: Situation) -> None:
        from orchestrator.dashboard.questions.confirm import Confirm

        try:
            asked = question_of(action, now)
        except ValueError as error:
            self._say(str(error), True)
            return

        def answered(choice: Choice | None) -> None:
            if choice is None or not choice.requests:
                return
            if not self.outgoing.put(choice):
                self.send(choice)
            self._decided(now)

        self.push_screen(Confirm(asked), answered)

    def _decided(self, now: Situation) -> None:
        if now.lines == self.jobs.marked:
            self.jobs.clear_marks()
        self.call_later(self._tell)  # the question is gone by then

    @work(group="ask")
    async def send(self, choice: Choice) -> None:
        """Put its commands into the inbox, and tell the replies."""
        await self.outgoing.send(choice)

    def _undo(self) -> None:
        taken = self.outgoing.take_back()
        if taken is not None:
            self._say(f"{taken.what} was not sent: nothing has changed", False)
            self._tell()

    @work(group="start", exclusive=True)
    async def start_scheduler(self) -> None:
        try:
            pid = await asyncio.to_thread(self.home.start_scheduler)
        except (SkintError, OSError) as error:
            self._say(str(error), True)
            return
        self._say(f"The scheduler runs, pid {pid}.", False)
        await self.look()

    def _say(self, words: str, bad: bool) -> None:
        self.notify(words, severity="warning" if bad else "information", markup=False)

    # --- other screens ------------------------------------------------------------------------

    def _detail(self, pane: str = "folds") -> None:
        from orchestrator.dashboard.group.details import Details
        from orchestrator.dashboard.group.past_groups import PastGroups

        line = self.jobs.selected
        view = self.seen.view(line.run) if line else None
        if line is None or view is None or not view.rows:
            return
        job = line.job or worth_seeing(view)
        self._past = self._past or PastGroups()
        self.push_screen(Details(self, self.seen, line.run, job, past=self._past, pane=pane))

    @on(JobsTable.Opened)
    def _opened(self) -> None:
        self._detail()

    def _burn_down(self) -> None:
        from orchestrator.dashboard.budget.burn_down import BurnDown

        line = self.jobs.selected
        view = self.seen.view(line.run) if line else None
        account = view.account if view else None
        self.push_screen(BurnDown(self.home, self.seen, account, zone=self.zone))

    def _show_events(self) -> None:
        from orchestrator.dashboard.events_screen import EventsScreen

        self.push_screen(EventsScreen(self.seen, self.zone))

    def _help(self) -> None:
        from orchestrator.dashboard.help import Help

        now = self.situation
        self.push_screen(Help([(key, why_not(key.action, now)) for key in KEYS], MOVES))

    @work(group="report", exclusive=True)
    async def write_report(self) -> None:
        from orchestrator.dashboard.report_command import report_of

        line = self.jobs.selected
        if line is not None:
            self._say("the report is being written", False)
            self._say(*await asyncio.to_thread(report_of, self.home, line.run))

    # --- the list -----------------------------------------------------------------------------

    def _arrange(self, **changes: object) -> None:
        self.jobs.arrangement = replace(self.jobs.arrangement, **changes)  # type: ignore[arg-type]
        self.draw()

    async def _filter_begins(self) -> None:
        """It has the focus before the next key is looked at, however fast somebody types: so its
        key comes before those of the table."""
        self._filter = FilterLine(self.jobs.arrangement.text)
        await self.mount(self._filter, before=self._panes.about)
        self.screen.set_focus(self._filter)

    @on(FilterLine.Changed)
    def _filter_changed(self, message: FilterLine.Changed) -> None:
        self._arrange(text=message.value)

    @on(FilterLine.Left)
    def _filter_left(self, message: FilterLine.Left) -> None:
        self._filter.remove()
        self.screen.set_focus(self.jobs)
        self._arrange(text=message.text)

    def _clear(self) -> None:
        self.jobs.clear_marks()
        self._arrange(text="")
