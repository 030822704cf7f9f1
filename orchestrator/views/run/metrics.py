"""Everything that the jobs of a run have reported, epoch by epoch. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.baselines.attempts import attempts_of
from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.training import (
    NO_METRICS,
    epoch_of,
    lower_is_better,
    number,
    training_of,
)
from orchestrator.views.words.job import title_of

FACTS = frozenset({"parameters", "trained_parameters"})
"""Numbers that do not change from epoch to epoch."""


@dataclass(frozen=True)
class Point:
    """What was reported of one epoch."""

    epoch: int
    """From 1; of a job that counts none, the number of the report."""
    at_ms: int
    values: Mapping[str, float]
    """May be NaN or infinite."""


@dataclass(frozen=True)
class Course:
    """One job, over all its attempts."""

    job: str
    title: str
    """`fold 0 (1 of 3)`."""
    group: str
    fold: int | None
    metric: str
    """What it is judged by."""
    score: float | None
    """Of that metric, in the end."""
    points: tuple[Point, ...]
    """Ascending by epoch."""
    reused_from: str = ""
    """The run that it was trained in, where this one has only used it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics, what it is judged by first."""
        found = dict.fromkeys(name for point in self.points for name in point.values)
        first = [self.metric] if self.metric in found else []
        return (*first, *(name for name in found if name != self.metric))

    @property
    def best(self) -> Point | None:
        """The epoch with the best value of what it is judged by; of equals the first."""
        return best_of(self.points, self.metric)

    def only(self, metric: str) -> Course:
        """The same with one metric, and judged by it."""
        points = (
            replace(point, values={metric: point.values[metric]})
            for point in self.points
            if metric in point.values
        )
        score = self.score if metric == self.metric else None
        return replace(self, metric=metric, score=score, points=tuple(points))

    def curve(self, metric: str) -> list[tuple[float, float]]:
        """(epoch, value) where it was measured and is finite."""
        return [
            (float(point.epoch), value)
            for point in self.points
            if (value := point.values.get(metric)) is not None and math.isfinite(value)
        ]


def best_of(points: Iterable[Point], metric: str) -> Point | None:
    measured = [p for p in points if math.isfinite(p.values.get(metric, math.nan))]
    choose = min if lower_is_better(metric) else max
    return choose(measured, key=lambda point: point.values[metric], default=None)


def courses_of(run: RunState, runs: Mapping[str, RunState]) -> list[Course]:
    """Of every job that has reported a number, rehearsals left out; a reused result has what the
    attempt reported that made it, which may be of another of `runs`."""
    found = (_course(run, job, runs) for job in run.graph.jobs if not job.smoke)
    return [course for course in found if course.points]


def trained(courses: Sequence[Course]) -> list[Course]:
    """Without the numbers of CPU jobs that train nothing: folds, and what counts epochs."""
    return [c for c in courses if c.fold is not None or len(c.points) > 1 or c.score is not None]


def _course(run: RunState, job: Job, runs: Mapping[str, RunState]) -> Course:
    attempts = attempts_of(run, job, runs) or ()
    said = training_of(attempts, job.metric)
    made = run.jobs[job.id].result_of.partition(".")[0]
    return Course(
        job=job.id,
        title=title_of(run, job),
        group=job.group,
        fold=job.fold,
        metric=said.metric,
        score=said.score,
        points=tuple(_points(attempts)),
        reused_from=made if made != run.name else "",
    )


def _points(attempts: Sequence[AttemptState]) -> Iterator[Point]:
    found: dict[int, Point] = {}
    for attempt in attempts:
        own = _of_attempt(attempt)
        if own:  # it went on from a checkpoint: what came after that was done again
            found = {epoch: point for epoch, point in found.items() if epoch < min(own)}
            found.update(own)
    yield from (found[epoch] for epoch in sorted(found))


def _of_attempt(attempt: AttemptState) -> dict[int, Point]:
    """By epoch; reports about the same one are taken together."""
    counts = any(epoch_of(report) is not None for report in attempt.reports)
    found: dict[int, Point] = {}
    for report in attempt.reports:
        values = metrics_in(report)
        epoch = epoch_of(report) if counts else len(found) + 1
        if epoch is None or not values:
            continue
        known = found.get(epoch)
        at_ms = int(report["at_ms"])
        if known is not None:
            values, at_ms = {**known.values, **values}, known.at_ms
        found[epoch] = Point(epoch, at_ms, values)
    return found


def metrics_in(report: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a report that say how good it is."""
    return {
        name: value
        for name, said in report.items()
        if name not in NO_METRICS and name not in FACTS and (value := number(said)) is not None
    }
