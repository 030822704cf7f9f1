"""A campaign: what somebody tried on one data set, with the curves of all its folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean


@dataclass(frozen=True)
class Fold:
    scores: tuple[float, ...]
    """Share of the validation items that are right, at each look."""
    spent: tuple[float, ...]
    """Seconds of this fold until each look."""
    trained: tuple[float, ...] = ()
    """Share of the training behind each look; empty: the looks are equal."""
    losses: tuple[float | None, ...] = ()
    """Of the training, where they were recorded; None: not finite."""
    right: int | None = None
    """Which items the best epoch got right, as the bits of one number."""

    @cached_property
    def best(self) -> float:
        return max(self.scores)


@dataclass(frozen=True, eq=False)
class Run:
    name: str
    schedule: str
    folds: tuple[Fold, ...]
    cycle_ends: tuple[int, ...] = ()

    @cached_property
    def mean(self) -> float:
        return mean(fold.best for fold in self.folds)

    @cached_property
    def cost(self) -> float:
        """Seconds of all folds."""
        return sum(fold.spent[-1] for fold in self.folds)

    def spent(self, fold: int, look: int) -> float:
        """Seconds until a look, counted from 0, with the folds before it."""
        return sum(one.spent[-1] for one in self.folds[:fold]) + self.folds[fold].spent[look]


@dataclass(frozen=True, eq=False)
class Campaign:
    name: str
    family: str
    """Campaigns of one family are made of the same items: they are on the same side of a split."""
    items: int
    """Validation items of a fold."""
    runs: tuple[Run, ...]
    largest_class: float | None = None
    """Its share of the items."""
    usual_s: float = 0.0
    """Median seconds of a run over all campaigns so far: what an installation knows of its user."""


def costs(campaigns: Sequence[Campaign]) -> list[float]:
    """Seconds of each run."""
    return [run.cost for campaign in campaigns for run in campaign.runs]
