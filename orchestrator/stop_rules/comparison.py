"""What may be compared with the baseline, put into numbers that grow when a run is better.

Every rule but `broken` asks here first: on a first run, on one that explores, where folds are
missing or a curve has a hole, there is nothing to compare and nothing is stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.stop_rules.base import FoldView, GroupView

Scores = Mapping[int, float]
"""The score that counts of each fold, by its number."""


@dataclass(frozen=True)
class Comparison:
    """A group beside its baseline; all scores so that larger is better."""

    folds: int
    done: Scores
    """Of the folds of the group that have ended with a result."""
    baseline: Scores
    history: Sequence[Scores]
    """Of other finished groups."""

    @property
    def mean(self) -> float:
        """The baseline's."""
        return sum(self.baseline.values()) / self.folds


def compare(group: GroupView) -> Comparison | None:
    """None where the group has to be left alone: see above."""
    if group.explore or group.baseline is None:
        return None
    numbers = {view.fold for view in group.folds}
    if None in numbers or group.now.fold is None:
        return None
    if group.now.gap or any(view.gap for view in group.folds if view.done):
        return None
    done = _scores(group, [view for view in group.folds if view.done])
    baseline = _scores(group, group.baseline.folds)
    if done is None or baseline is None or baseline.keys() != numbers or len(numbers) < 2:
        return None
    return Comparison(len(numbers), done, baseline, tuple(_history(group, baseline)))


def upright(group: GroupView, score: float) -> float:
    """The score so that larger is better; of a share, a share."""
    if group.larger_is_better:
        return score
    return 1 - score if group.is_share else -score


def best_of(group: GroupView, scores: Sequence[float]) -> float | None:
    """The best of some epochs, upright; None where one of them is no number or none is there."""
    if not scores or not all(map(math.isfinite, scores)):
        return None
    return upright(group, max(scores) if group.larger_is_better else min(scores))


def same_curve(one: FoldView, other: FoldView) -> bool:
    """The two follow one schedule of one length: epoch by epoch they can be compared."""
    if not one.schedule or not one.epochs or other.gap:
        return False
    known = (one.schedule, one.epochs, tuple(one.cycle_ends), one.warmup_epochs)
    return known == (other.schedule, other.epochs, tuple(other.cycle_ends), other.warmup_epochs)


def trained_share(view: FoldView) -> float:
    """How much of the fold's training its newest score has behind it, 0 where that is not known."""
    if view.trained:
        return view.trained[-1]
    return min(1.0, len(view.scores) / view.epochs) if view.epochs else 0.0


def comes_at_a_bad_time(view: FoldView) -> bool:
    """The rate still climbs, or a cycle has begun that makes the score worse for a while."""
    epochs = len(view.scores)
    if epochs <= view.warmup_epochs:
        return True
    return bool(view.cycle_ends) and epochs not in view.cycle_ends


def _scores(group: GroupView, folds: Sequence[FoldView]) -> dict[int, float] | None:
    found: dict[int, float] = {}
    for view in folds:
        if view.fold is None or view.best is None or not math.isfinite(view.best):
            return None
        found[view.fold] = upright(group, view.best)
    return found


def _history(group: GroupView, baseline: Scores) -> Iterator[Scores]:
    for finished in group.history:
        scores = _scores(group, finished.folds)
        if scores is not None and scores.keys() == baseline.keys():
            yield scores
