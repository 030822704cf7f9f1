"""How much easier each fold is than the average, and how much one fold's score says.

Difficulty is taken from the baseline and, the more there are, from other finished runs. The spread
of one fold is that of counting n pictures twice (or, where it is known which pictures each run gets
right, of those on which they differ, as in McNemar's test) together with what finished runs have
shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.stop_rules.base import GroupView
from orchestrator.stop_rules.comparison import Comparison

OF_OTHERS = 0.5
"""Weight of other runs' folds against the baseline's, where there are very many of them."""
PRIOR = 3
"""The spread that counting gives is worth so many folds."""


@dataclass(frozen=True)
class Difficulty:
    easier: Mapping[int, float]
    """Each fold than the average of all; they add up to nothing."""
    runs: int
    """Other finished runs that have told of it."""
    weight: float
    """Theirs, beside the baseline's."""
    residuals: float
    """Squares of what their folds differ from it, added up."""
    folds: int

    def variance(self, group: GroupView, known: Comparison, score: float) -> float | None:
        """Of the difference in one fold, for a group whose mean is about `score`; None where
        nothing tells."""
        free = self.runs * (self.folds - 1)
        if group.is_share and group.items:
            counted = _counted(group, known, score, group.items) * (1 - self.weight / 2)
            return (PRIOR * counted + self.residuals) / (PRIOR + free)
        return self.residuals / free if self.runs >= 2 else None


def difficulty(known: Comparison) -> Difficulty:
    runs, folds = len(known.history), known.folds
    weight = OF_OTHERS * runs / (runs + 1)
    means = [sum(run.values()) / folds for run in known.history]
    base = known.mean
    easier: dict[int, float] = {}
    residuals = 0.0
    for fold, score in known.baseline.items():
        others = [run[fold] - mean for run, mean in zip(known.history, means, strict=True)]
        here = (1 - weight) * (score - base) + (weight * sum(others) / runs if runs else 0)
        residuals += sum((other - here) ** 2 for other in others)
        easier[fold] = here
    return Difficulty(easier, runs, weight, residuals, folds)


def _counted(group: GroupView, known: Comparison, score: float, n: int) -> float:
    """Variance of the difference of two shares of the n pictures of a fold.

    Where it is not known on which pictures two runs differ, they are taken to err independently;
    that counts as one more fold beside those of which it is known, which are few and small.
    """
    smooth = [(value * n + 1) / (n + 2) for value in (known.mean, score)]
    apart = sum(p * (1 - p) for p in smooth) / n
    told = [
        _of_differing(view.wins, view.losses, n)
        for view in group.folds
        if view.done and view.wins is not None and view.losses is not None
    ]
    return (apart + sum(told)) / (1 + len(told))


def _of_differing(wins: int, losses: int, n: int) -> float:
    """Of (wins - losses) / n (McNemar 1947); one more of each, so that no pair is without doubt."""
    more, fewer = wins + 1, losses + 1
    return (more + fewer - (more - fewer) ** 2 / n) / n**2
