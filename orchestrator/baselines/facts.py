"""What the folds of a group have said of their validation, as far as they have come. Pure.

A training says it once, before its first epoch: `metric`, `items`, `largest_class`, `classes`. Any
program may say the same with `skint.report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.state import AttemptState
from orchestrator.views.training import number, training_of


@dataclass(frozen=True)
class Facts:
    """None, and empty, where nothing was said."""

    metric: str = ""
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
    return Facts(
        metric=metric or _named(reports) or training_of(attempts).metric,
        items=int(items) if items is not None and 1 <= items < 2**53 else None,
        largest_class=_newest(reports, "largest_class"),
        classes=classes,
    )


def together(facts: Iterable[Facts]) -> Facts:
    """Of a group: what its folds say first, the smallest fold, the mean of the largest classes."""
    folds = list(facts)
    shares = [fold.largest_class for fold in folds if fold.largest_class is not None]
    return Facts(
        metric=next((fold.metric for fold in folds if fold.metric), ""),
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
