"""`beats-baseline`: the mean of all folds will hardly beat the best finished run.

Looked at when a fold ends, from the differences of the same folds; and inside the first one, from
how far the baseline was at the same epoch of the same schedule. Inside later folds a curve says
next to nothing beyond the folds that are known. docs/stopping.md has what it saves and how often
it errs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.course import cannot_win, course_of
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import of_upright, savings

DEAR = 9
"""From so many times the hours that a usual run's later folds take, the limits grow: with the
square root of the hours at stake."""
MOST = 0.2
"""They do not grow above this."""
REST = 0.8
"""Of a usual run, after the first of five folds."""


def beats_baseline(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the group when it cannot beat the baseline, or when its chance to is below a limit."""
    lost = cannot_win(group)
    if lost is not None:
        sentence = (
            f"after {len(lost.done)} of {lost.folds} folds: even perfect scores in the others "
            f"would not beat {of_upright(group, lost.mean)} of the baseline{savings(group)}"
        )
        return Verdict("stop", "group", "cannot-win", sentence)
    rule = DEFAULTS["beats-baseline"]
    course = course_of(group, rule.value("from", options))
    if course is None:
        return GO_ON
    chance = course.chance(course.baseline + rule.value("by", options))
    option = "below_inside" if course.inside else "below"
    limit = _limit(group, course.to_come * rule.value(option, options))
    if chance >= limit:
        return GO_ON
    sentence = (
        f"{course.when}: on course for {of_upright(group, course.mean)}, the baseline has "
        f"{of_upright(group, course.baseline)}; {chance:.2%} chance to beat it "
        f"(limit {limit:.1%}){savings(group)}"
    )
    return Verdict("stop", "group", "beats-baseline", sentence)


def _limit(group: GroupView, below: float) -> float:
    """A chance below which the group is stopped: the one given, or more where much is at stake."""
    if group.left_s is None or not group.usual_s:
        return below
    stake = group.left_s / (REST * group.usual_s * DEAR)
    return min(max(MOST, below), below * max(1.0, math.sqrt(stake)))
