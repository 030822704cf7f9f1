"""What screens and messages show of a run: computed from its state, and cheap to import.

`run_view` is pure. Times are milliseconds; charges are in the milliseconds of the account.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean, stdev

from orchestrator.events.holding import Hold
from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.saving_state import SavingState
from orchestrator.state.sorts import QUEUED
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import (
    attempt_in_flight_ms,
    in_flight_ms,
    is_simulated,
    unit_of,
    wall_ms,
)
from orchestrator.views.plots.glyphs import bar, sparkline
from orchestrator.views.run.counting import counted
from orchestrator.views.run.gaps import in_step_share
from orchestrator.views.run.run_eta import run_eta
from orchestrator.views.run.training import Eta, Training, eta_of, training_of
from orchestrator.views.words.job import status_of, title_of, why_of
from orchestrator.views.words.persons import in_words
from orchestrator.views.words.said import Said, said_of

__all__ = ["Eta", "JobRow", "RunView", "bar", "run_view", "sparkline", "title_of"]


@dataclass(frozen=True)
class JobRow:
    """One job, as a line of a table."""

    id: str
    title: str
    """`scan`, `fold 0 (1 of 3)`, `smoke test of train`."""
    group: str
    lane: str
    status: str
    """waiting, paused, reserving, starting, running, unreachable, stopping, parking, done, reused,
    failed, stopped, parked or skipped."""
    fold: int | None = None
    folds: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    progress: float | None = None
    """Share of 0 to 1; None where it is not known."""
    counted: str = ""
    """Of a job that counts something else than epochs: "412 of 1,000 · 92/s · 6 s left"."""
    metric: str = ""
    value: float | None = None
    """The score once there is one, else the newest value; may be NaN."""
    best: float | None = None
    history: tuple[float, ...] = ()
    """The metric, epoch by epoch."""
    points: tuple[tuple[float, float], ...] = ()
    """(epoch, value): the same for a plot."""
    eta: Eta | None = None
    charged_ms: int = 0
    in_flight_ms: int = 0
    saved_ms: int = 0
    """What running it again would have cost, where a known result stands in."""
    wall_ms: int | None = None
    """From start to end, or to now, of all its attempts; None if it never started."""
    until_ms: int | None = None
    """When it may go on, where it waits for that."""
    why: str = ""
    """Why it waits, stops or has ended so; empty when there is nothing to explain."""
    notes: tuple[str, ...] = ()
    """What its newest attempt said for a person; what matters most comes first."""
    error: Mapping[str, str] = field(default_factory=dict)
    """Of one that failed, as far as it is known: what, where, got, wanted, next."""
    log: str = ""
    """The log file of its newest attempt; empty where there is none."""

    @property
    def note(self) -> str:
        """The first of its notes; empty where it has none."""
        return self.notes[0] if self.notes else ""

    @property
    def eta_ms(self) -> int | None:
        return self.eta.likely_ms if self.eta else None

    @property
    def ended(self) -> bool:
        return self.status in ("done", "reused", "failed", "stopped", "skipped")


@dataclass(frozen=True)
class RunView:
    name: str
    status: str
    """queued, running, waiting, paused, unreachable, stopping; done, failed, stopped, cancelled."""
    account: str | None
    rows: tuple[JobRow, ...]
    folds_done: int = 0
    folds: int = 0
    """How many `unit` there are."""
    metric: str = ""
    mean: float | None = None
    """Of the scores of the folds that are done; None where they are of a matrix."""
    spread: float | None = None
    """Their sample standard deviation; None below two."""
    charged_ms: int = 0
    in_flight_ms: int = 0
    saved_ms: int = 0
    savings: tuple[SavingState, ...] = ()
    in_step: float | None = None
    """The part of the time that devices were kept in which steps were done, 0 to 1."""
    eta: Eta | None = None
    """Until the last accelerator job ends; None unless each part of it was measured."""
    sentence: str = ""
    """What it does, why it waits, or how it ended."""
    simulated: bool = False
    """Its devices are simulated."""
    amounts_in: str = "device"
    """The unit of its account, as `Account.unit`."""
    submitted_ms: int = 0
    ended_ms: int | None = None
    verdicts: tuple[Said, ...] = ()
    """What stop rules have said, the oldest first."""

    @property
    def eta_ms(self) -> int | None:
        return self.eta.likely_ms if self.eta else None

    def row(self, job: str) -> JobRow:
        """KeyError if there is none."""
        return self._by_id[job]

    @cached_property
    def _by_id(self) -> dict[str, JobRow]:
        return {row.id: row for row in self.rows}

    @property
    def unit(self) -> str:
        """What `folds` counts: folds, or all jobs on accelerators where there are none."""
        return "folds" if any(row.fold is not None for row in self.fold_rows) else "jobs"

    @property
    def fold_rows(self) -> tuple[JobRow, ...]:
        """The jobs that `mean` and `spread` are about: the folds of the first group that trains
        them, else the first group on an accelerator."""
        trained = [row for row in self.rows if row.lane == "accelerator"]
        folds = [row for row in (*trained, *self.rows) if row.fold is not None]
        first = next(iter((*folds, *trained)), None)
        return tuple(row for row in self.rows if first and row.group == first.group)


def run_view(
    run: RunState,
    now_ms: int,
    runs: Mapping[str, RunState] | None = None,
    holds: Sequence[Hold] = (),
) -> RunView:
    """`runs` lets reused results show the scores that they had in the run they come from, `holds`
    let what waits say that it is held."""
    rows = tuple(job_row(run, job, now_ms, runs or {}, holds) for job in run.graph.jobs)
    status = _status(run, rows)
    view = RunView(
        name=run.name,
        status=status,
        account=run.graph.account,
        rows=rows,
        charged_ms=sum(a.charged_ms for a in run.allocations.values()),
        in_flight_ms=sum(in_flight_ms(a, now_ms) for a in run.allocations.values()),
        saved_ms=sum(saving.amount_ms for saving in run.savings.values()),
        savings=tuple(run.savings.values()),
        in_step=in_step_share(run),
        eta=run_eta(run, rows, now_ms) if run.live else None,
        sentence=in_words(_sentence(run, status, rows)),
        simulated=is_simulated(run),
        amounts_in=unit_of(run),
        submitted_ms=run.submitted_ms,
        ended_ms=run.ended_ms,
        verdicts=said_of(run),
    )
    folds = view.fold_rows
    mean, spread = _mean_and_spread(run, [row for row in folds if _is_done(row)])
    trained = tuple(row for row in rows if row.lane == "accelerator")
    counted = folds if view.unit == "folds" else trained
    return replace(
        view,
        folds_done=sum(map(_is_done, counted)),
        folds=len(counted),
        metric=next((row.metric for row in folds if row.metric), ""),
        mean=mean,
        spread=spread,
    )


def _is_done(row: JobRow) -> bool:
    return row.status in ("done", "reused")


def _mean_and_spread(run: RunState, done: Sequence[JobRow]) -> tuple[float | None, float | None]:
    scores = [row.value for row in done if row.value is not None]
    if not scores or len({str(run.graph.job(row.id).matrix) for row in done}) > 1:
        return None, None
    if not all(abs(score) <= _LARGEST for score in scores):
        return math.nan, None
    return fmean(scores), stdev(scores) if len(scores) > 1 else None


_LARGEST = 1e150
"""Squares of larger scores have no number; nor has the mean of what is no number itself."""


def job_row(
    run: RunState,
    job: Job,
    now_ms: int,
    runs: Mapping[str, RunState],
    holds: Sequence[Hold] = (),
) -> JobRow:
    """One row of `run_view`."""
    state = run.jobs[job.id]
    attempts = [run.attempts[name] for name in state.attempts]
    newest = attempts[-1] if attempts else None
    said = _training(run, job, attempts, runs)
    status = status_of(run, job, state, newest)
    charged_ms = sum(
        allocation.shares.get(attempt.id, 0)
        for attempt in attempts
        if (allocation := run.allocations.get(attempt.allocation or "")) is not None
    )
    walls = [ms for attempt in attempts if (ms := wall_ms(attempt, now_ms)) is not None]
    return JobRow(
        id=job.id,
        title=title_of(run, job),
        group=job.group,
        lane=job.lane,
        status=status,
        fold=job.fold,
        folds=job.folds,
        epoch=said.epoch,
        epochs=said.epochs,
        progress=_progress(state, newest, said),
        counted=counted(newest, now_ms) if newest and not said.epochs else "",
        metric=said.metric,
        value=said.value,
        best=said.best,
        history=said.values,
        points=said.points,
        eta=eta_of(newest, now_ms) if newest and status == "running" else None,
        charged_ms=charged_ms,
        in_flight_ms=sum(attempt_in_flight_ms(run, attempt, now_ms) for attempt in attempts),
        saved_ms=state.saved_ms * max(1, job.devices),
        wall_ms=sum(walls) if walls else None,
        until_ms=None if state.reason in QUEUED else state.until_ms,
        why=in_words(why_of(run, job, state, newest, holds)),
        notes=newest.notes if newest else (),
        error=(newest.error if newest and status == "failed" else None) or {},
        log=f"{newest.folder}/log.txt" if newest else "",
    )


def _training(
    run: RunState, job: Job, attempts: Sequence[AttemptState], runs: Mapping[str, RunState]
) -> Training:
    state = run.jobs[job.id]
    if state.status == "reused":
        name = state.result_of
        other = {**runs, run.name: run}.get(name.split(".", 1)[0])
        attempts = [other.attempts[name]] if other and name in other.attempts else []
    return training_of(attempts, job.metric)


def _progress(state: JobState, newest: AttemptState | None, said: Training) -> float | None:
    if state.has_result:
        return 1.0
    if said.epoch is not None and said.epochs:
        return min(1.0, max(0.0, said.epoch / said.epochs))
    if newest is None or newest.progress is None:
        return None
    done, total = newest.progress
    return min(1.0, max(0.0, done / total)) if total > 0 else None


def _status(run: RunState, rows: Sequence[JobRow]) -> str:
    if run.outcome is not None:
        return run.outcome
    if any(stop.scope == "run" and stop.then == "end" for stop in run.stops):
        return "stopping"
    words = {row.status for row in rows}
    if words & {"running", "reserving", "starting", "stopping", "parking"}:
        return "running"
    if "unreachable" in words:
        return "unreachable"
    if "paused" in words and "waiting" not in words:
        return "paused"
    return "waiting" if any(job.reason for job in run.jobs.values()) else "queued"


def _sentence(run: RunState, status: str, rows: Sequence[JobRow]) -> str:
    if not run.live or status == "stopping":
        ends = [stop for stop in run.stops if stop.then == "end"]  # the others were undone
        told = [stop.sentence for stop in ends if stop.scope != "attempt"]
        failed = [f"{row.title}: {row.why}" for row in rows if row.status == "failed" and row.why]
        return " · ".join([*(told[:1] or failed[:1]), *([run.sentence] if run.sentence else [])])
    now = [row for row in rows if row.status in ("running", "stopping", "parking", "unreachable")]
    if now:
        return ", ".join(_doing(row) for row in now)
    if status == "paused":
        return next(row.why for row in rows if row.status == "paused")
    waits = [row for row in rows if row.status == "waiting" and row.until_ms is not None]
    waits += [row for row in rows if row.status == "waiting" and row.why]
    return f"{waits[0].title}: {waits[0].why}" if waits and status == "waiting" else ""


def _doing(row: JobRow) -> str:
    words = row.title if row.status == "running" else f"{row.title} {row.status}"
    if row.epoch is not None and row.epochs:
        return f"{words} · epoch {row.epoch}/{row.epochs}"
    return f"{words} {row.progress:.0%}" if row.progress is not None else words
