"""One job of a run, as a line of a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.events.holding import Hold
from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.sorts import QUEUED
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import attempt_in_flight_ms, wall_ms
from orchestrator.views.run.counting import counted
from orchestrator.views.run.training import Eta, Training, eta_of, training_of
from orchestrator.views.words.job import status_of, title_of, why_of
from orchestrator.views.words.persons import in_words


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
    def used_ms(self) -> int:
        """What is charged, and what runs."""
        return self.charged_ms + self.in_flight_ms

    @property
    def eta_ms(self) -> int | None:
        return self.eta.likely_ms if self.eta else None

    @property
    def ended(self) -> bool:
        return self.status in ("done", "reused", "failed", "stopped", "skipped")


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
