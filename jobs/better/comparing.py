"""Which entry has the better score, and by how much: paired, fold by fold. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from jobs.better.entrants import BetterError, Entrant
from jobs.training.recipe.measures import LOSS, NAMES, larger_is_better


@dataclass(frozen=True)
class Difference:
    """How much better the kept entry is than another; never negative."""

    by: float
    """Mean over the folds."""
    error: float | None
    """Its standard error, by how the differences of the folds vary; None of one fold.

    Folds share most of what they train on, so that it is somewhat too small.
    """
    folds: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    kept: Entrant
    others: tuple[Entrant, ...]
    """Best first."""
    beaten: Mapping[str, Difference]
    """By the names of the others."""
    larger_is_better: bool


def compare(entrants: Sequence[Entrant], larger: bool | None = None) -> Comparison:
    """Of equals the first. `larger` says which way is better of a metric that is not known here.

    Raises BetterError where it does not say, or where a score is not finite.
    """
    for one in entrants:
        if not all(map(math.isfinite, one.scores)):
            raise BetterError(
                "a score is not finite",
                where=one.name,
                got=f"{one.metric} of the folds: {', '.join(f'{s:.4g}' for s in one.scores)}",
                next="its training broke: leave it out with `entries`, or mend it",
            )
    metric = entrants[0].metric
    more = _direction(metric) if larger is None else larger
    sign = 1 if more else -1
    # sorted is stable: of equals, the first named stays first.
    kept, *others = sorted(entrants, key=lambda one: -sign * one.score)
    beaten = {}
    for other in others:
        folds = tuple(sign * (a - b) for a, b in zip(kept.scores, other.scores, strict=True))
        error = stdev(folds) / math.sqrt(len(folds)) if len(folds) > 1 else None
        beaten[other.name] = Difference(max(0.0, fmean(folds)), error, folds)
    return Comparison(kept, tuple(others), beaten, more)


def _direction(metric: str) -> bool:
    name = metric.removeprefix("val_").partition(".")[0]
    if name != LOSS and name not in NAMES:
        raise BetterError(
            f"it is not known whether more {metric} is better",
            where="better: larger_is_better",
            wanted=f"true or false; known are val_{LOSS} and val_{', val_'.join(NAMES)}",
        )
    return larger_is_better(name)
