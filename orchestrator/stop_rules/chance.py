"""`chance`: a first fold that scores what naming the largest class always would score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.comparison import (
    best_of,
    comes_at_a_bad_time,
    compare,
    trained_share,
    upright,
)
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import metric, of_upright, savings

LEAST_EPOCHS = 2


def chance(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the group when the best score of its first fold is within the sampling error of the
    largest class's share: margin x sqrt(p (1 - p) / n) above it."""
    rule = DEFAULTS["chance"]
    now, p, n = group.now, group.largest_class, group.items
    if p is None or not n or not group.is_share or now.ended or comes_at_a_bad_time(now):
        return GO_ON
    known = compare(group)
    share, begin = trained_share(now), rule.value("from", options)
    if known is None or known.done or share < begin or len(now.scores) < LEAST_EPOCHS:
        return GO_ON
    best = best_of(group, now.scores)
    least = p + rule.value("margin", options) * math.sqrt(p * (1 - p) / n)
    # A baseline that is no better itself says that here nothing better is to be had so soon.
    if best is None or best > least or known.baseline[_fold(group)] <= least:
        return GO_ON
    sentence = (
        f"fold {now.fold} at {share:.0%}: the best score is {of_upright(group, best)}; the "
        f"largest class alone gives {metric(group, upright(group, p))}, and up to "
        f"{of_upright(group, least)} may be luck over {n} pictures{savings(group)}"
    )
    return Verdict("stop", "group", "chance", sentence)


def _fold(group: GroupView) -> int:
    assert group.now.fold is not None  # `compare` has seen it
    return group.now.fold
