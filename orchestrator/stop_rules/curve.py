"""`curve`: a first fold that is below every good run's curve at the same epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, FoldView, GroupView, Verdict
from orchestrator.stop_rules.comparison import (
    best_of,
    comes_at_a_bad_time,
    compare,
    same_curve,
    trained_share,
)
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.difficulty import difficulty
from orchestrator.stop_rules.phrases import of_upright, savings


def curve(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the group when its first fold is below the lowest good curve by a margin.

    Compared are the same fold, schedule, length and epoch; good is what ended no worse than the
    baseline's worst fold.
    """
    rule = DEFAULTS["curve"]
    known, now = compare(group), group.now
    share = trained_share(now)
    if known is None or known.done or now.ended or share < rule.value("from", options):
        return GO_ON
    best = best_of(group, now.scores)
    if best is None or comes_at_a_bad_time(now):
        return GO_ON
    variance = difficulty(known).variance(group, known, best)
    worst = min(known.baseline.values())
    good: list[float] = []
    for other in _comparable(group):
        so_far = best_of(group, other.scores[: len(now.scores)])
        whole = best_of(group, other.scores)
        if so_far is not None and whole is not None and whole >= worst:
            good.append(so_far)
    if variance is None or len(good) < rule.value("least", options):
        return GO_ON
    margin = rule.value("margin", options) * math.sqrt(variance)
    if best >= min(good) - margin:
        return GO_ON
    sentence = (
        f"fold {now.fold} at {share:.0%}: the best score is {of_upright(group, best)}; the lowest "
        f"of {len(good)} good runs on this schedule had {of_upright(group, min(good))} there, and "
        f"{of_upright(group, min(good) - margin)} would still be luck{savings(group)}"
    )
    return Verdict("stop", "group", "curve", sentence)


def _comparable(group: GroupView) -> Iterator[FoldView]:
    runs = [group.baseline, *group.history] if group.baseline is not None else []
    for finished in runs:
        for fold in finished.folds:
            whole = len(fold.scores) == fold.epochs
            if fold.fold == group.now.fold and same_curve(group.now, fold) and whole:
                yield fold
