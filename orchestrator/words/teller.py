"""The words for one event of a run: what a person may want to read later, or has to act on. Pure.

Keys are made of the events alone, so that telling the same events again tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from budget.duration import HOUR_MS
from budget.instant import format_instant
from notifiers.base import About, Curve, Notice, Picture, Topic
from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.pictures.drawn import mistakes_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, job_of
from orchestrator.views.budget.charges import freed_ms, unit_of
from orchestrator.views.budget.savings import kept, saved_words
from orchestrator.views.figures import amount, figure
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.seen import Seen
from orchestrator.views.run.view import RunView
from orchestrator.words import buttons
from orchestrator.words.decisions import Decisions, doers, why
from orchestrator.words.headline import came_to, result
from orchestrator.words.outside import Outside


@dataclass(frozen=True)
class Teller:
    """The words for the events of a run, with the times on the clock of `zone`."""

    seen: Seen
    at_ms: int
    zone: str
    outside: Outside

    @property
    def run(self) -> RunState:
        return self.seen.run

    @property
    def view(self) -> RunView:
        """The whole; ask for `seen.row` where one row will do."""
        return self.seen.whole

    @property
    def _decisions(self) -> Decisions:
        return Decisions(self.run, self.view, self.at_ms, self.zone)

    def tell(self, event: e.Event) -> Iterator[Notice]:
        match event:
            case e.VerdictGiven():
                yield self._decisions.verdict(event)
            case e.VerdictAnswered():
                yield from self._decisions.answered(event)
            case e.JobsResumed():
                yield self._decisions.resumed(event)
            case e.JobsPaused():
                yield self._decisions.paused(event)
            case e.JobsUnpaused():
                yield self._decisions.unpaused(event)
            case e.JobsRetried():
                yield self._decisions.retried(event)
            case e.StopAsked(reason="paused"):
                pass  # what was paused has been told, with its hours
            case e.StopAsked() if not event.by.startswith("rule "):
                if not self._decisions.is_answer(event):
                    yield self._decisions.stop(event)
            case e.JobWaited(reason="over-budget" | "group"):
                yield self._over_budget(event)
            case e.JobWaited(reason="parked"):
                yield self._parked(event)
            case e.JobWaited(reason="retry"):
                title = f"{self._row(event.job).title}: {event.sentence}"
                ended = self._ended(event.job)
                key = f"{event.job}/retry/{ended.fence if ended else 0}"
                yield self._notice("reply", key, title, self._cause(event.job, title))
            case e.AttemptUnreachable():
                # At most once an hour: an engine that answers every other time is one problem.
                key = f"unreachable/{event.attempt}/{event.at_ms // HOUR_MS}"
                title = f"{self._row(job_of(event.attempt)).title}: {event.sentence}"
                yield self._notice("reply", key, title)
            case e.KeptIdle():
                title = f"{self._row(job_of(event.attempt)).title}: {event.sentence}"
                key = f"idle/{event.attempt}"
                yield self._notice("alert", key, title, [_MOVE_CPU_WORK], about="decision")
            case e.NoteWritten():
                row = self._row(job_of(event.attempt))
                key = f"note/{row.group}/{event.text}"  # what every fold says is told once
                yield self._notice("reply", key, f"{row.title}: {event.text}")
            case e.JobEnded():
                yield from self._job_ended(event)
            case e.RunEnded():
                yield self._run_ended(event)

    def _notice(
        self,
        topic: Topic,
        key: str,
        title: str,
        lines: Sequence[str] = (),
        curve: Curve | None = None,
        *,
        about: About = "news",
        pictures: tuple[Picture, ...] = (),
        typed: tuple[str, ...] = (),
        quoted: Sequence[str] = (),
        persons: tuple[str, ...] = (),
    ) -> Notice:
        return Notice(
            run=self.run.name,
            topic=topic,
            key=f"{self.run.name}/{key}",
            title=title,
            lines=tuple(line for line in lines if line),
            curve=curve,
            pictures=pictures,
            typed=typed,
            quoted=tuple(quoted),
            persons=persons,
            about=about,
            at_ms=self.at_ms,
        )

    def _row(self, job: str) -> JobRow:
        return self.seen.row(job)

    def _unused(self, jobs: Sequence[Job]) -> str:
        free_ms = freed_ms(self.run, jobs, self.at_ms)
        return (
            f"up to {amount(free_ms, unit_of(self.run))} of reserve free again" if free_ms else ""
        )

    # --- jobs -------------------------------------------------------------------------------------

    def _over_budget(self, event: e.JobWaited) -> Notice:
        # Once for each reset and not for each fold: they all wait for the same.
        until = ""
        if event.until_ms is not None:
            until = f" for hours until {format_instant(event.until_ms, self.zone)}"
        return self._notice(
            "reply",
            f"over-budget/{event.until_ms}",
            f"{self._row(event.job).title} waits{until}",
            [event.sentence, "nothing was started; it goes on by itself when enough is free"],
        )

    def _parked(self, event: e.JobWaited) -> Notice:
        attempts = len(self.run.jobs[event.job].attempts)
        row = self._row(event.job)
        until = ""
        if event.until_ms is not None:
            until = f"not before {format_instant(event.until_ms, self.zone)}"
        title = f"{row.title} {event.sentence}"
        return self._notice(
            "reply",
            f"{event.job}/parked/{attempts}",
            title,
            [_cost(row, unit_of(self.run)), until],
            persons=doers(self.run),
        )

    def _job_ended(self, event: e.JobEnded) -> Iterator[Notice]:
        if not is_told(self.run, event):
            return
        row = self._row(event.job)
        key = f"{event.job}/{event.outcome}/{len(self.run.jobs[event.job].attempts)}"
        if event.outcome == "failed":
            title = f"{row.title} failed: {self._what(event)}"
            tail = self._tail(event.job)
            lines = [*self._cause(event.job), *(["its last lines:"] if tail else [])]
            yield self._notice("alert", key, title, lines, about="trouble", quoted=tail)
        elif event.outcome == "done":
            score = f": {row.metric} {figure(row.value)}" if row.value is not None else ""
            lines = [_cost(row, self.view.amounts_in), self._mean_so_far()]
            title = f"{row.title} done{score}"
            yield self._notice("reply", key, title, lines, self._curve(), pictures=self._grid(row))
        elif event.outcome == "stopped":
            parts = [
                _cost(row, unit_of(self.run)),
                self._unused([self.run.graph.job(event.job)]),
                saved_words(
                    [one for one in kept([*self.run.savings.values()]) if one.job == event.job]
                ),
            ]
            lines = [" · ".join(part for part in parts if part)]
            title = f"{row.title} {row.status}"
            if event.reason == "deadline":
                title = f"{title}: {row.why}"
                lines.append(f"next: a longer `limit` for {row.group} in the plan")
            yield self._notice("reply", key, title, lines)

    def _what(self, event: e.JobEnded) -> str:
        attempt = self._ended(event.job)
        if attempt is not None and attempt.error and attempt.error.get("what"):
            return attempt.error["what"]
        return event.sentence

    def _cause(self, job: str, title: str = "") -> list[str]:
        """Where, got, wanted, next: whatever is known of how the last attempt ended, and does not
        stand in `title`."""
        attempt = self._ended(job)
        if attempt is None:
            return []
        parts = attempt.error or {}
        said = [f"{name}: {parts[name]}" for name in _PARTS if parts.get(name, title) not in title]
        return [*said, f"log: {attempt.folder}/log.txt"]

    def _tail(self, job: str) -> list[str]:
        """What it printed last."""
        attempt = self._ended(job)
        tail = self.outside.log_tail(f"{attempt.folder}/log.txt") if attempt is not None else ""
        return tail.splitlines()

    def _ended(self, job: str) -> AttemptState | None:
        """The last attempt that is over: the next one may have been planned already."""
        attempts = [self.run.attempts[name] for name in self.run.jobs[job].attempts]
        return next((a for a in reversed(attempts) if not a.live), None)

    def _mean_so_far(self) -> str:
        if self.view.folds < 2 or self.view.spread is None:
            return ""
        of = f"{self.view.folds_done} of {self.view.folds} {self.view.unit}"
        return f"{result(self.view)} over {of}"

    def _grid(self, row: JobRow) -> tuple[Picture, ...]:
        """The pictures that it predicted, where its job publishes them; drawn when they are
        sent."""
        attempt = self._ended(row.id)
        if attempt is None:
            return ()
        return (mistakes_of(attempt.folder, f"{self.run.name}: {row.title}"),)

    def _curve(self) -> Curve | None:
        """All folds so far, in one picture."""
        series = {row.title.split(" (")[0]: row.points for row in self.view.fold_rows if row.points}
        if not series:
            return None
        title = f"{self.run.name}: {self.view.metric} by epoch"
        return Curve(title, self.view.metric, series)

    # --- the end ----------------------------------------------------------------------------------

    def _run_ended(self, event: e.RunEnded) -> Notice:
        view, score = self.view, result(self.view)
        if event.outcome == "done" and score:
            title, lines = f"done: {score}{f' ({view.folds} folds)' if view.folds > 1 else ''}", []
        else:
            title = f"{self.run.outcome}: {came_to(self.run, view)}"
            stops = [stop for stop in self.run.stops if stop.then == "end"]
            stops.sort(key=lambda stop: stop.scope != "run")
            lines = [why(stop) for stop in stops[:1]]  # who ended the run, not a fold before
            lines += [] if lines else [self._failed()]
        if not self.run.cpu_only:
            begun = [row for row in view.fold_rows if row.wall_ms is not None or row.value]
            lines += [_fold_line(row, view.amounts_in) for row in begun]
            rest = len(view.fold_rows) - len(begun)
            lines.append(f"{rest} fold{'s' if rest != 1 else ''} not begun" if rest else "")
            lines.append(self._hours())
        return self._notice(
            "alert",
            f"ended/{event.at_ms}",
            title,
            lines,
            self._curve(),
            about="end",
            # The button is on the head alone, which loses it when it was pressed.
            typed=buttons.typed_of_head(self.run, self.view),
            persons=doers(self.run),
        )

    def _failed(self) -> str:
        """What went wrong first."""
        rows = [row for row in self.view.rows if row.status == "failed"]
        if not rows:
            return ""
        attempt = self._ended(rows[0].id)
        what = (attempt.error or {}).get("what") if attempt is not None else None
        return f"{rows[0].title} failed: {what or rows[0].why}"

    def _hours(self) -> str:
        used_ms = self.view.charged_ms + self.view.in_flight_ms
        simulated = " (simulated)" if self.view.simulated else ""
        parts = []
        if self.view.fold_rows:
            charged = amount(used_ms, self.view.amounts_in) if used_ms else "nothing"
            parts.append(f"{charged} charged to {self.run.graph.account}{simulated}")
        if saved := saved_words(self.view.savings):
            parts.append(saved)
        return " · ".join(parts)


def is_told(run: RunState, event: e.Event) -> bool:
    """Whether there are words for it beside the head. There are none for most of what happens."""
    if isinstance(event, e.JobEnded):
        if event.outcome == "done":
            return run.graph.job(event.job).devices > 0
        return event.outcome == "failed" or (
            event.outcome == "stopped" and bool(run.jobs[event.job].attempts)
        )
    if isinstance(event, e.JobWaited):
        return event.reason in _WAITS_TOLD
    return not isinstance(event, _SILENT)


_WAITS_TOLD = ("over-budget", "group", "parked", "retry")
_SILENT = (
    e.AttemptPlanned,
    e.AttemptAccepted,
    e.AttemptStarted,
    e.AttemptReached,
    e.AttemptEnded,
    e.AttemptMetered,
    e.MetricsReported,
    e.ProgressMade,
    e.StageEntered,
    e.CheckpointKept,
    e.JobReused,
    e.AllocationPlanned,
    e.AllocationReserved,
    e.AllocationStarted,
    e.AllocationEnded,
)
"""Kinds without words of their own that happen again and again."""

_MOVE_CPU_WORK = (
    "next: do what the device waits for in a job with `devices: 0` that this one `needs`,"
    " or stop it"
)


_PARTS = ("where", "got", "wanted", "next")


def _cost(row: JobRow, unit: str) -> str:
    epochs = ""
    if row.epoch is not None:
        ended = row.epochs is None or row.epoch == row.epochs
        count = f"{row.epoch} epoch{'' if row.epoch == 1 else 's'}"
        epochs = count if ended else f"after epoch {row.epoch} of {row.epochs}"
    used_ms = row.used_ms
    charged = f"{amount(used_ms, unit)} charged" if row.lane == "accelerator" else ""
    return " · ".join(part for part in (epochs, charged) if part)


def _fold_line(row: JobRow, unit: str) -> str:
    if row.status in ("done", "reused"):
        score = f"{row.metric} {figure(row.value)}" if row.value is not None else row.status
        cost = f"known already, {row.why}" if row.status == "reused" else _cost(row, unit)
        return f"{row.title}: {score} · {cost}"
    cost = _cost(row, unit) if row.wall_ms is not None else ""
    return " · ".join(part for part in (f"{row.title}: {row.status}", cost) if part)
