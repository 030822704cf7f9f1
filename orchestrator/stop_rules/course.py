"""Where the mean of all folds is heading, from what is known of some: the arithmetic of
`beats-baseline` and `target`.

A fold is compared with the same fold of the baseline, so that easy and difficult folds cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.stop_rules.base import FoldView, GroupView
from orchestrator.stop_rules.comparison import (
    Comparison,
    best_of,
    comes_at_a_bad_time,
    compare,
    same_curve,
    trained_share,
)
from orchestrator.stop_rules.difficulty import PRIOR, difficulty
from orchestrator.stop_rules.student import student_cdf

UNCERTAINTY = 1.0
"""Of the rest of a first fold, in shares of the baseline's error."""


@dataclass(frozen=True)
class Course:
    """The final mean as it looks now, upright: larger is better."""

    mean: float
    variance: float
    freedom: int
    baseline: float
    """The mean of the run it is compared with."""
    inside: bool
    """Nothing but part of one fold is known."""
    to_come: float
    """Folds that are not done, in shares of those after the first one."""
    when: str

    def chance(self, wanted: float) -> float:
        """That the final mean is above `wanted`."""
        if self.variance == 0:
            return float(self.mean > wanted)
        return student_cdf((self.mean - wanted) / self.variance**0.5, self.freedom)


def course_of(group: GroupView, begin: float) -> Course | None:
    """None where there is nothing to say yet; in a first fold that is before its share `begin`."""
    known = compare(group)
    if known is None or len(known.done) == known.folds:
        return None
    if known.done and group.now.done:
        return _between(group, known)
    if not known.done and not group.now.ended:
        return _inside(group, known, begin)
    return None  # inside a later fold its curve says next to nothing about its end


def _between(group: GroupView, known: Comparison) -> Course | None:
    """The differences of the folds that are done, and how much such differences vary."""
    told = difficulty(known)
    count, folds = len(known.done), known.folds
    shown = [score - known.mean - told.easier[fold] for fold, score in known.done.items()]
    mean = sum(shown) / count
    own = sum((value - mean) ** 2 for value in shown)
    before = told.variance(group, known, sum(known.done.values()) / count)
    weight = PRIOR if before is not None else 0
    freedom = weight + count - 1
    if freedom == 0:
        return None
    one = (weight * (before or 0) + own) / freedom
    return Course(
        mean=known.mean + mean,
        variance=one * (folds - count) / (folds * count),
        freedom=freedom,
        baseline=known.mean,
        inside=False,
        to_come=(folds - count) / (folds - 1),
        when=f"after {count} of {folds} folds",
    )


def _inside(group: GroupView, known: Comparison, begin: float) -> Course | None:
    """The first fold, if it gains from here on what the same fold of a run like it gained.

    The less is trained, the less that holds: the spread falls about as share ** -0.5.
    """
    now, share = group.now, trained_share(group.now)
    if now.fold is None or share < begin or not group.is_share or comes_at_a_bad_time(now):
        return None
    score, gain = best_of(group, now.scores), _gain(group, now)
    told = difficulty(known)
    if score is None or gain is None or share <= 0:
        return None
    one = told.variance(group, known, score)
    if one is None:
        return None
    rest = UNCERTAINTY * (1 - known.mean) * (share**-0.5 - 1)
    return Course(
        mean=score + gain - told.easier[now.fold],
        variance=one * (1 - 1 / known.folds) + rest**2,
        freedom=PRIOR,
        baseline=known.mean,
        inside=True,
        to_come=1.0,
        when=f"fold {now.fold} at {share:.0%}",
    )


def cannot_win(group: GroupView) -> Comparison | None:
    """The comparison where even perfect scores in all other folds would not beat the baseline."""
    known = compare(group)
    if known is None or not group.is_share or not 0 < len(known.done) < known.folds:
        return None
    most = sum(known.done.values()) + known.folds - len(known.done)
    return known if most <= sum(known.baseline.values()) else None


def _gain(group: GroupView, now: FoldView) -> float | None:
    """What is still to come of the fold: the baseline's, else the most of two others' or more."""
    if group.baseline is None:
        return None
    own = _gain_of(group, now, group.baseline.folds)
    if own is not None:
        return own
    others = [_gain_of(group, now, finished.folds) for finished in group.history]
    gains = [gain for gain in others if gain is not None]
    return max(gains) if len(gains) >= 2 else None


def _gain_of(group: GroupView, now: FoldView, folds: Sequence[FoldView]) -> float | None:
    for fold in folds:
        if fold.fold == now.fold and same_curve(now, fold) and len(fold.scores) == fold.epochs:
            so_far = best_of(group, fold.scores[: len(now.scores)])
            whole = best_of(group, fold.scores)
            return whole - so_far if so_far is not None and whole is not None else None
    return None
