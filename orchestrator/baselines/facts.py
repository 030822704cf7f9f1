"""What the folds of a group have said of their validation, as far as they have come. Pure.

A training says it with its first epoch: `metric`, `larger_is_better`, `items`,
`largest_class`, `classes`. Any program may say the same with `skint.report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.state.attempt_state import AttemptState
from orchestrator.views.run.training import number, training_of


@dataclass(frozen=True)
class Facts:
    """None, and empty, where nothing was said."""

    metric: str = ""
    larger_is_better: bool | None = None
    items: int | None = None
    """Validation pictures."""
    largest_class: float | None = None
    """Share of the validation pictures that are of the largest class."""
    classes: str = ""
    """What is told apart, in short: the same for the same targets with the same classes."""


def facts_of(attempts: Sequence[AttemptState], metric: str | None) -> Facts:
    """Of one fold; `metric` is what the plan names."""
    reports = [report for attempt in attempts for report in attempt.reports]
    items = _newest(reports, "items")
    if items is None:
        items = _newest(reports, "n")  # of the last report of a training
    classes = next((r["classes"] for r in reports if isinstance(r.get("classes"), str)), "")
    named = _named(reports)
    larger = next((r["larger_is_better"] for r in reports if "larger_is_better" in r), None)
    return Facts(
        metric=metric or named or training_of(attempts).metric,
        # What a job says of its own metric does not hold for the one that the plan names instead.
        larger_is_better=larger if isinstance(larger, bool) and metric in (None, named) else None,
        items=int(items) if items is not None and 1 <= items < 2**53 else None,
        largest_class=_newest(reports, "largest_class"),
        classes=classes,
    )


def together(facts: Iterable[Facts]) -> Facts:
    """Of a group: what its folds say first, the smallest fold, the mean of the largest classes."""
    folds = list(facts)
    shares = [fold.largest_class for fold in folds if fold.largest_class is not None]
    larger = (fold.larger_is_better for fold in folds if fold.larger_is_better is not None)
    return Facts(
        metric=next((fold.metric for fold in folds if fold.metric), ""),
        larger_is_better=next(larger, None),
        items=min((fold.items for fold in folds if fold.items is not None), default=None),
        largest_class=sum(shares) / len(shares) if shares else None,
        classes=next((fold.classes for fold in folds if fold.classes), ""),
    )


def _named(reports: Sequence[Mapping[str, Any]]) -> str:
    names = (report["metric"] for report in reversed(reports) if "metric" in report)
    return next((name for name in names if isinstance(name, str)), "")


def _newest(reports: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = (number(report.get(name)) for report in reversed(reports))
    return next((value for value in values if value is not None and value == value), None)
