"""What others do to a run that goes badly. All leave the first run alone, as ours does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.stop_rules_replay.campaign import Campaign, Run
from benchmarks.stop_rules_replay.replay import Judge
from orchestrator.stop_rules.student import student_cdf

LEAST_CURVES = 3
GRACE = 0.2
"""Share of a fold's looks before the median is asked."""
BELOW = 0.05


@dataclass
class Incumbent:
    """Compares each fold's end with the best finished run."""

    campaign: Campaign
    best: Run | None = None

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        if self.best is not None:
            for number in range(len(run.folds) - 1):
                if self.is_worse(run, number + 1, self.best):
                    return number, len(run.folds[number].scores) - 1
        if self.best is None or run.mean > self.best.mean:
            self.best = run
        return None

    def is_worse(self, run: Run, done: int, best: Run) -> bool:
        raise NotImplementedError


class BelowTheMean(Incumbent):
    """The mean of the folds so far is below the incumbent's mean: "aggressive" in Bergman,
    Purucker, Hutter, Don't Waste Your Time, AutoML 2024."""

    def is_worse(self, run: Run, done: int, best: Run) -> bool:
        return mean(fold.best for fold in run.folds[:done]) < best.mean


class PairedFolds(Incumbent):
    """The paired fold rule alone: a t-test of the same folds' differences whose spread starts as
    that of counting n items twice, worth two folds; stops where a win has 5 % chance or less."""

    def is_worse(self, run: Run, done: int, best: Run) -> bool:
        pairs = list(zip(run.folds[:done], best.folds, strict=False))
        shown = [one.best - other.best for one, other in pairs]
        n, folds, level = self.campaign.items, len(run.folds), mean(one.best for one, _ in pairs)
        smooth = [(value * n + 1) / (n + 2) for value in (best.mean, level)]
        counted = sum(p * (1 - p) for p in smooth) / n
        middle, freedom = mean(shown), 1 + done
        one = (2 * counted + sum((value - middle) ** 2 for value in shown)) / freedom
        spread = (one * (folds - done) / (folds * done)) ** 0.5
        return student_cdf(middle / spread, freedom) < BELOW


class MedianStopping:
    """Golovin et al., Google Vizier, KDD 2017: the best score so far is below the median of the
    running averages of completed runs at the same look, taken within each fold."""

    def __init__(self) -> None:
        self._averages: dict[tuple[int, int], list[float]] = {}

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        mine: dict[tuple[int, int], float] = {}
        last = len(run.folds) - 1, len(run.folds[-1].scores) - 1
        for number, look, best, average in _looks(run):
            others = self._averages.get((number, look), ())
            mine[number, look] = average
            late = look + 1 >= GRACE * len(run.folds[number].scores)
            enough = late and len(others) >= LEAST_CURVES and (number, look) != last
            if enough and best < median(others):
                return number, look
        for place, average in mine.items():
            self._averages.setdefault(place, []).append(average)
        return None


def below_the_mean(campaign: Campaign, draw: random.Random) -> Judge:
    return BelowTheMean(campaign)


def paired_folds(campaign: Campaign, draw: random.Random) -> Judge:
    return PairedFolds(campaign)


def median_stopping(campaign: Campaign, draw: random.Random) -> Judge:
    return MedianStopping()


def _looks(run: Run) -> Sequence[tuple[int, int, float, float]]:
    """Fold, look, best score of the fold so far and the average of its scores so far."""
    found: list[tuple[int, int, float, float]] = []
    for number, fold in enumerate(run.folds):
        best, total = fold.scores[0], 0.0
        for look, score in enumerate(fold.scores):
            best, total = max(best, score), total + score
            found.append((number, look, best, total / (look + 1)))
    return found
