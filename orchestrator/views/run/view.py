"""What screens and messages show of a run: computed from its state, and cheap to import.

`run_view` is pure. Times are milliseconds; charges are in the milliseconds of the account.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, stdev

from orchestrator.events.holding import Hold
from orchestrator.state.saving_state import SavingState
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import in_flight_ms, is_simulated, unit_of
from orchestrator.views.run.gaps import in_step_share
from orchestrator.views.run.job_row import JobRow, job_row
from orchestrator.views.run.run_eta import run_eta
from orchestrator.views.run.training import Eta
from orchestrator.views.words.persons import in_words
from orchestrator.views.words.said import Said, said_of


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
    def used_ms(self) -> int:
        """What is charged, and what runs."""
        return self.charged_ms + self.in_flight_ms

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
