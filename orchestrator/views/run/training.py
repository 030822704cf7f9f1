"""How far a job has come, read off what its attempts reported. Pure, and cheap to import.

A report is one JSON line of a job: `epoch` (from 1, the ones that are finished), `epochs`, metrics
by name; the last one of a training job has `metric`, `score` and `n`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from budget.forecasts.forecast import from_epochs
from orchestrator.state.attempt_state import AttemptState

NO_METRICS = frozenset(
    {
        *("at_ms", "epoch", "epochs", "step", "steps", "n", "batch", "seconds", "in_step_s"),
        *("step_ms", "score", "items", "largest_class", "warmup_epochs"),
    }
)
"""Numbers that say where a job is and not how good it is."""
MOST_EPOCHS = 1_000_000_000
_PREFERRED = ("val_acc", "val_loss")
_LOWER_IS_BETTER = ("loss", "err", "mae", "mse", "rmse", "perplexity")


@dataclass(frozen=True)
class Eta:
    """Milliseconds to go, from measured epochs alone."""

    low_ms: int
    likely_ms: int
    high_ms: int


@dataclass(frozen=True)
class Training:
    """What the reports of a job add up to, over all its attempts."""

    epoch: int | None = None
    """The last finished epoch, from 1."""
    epochs: int | None = None
    metric: str = ""
    points: tuple[tuple[float, float], ...] = ()
    """(epoch, value of the metric), ascending; without epochs the number of the report."""
    score: float | None = None
    """The job's final value of the metric, once it said one."""

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(value for _, value in self.points)

    @property
    def value(self) -> float | None:
        """The score, or the newest value of the metric."""
        return self.score if self.score is not None else next(iter(self.values[::-1]), None)

    @property
    def best(self) -> float | None:
        finite = [value for value in self.values if math.isfinite(value)]
        choose = min if lower_is_better(self.metric) else max
        return choose(finite) if finite else None


def training_of(attempts: Sequence[AttemptState], metric: str | None = None) -> Training:
    """What the newest attempt says, after the epochs before those that it did itself.

    A newest attempt that has said nothing yet is at nothing: whether it goes on from a checkpoint
    shows in its first report.
    """
    newest = attempts[-1].reports if attempts else ()
    name = metric or _metric_of([report for attempt in attempts for report in attempt.reports])
    points: list[tuple[float, float]] = []
    for attempt in attempts:
        own = _points(attempt.reports, name)
        points = [point for point in points if own and point[0] < own[0][0]] + own
    score = None
    if newest and newest[-1].get("metric", name) == name:
        score = number(newest[-1].get("score"))
    return Training(
        epoch=newest_count(newest, "epoch"),
        epochs=newest_count(newest, "epochs"),
        metric=name,
        points=tuple(points),
        score=score,
    )


def eta_of(attempt: AttemptState, now_ms: int) -> Eta | None:
    """Time to the end of the last epoch, as forecasts reckon it; None before two epochs are over.

    What the job told in earlier attempts and what others like it took does not count here.
    """
    ends = {number: at_ms for number, at_ms in epoch_ends(attempt.reports).items() if number}
    epochs = newest_count(attempt.reports, "epochs")
    if attempt.started_ms is None or len(ends) < 2 or epochs is None:
        return None
    numbers = sorted(ends)
    each_ms = [
        round((ends[after] - ends[before]) / (after - before))
        for before, after in pairwise(numbers)
    ]
    first_ms = ends[numbers[0]] - attempt.started_ms
    since_ms = max(0, now_ms - ends[numbers[-1]])
    found = from_epochs([first_ms, *each_ms], epochs, done=numbers[-1], since_ms=since_ms)
    return Eta(found.low_ms, found.likely_ms, found.high_ms)


def number(value: Any) -> float | None:
    """The number a report holds: JSON has no NaN and no infinity, they are written as words.

    None for anything else: any program may write reports.
    """
    if isinstance(value, str):
        return float(value) if value in ("nan", "inf", "-inf") else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf


def lower_is_better(metric: str) -> bool:
    name = metric.lower()
    if name.startswith("val_"):
        name = name.partition(".")[0]  # val_acc.cherry: behind the point stands a target
    return any(word in name for word in _LOWER_IS_BETTER)


def _metric_of(reports: Sequence[Mapping[str, Any]]) -> str:
    """What the newest report names, else accuracy, else loss, else the first number there is."""
    for report in reversed(reports):
        if isinstance(report.get("metric"), str):
            return str(report["metric"])
    numbers = [
        name
        for report in reports
        for name, value in report.items()
        if name not in NO_METRICS and number(value) is not None
    ]
    return next((name for name in _PREFERRED if name in numbers), numbers[0] if numbers else "")


def _points(reports: Iterable[Mapping[str, Any]], metric: str) -> list[tuple[float, float]]:
    found: dict[float, float] = {}
    for report in reports:
        value = number(report.get(metric))
        if metric and value is not None:
            epoch = _count(report.get("epoch"))
            found[len(found) + 1.0 if epoch is None else float(epoch)] = value
    return sorted(found.items())


def epoch_ends(reports: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """When each epoch was first reported as finished."""
    found: dict[int, int] = {}
    for report in reports:
        epoch = _count(report.get("epoch"))
        if epoch is not None:
            found.setdefault(epoch, report["at_ms"])
    return found


def epoch_of(report: Mapping[str, Any]) -> int | None:
    """The epoch that a report is about; None where it names none."""
    return _count(report.get("epoch"))


def newest_count(reports: Iterable[Mapping[str, Any]], name: str) -> int | None:
    """The newest count under `name`."""
    counts = [_count(report.get(name)) for report in reports]
    return next((count for count in reversed(counts) if count is not None), None)


def _count(value: Any) -> int | None:
    """A number of epochs; None for what cannot be one."""
    count = number(value)
    return int(count) if count is not None and 0 <= count <= MOST_EPOCHS else None
