"""Runs side by side: what was measured, what it cost, and whether it may be compared. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from budget.duration import HOUR_MS
from orchestrator.baselines.attempts import attempts_of
from orchestrator.baselines.facts import Facts, facts_of, together
from orchestrator.baselines.given import difference, given_by
from orchestrator.baselines.group import Group
from orchestrator.baselines.metric import Metric, metric_of
from orchestrator.graph import Graph
from orchestrator.state.questions import is_about
from orchestrator.state.state import RunState, run_of
from orchestrator.views.budget.charges import unit_of
from orchestrator.views.budget.savings import kept
from orchestrator.views.comparing.baselines import trains
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.metrics import Course, courses_of
from orchestrator.views.run.view import run_view

UNSURE = "nothing says that both were judged on the same pictures: they are not split into folds"
"""No reason against comparing them, and none for it."""


@dataclass(frozen=True)
class Fold:
    """One training."""

    job: str
    title: str
    fold: int | None
    status: str
    """As `JobRow.status`."""
    score: float | None
    """Its final score; of one without a result the best value so far."""
    done: bool
    epoch: int | None
    epochs: int | None
    curve: tuple[tuple[float, float], ...]
    """(epoch, value)."""
    why: str
    """Why it waits or ended so."""


@dataclass(frozen=True)
class Column:
    """A group of folds of a run: what is set beside others."""

    run: str
    plan: str
    group: Group
    name: str
    """The run, with its group where it shows several."""
    submitted_ms: int
    metric: Metric
    facts: tuple[Facts, ...]
    """By fold."""
    folds: tuple[Fold, ...]
    charged_ms: int
    """In this run, what is in flight included."""
    cost_ms: int
    """What its scores have cost, in whichever run they were trained."""
    saved_ms: int
    unit: str
    simulated: bool
    stops: tuple[str, ...]
    """What stop rules have done to it, as sentences."""

    @property
    def scores(self) -> dict[int, float]:
        """Of the folds that are done, by number; a training without folds is number 0."""
        return {
            fold.fold or 0: fold.score
            for fold in self.folds
            if fold.done and fold.score is not None and math.isfinite(fold.score)
        }

    @property
    def whole(self) -> bool:
        """Every fold that the split has is done."""
        wanted = self.group.jobs[0].folds or 1
        return len(self.scores) == len(self.folds) == wanted

    @property
    def mean(self) -> float | None:
        """None before all folds have a score: the mean of some says nothing beside that of all."""
        return fmean(self.scores.values()) if self.whole else None

    @property
    def sd(self) -> float | None:
        """Of the scores of all folds, as of a sample."""
        return stdev(self.scores.values()) if self.whole and len(self.scores) > 1 else None

    @property
    def per_hour(self) -> float | None:
        """The mean for an hour, or a credit, that it has cost; None where less is better."""
        if self.mean is None or not self.cost_ms or not self.metric.larger_is_better:
            return None
        return self.mean / (self.cost_ms / HOUR_MS)


@dataclass(frozen=True)
class Paired:
    """Scores of the same folds, one less the other."""

    mean: float
    se: float | None
    """Standard error of the mean: the standard deviation over the folds by the root of their
    number; None for one fold."""
    folds: int


def columns_of(
    run: RunState, runs: Mapping[str, RunState], now_ms: int, metric: str | None = None
) -> list[Column]:
    """A column for each group that trains; in a matrix for each combination."""
    groups = list(training_groups(run.graph))
    view = run_view(run, now_ms, runs)
    rows = {row.id: row for row in view.rows}
    found = []
    for group in groups:
        facts = tuple(facts_of(attempts_of(run, job, runs) or (), job.metric) for job in group.jobs)
        said = together(facts)
        judged = metric_of(metric or said.metric, None if metric else said.larger_is_better)
        ids = {job.id for job in group.jobs}
        savings = [saving for saving in kept(view.savings) if saving.job in ids]
        found.append(
            Column(
                run=run.name,
                plan=run.graph.name,
                group=group,
                name=_named(run, group, groups),
                submitted_ms=run.submitted_ms,
                metric=judged,
                facts=facts,
                folds=tuple(_folds(run, group, runs, rows, metric)),
                charged_ms=sum(rows[id].charged_ms + rows[id].in_flight_ms for id in ids),
                cost_ms=sum(_costs_ms(run, group, runs)),
                saved_ms=sum(saving.amount_ms for saving in savings),
                unit=unit_of(run),
                simulated=view.simulated,
                stops=tuple(_stops(run, group)),
            )
        )
    return found


def _named(run: RunState, group: Group, groups: Sequence[Group]) -> str:
    """ "seedlings-1", "seedlings-1 fine", "sweep-1 lr=0.1": as little as tells it from others."""
    job = group.jobs[0]
    entry = job.group if len({other.jobs[0].group for other in groups}) > 1 else ""
    cell = " ".join(f"{name}={value}" for name, value in job.matrix.items())
    return " ".join(part for part in (run.name, entry, cell) if part)


def training_groups(graph: Graph) -> Iterator[Group]:
    """Folds, and trainings that are not split into any."""
    for name, jobs in graph.cells().items():
        own = sorted((job for job in jobs if not job.smoke), key=lambda job: job.fold or 0)
        if own and trains(own[0]):
            yield Group(name, tuple(own))


def _folds(
    run: RunState,
    group: Group,
    runs: Mapping[str, RunState],
    rows: Mapping[str, JobRow],
    metric: str | None,
) -> Iterator[Fold]:
    courses = {course.job: course for course in courses_of(run, runs)}
    for job in group.jobs:
        row, course = rows[job.id], courses.get(job.id)
        done = row.status in ("done", "reused")
        score = row.value if done else row.best
        if metric not in (None, row.metric):
            # Of the epoch that is kept: the one that is best by what the job is judged by.
            score = _at_best(course, metric or "")
        yield Fold(
            job=job.id,
            title=row.title,
            fold=job.fold,
            status=row.status,
            score=score,
            done=done,
            epoch=row.epoch,
            epochs=row.epochs,
            curve=tuple(course.curve(metric or row.metric)) if course is not None else (),
            why=row.why if row.status in ("stopped", "failed", "parked", "skipped") else "",
        )


def _at_best(course: Course | None, metric: str) -> float | None:
    best = course.best if course is not None else None
    return None if best is None else best.values.get(metric)


def _costs_ms(run: RunState, group: Group, runs: Mapping[str, RunState]) -> Iterator[int]:
    """Of every attempt behind its results, in whichever run it was."""
    known = {**runs, run.name: run}
    for job in group.jobs:
        for attempt in attempts_of(run, job, runs) or ():
            allocation = known[run_of(attempt.id)].allocations.get(attempt.allocation or "")
            yield allocation.shares.get(attempt.id, 0) if allocation is not None else 0


def _stops(run: RunState, group: Group) -> Iterator[str]:
    """ "fold 1 stopped by beats-baseline: 1.8 % chance …", once for each verdict that acted."""
    for said in run.verdicts:
        asked = [a for a in run.answers if (a.rule, a.target) == (said.rule, said.target)]
        answered = bool(asked) and asked[-1].answer == "stop"
        if said.action not in ("stop", "park") and not (said.action == "ask" and answered):
            continue
        if any(is_about(job, said.scope, said.target) for job in group.jobs):
            did = "parked" if said.action == "park" else "stopped"
            yield f"{said.target} {did} by {said.rule}: {said.sentence}"


def why_not(one: Column, other: Column, runs: Mapping[str, RunState]) -> str:
    """Why the scores of `other` must not be set beside those of `one`, as a clause; empty where
    they may."""
    givens = [given_by(runs[c.run], c.group.jobs[0]) for c in (one, other)]
    here, there = givens
    split = here is not None and there is not None
    if (here is None) != (there is None):
        return f"{(one if here is None else other).name} is not split into folds"
    if here is not None and there is not None and (why := difference(here, there)):
        return why
    if not one.metric.name or not other.metric.name:
        return f"{(one if not one.metric.name else other).name} has measured nothing yet"
    if one.metric.name != other.metric.name:
        return f"another metric: {one.metric.name} there, {other.metric.name} here"
    ours, theirs = together(one.facts), together(other.facts)
    if ours.classes and theirs.classes and ours.classes != theirs.classes:
        return f"other classes: {ours.classes} there, {theirs.classes} here"
    items = {job.fold: facts.items for job, facts in zip(one.group.jobs, one.facts, strict=True)}
    for job, facts in zip(other.group.jobs, other.facts, strict=True):
        known = items.get(job.fold)
        if known is not None and facts.items is not None and known != facts.items:
            return f"fold {job.fold} is judged on {known:,} pictures there, on {facts.items:,} here"
    return "" if split else UNSURE


def paired(one: Column, other: Column) -> Paired | None:
    """The scores of `other` less those of `one`, over the folds that both have done; None where
    there is none. Only for columns that may be compared."""
    both = sorted(one.scores.keys() & other.scores.keys())
    if not both:
        return None
    less = [other.scores[fold] - one.scores[fold] for fold in both]
    se = stdev(less) / math.sqrt(len(less)) if len(less) > 1 else None
    return Paired(fmean(less), se, len(less))


def mean_curve(column: Column) -> tuple[tuple[float, float], ...]:
    """The mean over its folds, at those epochs that each fold which has reported has."""
    curves = [dict(fold.curve) for fold in column.folds if fold.curve]
    if not curves:
        return ()
    epochs = set(curves[0]).intersection(*curves[1:])
    return tuple((epoch, fmean(c[epoch] for c in curves)) for epoch in sorted(epochs))


def sections(columns: Sequence[Column]) -> list[tuple[str, list[Column]]]:
    """What belongs side by side: all of it, where each run has one entry that trains; else the
    columns of each entry, by its name. Nothing, where nothing was trained."""
    if not columns:
        return []
    entries: dict[str, set[str]] = {}
    for column in columns:
        entries.setdefault(column.run, set()).add(column.group.jobs[0].group)
    if all(len(names) == 1 for names in entries.values()):
        return [("", list(columns))]
    found: dict[str, list[Column]] = {}
    for column in columns:
        found.setdefault(column.group.jobs[0].group, []).append(column)
    return list(found.items())
