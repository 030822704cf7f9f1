"""One group of a run on a screen of its own: curves, folds, log, events, costs, recipe."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from orchestrator.baselines.group import Group
from orchestrator.dashboard.group.beside import Beside, read_beside, state_with
from orchestrator.dashboard.group.detail_keys import (
    BACK,
    DEEDS,
    HELP,
    MOVES,
    OWN,
    all_keys,
    asks,
    hints_here,
    why_not_here,
)
from orchestrator.dashboard.group.detail_panes import PANES, DetailPanes, Shown
from orchestrator.dashboard.group.group_curves import (
    baseline_curve,
    curves_of,
    metrics_of,
    shown_group,
)
from orchestrator.dashboard.group.past_groups import PastGroups
from orchestrator.dashboard.ink import Line, fitted
from orchestrator.dashboard.jobs.rows import TableLine
from orchestrator.dashboard.key_line import KeyLine
from orchestrator.dashboard.keys import BY_ACTION, Key, Situation
from orchestrator.dashboard.painted import Painted
from orchestrator.dashboard.questions.question_lines import line_of
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.dashboard.stage import Stage
from orchestrator.graph import Job
from orchestrator.state.state import RunState
from orchestrator.views.plots.curves import Curve
from orchestrator.views.run.view import run_view
from skint.errors import SkintError


class Details(ModalScreen[None]):
    """Follows what `follow` is told, and reads the rest itself, in threads.

    `job` is the one that is chosen first; its group is what is shown. `pane` is the one that is
    seen where there is no room for all.
    """

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Details { background: $background; layout: vertical; }
    Details #detail { height: 1fr; layout: vertical; }
    Details.wide #detail { layout: horizontal; }
    Details #detail-left { height: 3fr; }
    Details #detail-right { height: 2fr; }
    Details.wide #detail-left, Details.wide #detail-right { height: 1fr; }
    Details.wide #detail-left { width: 3fr; margin-right: 1; }
    Details.wide #detail-right { width: 2fr; }
    Details #pane-plot { height: 3fr; }
    Details #pane-log { height: 2fr; }
    Details #pane-folds { height: 1fr; scrollbar-size: 1 1; }
    Details.wide #pane-folds { height: auto; max-height: 40%; }
    Details #pane-facts { height: 3fr; scrollbar-size: 1 1; }
    Details #pane-events { height: 2fr; }
    Details #events-scroll, Details #detail-log { height: 1fr; scrollbar-size: 1 1; }
    Details #detail-log { background: transparent; padding: 0 0 0 1; }
    Details #detail-plot { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.key, key.action, key.short) for key in OWN),
        *(Binding(BY_ACTION[name].key, f"deed('{name}')", BY_ACTION[name].short) for name in DEEDS),
        Binding("down,j", "choose(1)"),
        Binding("M", "metric(-1)"),
        Binding("shift+tab", "pane(-1)"),
        *(Binding(str(n), f"pane_at({n - 1})") for n in range(1, len(PANES) + 1)),
        Binding("pageup", "scroll_pane(-1)"),
        Binding("pagedown", "scroll_pane(1)"),
    ]

    def __init__(
        self,
        stage: Stage,
        seen: Screen,
        run: str,
        job: str,
        *,
        past: PastGroups,
        pane: str = "folds",
    ) -> None:
        super().__init__()
        self._stage, self._seen, self._run, self._job = stage, seen, run, job
        self._past, self._metric = past, 0
        self._panes = DetailPanes(job, PANES.index(pane), stage.zone)
        self._said, self._keys = Painted("detail-said"), KeyLine()
        self._beside: Beside | None = None
        self._trouble = ""
        self._asked_for: object = None
        """What the last reading beside was about; another is made when it is not this any more."""

    def compose(self) -> ComposeResult:
        yield self._panes.compose()
        yield self._said
        yield self._keys

    def on_mount(self) -> None:
        self._arrange()
        self.call_after_refresh(self.look)

    def on_resize(self) -> None:
        self.call_after_refresh(self.look)

    # --- what is shown --------------------------------------------------------------------------

    def follow(self, screen: Screen) -> None:
        """What was seen by now."""
        self._seen = screen
        self.look()

    def look(self) -> None:
        """Bring everything up to date with what was seen last."""
        screen = self._seen
        run = screen.state.runs.get(self._run)
        if run is None or self._job not in run.jobs:
            self.dismiss()  # another store has taken its place
            return
        if not self._panes.laid_out:
            return  # it looks again when it is
        self._arrange()
        group = shown_group(run.graph, run.graph.job(self._job))
        self._panes.draw(self._shown(run, group))
        self.tell()
        self._read(run, group)

    def _shown(self, run: RunState, group: Group) -> Shown:
        screen, beside = self._seen, self._beside
        runs = state_with(screen.state, beside) if beside else screen.state.runs
        metrics = metrics_of(run, group.jobs, runs)
        metric = metrics[self._metric % len(metrics)] if metrics else ""
        read = beside.events[-1].id if beside and beside.events else 0
        return Shown(
            run=run,
            view=screen.view(self._run) or run_view(run, screen.now_ms, runs),
            group=group,
            job=self._job,
            metrics=metrics,
            metric=metric,
            curves=curves_of(run, group.jobs, metric, runs),
            baseline=self._baseline_curve(metric, runs),
            beside=beside,
            trouble=self._trouble,
            events=tuple(one for one in screen.events if one.run == self._run and one.id > read),
            now_ms=screen.now_ms,
        )

    def tell(self) -> None:
        """What waits to be sent, or what a stop rule asks; and the keys that do something."""
        now, width = self._situation, self.size.width
        said: tuple[Line, ...] = ()
        if pending := self._stage.outgoing.words():
            said = (fitted(((f" {pending}", "bold attention"),), width),)
        elif asks(now):
            said = (line_of(now.screen, self._run, width, read_only=now.read_only),)
        self._said.paint(said)
        several_panes = not self.has_class("wide")
        self._keys.show(hints_here(now, several_panes=several_panes), width, (HELP, BACK))

    @property
    def _situation(self) -> Situation:
        """What a key would be about: the chosen job."""
        run = self._seen.state.runs.get(self._run)
        status = run.jobs[self._job].status if run is not None else ""
        return Situation(
            self._seen,
            (TableLine(self._run, self._job, status),),
            read_only=self._stage.read_only,
            undoable=bool(self._stage.outgoing.pending),
        )

    def _baseline_curve(self, metric: str, runs: Mapping[str, RunState]) -> Curve | None:
        beside = self._beside
        if beside is None or beside.baseline is None or beside.baseline_group is None:
            return None
        return baseline_curve(beside.baseline, beside.baseline_group, metric, runs)

    def _arrange(self) -> None:
        self.set_class(self._panes.arrange(self.size), "wide")

    # --- what is read ---------------------------------------------------------------------------

    def _read(self, run: RunState, group: Group) -> None:
        about = (group.name, tuple(run.jobs[job.id].status for job in group.jobs), run.outcome)
        if about != self._asked_for:
            self._asked_for = about
            self._read_beside(run.graph.job(self._job))
        attempt = run.current(self._job)
        path = attempt.path / "log.txt" if attempt is not None else None
        self._panes.log.read(path)

    @work(group="beside", exclusive=True)
    async def _read_beside(self, job: Job) -> None:
        try:
            self._beside = await asyncio.to_thread(
                read_beside, self._stage.home, self._run, job, self._past
            )
            self._trouble = ""
        except (SkintError, sqlite3.Error, OSError) as error:
            self._trouble = str(error)
        self.look()

    # --- keys -----------------------------------------------------------------------------------

    def action_deed(self, name: str) -> None:
        """What changes something: the same as on the main screen, about the chosen job."""
        now = self._situation
        if why := why_not_here(BY_ACTION[name], now):
            self.notify(why, severity="warning", markup=False)
        else:
            self._stage.do(name, now)

    def action_help(self) -> None:
        from orchestrator.dashboard.help import Help

        now = self._situation
        self.app.push_screen(Help([(key, why_not_here(key, now)) for key in all_keys()], MOVES))

    @on(KeyLine.Pressed)
    async def _key_clicked(self, message: KeyLine.Pressed) -> None:
        message.stop()
        key: Key = message.key
        await self.run_action(key.action if key in OWN else f"deed('{key.action}')")

    def _jobs(self) -> tuple[RunState, tuple[Job, ...]]:
        run = self._seen.state.runs[self._run]
        return run, shown_group(run.graph, run.graph.job(self._job)).jobs

    def action_choose(self, by: int) -> None:
        _, jobs = self._jobs()
        at = [job.id for job in jobs].index(self._job)
        self._job = jobs[(at + by) % len(jobs)].id
        self.look()

    def action_metric(self, by: int) -> None:
        self._metric += by
        self.look()

    def action_group(self) -> None:
        """The next group of the run."""
        run, jobs = self._jobs()
        groups: list[tuple[Job, ...]] = []
        for job in run.graph.jobs:
            if not any(job in group for group in groups):
                groups.append(shown_group(run.graph, job).jobs)
        self._job = groups[(groups.index(jobs) + 1) % len(groups)][0].id
        self._metric = 0
        self.look()

    def action_follow(self) -> None:
        self._panes.log.follow()

    def action_pane(self, by: int) -> None:
        self.action_pane_at((self._panes.chosen + by) % len(PANES))

    def action_pane_at(self, number: int) -> None:
        self._panes.chosen = number
        self._arrange()
        self.call_after_refresh(self.look)

    def action_scroll_pane(self, by: int) -> None:
        self._panes.scroll(by)
