"""The curves of the jobs of a group: which metrics there are, and how each job did. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from orchestrator.baselines.attempts import attempts_of
from orchestrator.baselines.group import Group, group_of
from orchestrator.graph import Graph, Job
from orchestrator.state.state import RunState
from orchestrator.views.plots.curves import Curve
from orchestrator.views.run.training import (
    NO_METRICS,
    Training,
    lower_is_better,
    number,
    training_of,
)

COLOURS = 6
BASELINE = "baseline"
BASELINE_MARK = "b"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class JobCurve:
    """What one job of the group has reported of one metric."""

    job: Job
    mark: str
    style: str
    training: Training

    @property
    def best(self) -> tuple[float, float] | None:
        """(epoch, value) of the best one."""
        known = [(x, y) for x, y in self.training.points if math.isfinite(y)]
        choose = min if lower_is_better(self.training.metric) else max
        return choose(known, key=lambda point: point[1]) if known else None


def shown_group(graph: Graph, job: Job) -> Group:
    """What is laid over each other: the folds of one combination of a matrix; where nothing has
    folds, all combinations."""
    if job.fold is not None:
        return group_of(graph, job)
    return Group(job.group, graph.groups()[job.group])


def metrics_of(run: RunState, jobs: Sequence[Job], runs: Mapping[str, RunState]) -> tuple[str, ...]:
    """The names of all numbers that the jobs report epoch by epoch; the one that counts first."""
    attempts = [attempt for job in jobs for attempt in attempts_of(run, job, runs) or ()]
    first = next((m for job in jobs if (m := _main(run, job, runs))), "")
    found = {
        name
        for attempt in attempts
        for report in attempt.reports
        for name, value in report.items()
        if name not in NO_METRICS and number(value) is not None
    }
    rest = sorted(found - {first}, key=lambda name: (not name.startswith("val_"), name))
    return (first, *rest) if first else tuple(rest)


def _main(run: RunState, job: Job, runs: Mapping[str, RunState]) -> str:
    return training_of(attempts_of(run, job, runs) or (), job.metric).metric


def curves_of(
    run: RunState, jobs: Sequence[Job], metric: str, runs: Mapping[str, RunState]
) -> tuple[JobCurve, ...]:
    """One for each job, in their order; a job that has said nothing has a curve without points."""
    return tuple(
        JobCurve(
            job,
            mark_of(job, number),
            f"curve {number % COLOURS}",
            training_of(attempts_of(run, job, runs) or (), metric),
        )
        for number, job in enumerate(jobs)
    )


def mark_of(job: Job, number: int) -> str:
    """The last digit of its fold; a letter where it has none."""
    return str(job.fold % 10) if job.fold is not None else LETTERS[number % len(LETTERS)]


def baseline_curve(
    run: RunState, group: Group, metric: str, runs: Mapping[str, RunState]
) -> Curve | None:
    """The mean over the folds of a finished group, at each epoch that all of them have reported;
    None where it has not reported the metric."""
    trained = [training_of(attempts_of(run, job, runs) or (), metric) for job in group.jobs]
    by_fold = [dict(training.points) for training in trained]
    common = set.intersection(*(set(points) for points in by_fold)) if by_fold else set()
    points = tuple((x, fmean(points[x] for points in by_fold)) for x in sorted(common))
    return Curve(BASELINE_MARK, BASELINE, points, dotted=True) if points else None


def drawn_curves(curves: Sequence[JobCurve], chosen: str, baseline: Curve | None) -> list[Curve]:
    """From the lowest to the one that lies above all, which is that of the chosen job."""
    found = [baseline] if baseline is not None else []
    for one in sorted(curves, key=lambda one: one.job.id == chosen):
        bold = "bold " if one.job.id == chosen and len(curves) > 1 else ""
        found.append(Curve(one.mark, f"{bold}{one.style}", one.training.points))
    return found


def last_epoch(curves: Sequence[JobCurve]) -> float | None:
    """How far the axis goes: as many epochs as the longest of them will have."""
    return max((float(one.training.epochs) for one in curves if one.training.epochs), default=None)
