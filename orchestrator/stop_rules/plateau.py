"""`plateau`: a fold that has not become better for a long time. Stops that fold alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.comparison import best_of, comes_at_a_bad_time, compare, upright
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import of_upright


def plateau(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the fold when so many epochs, or such a share of all, have brought nothing better."""
    rule, now = DEFAULTS["plateau"], group.now
    if compare(group) is None or now.ended or not now.epochs or comes_at_a_bad_time(now):
        return GO_ON
    best = best_of(group, now.scores)
    if best is None or len(now.scores) >= now.epochs:
        return GO_ON
    by = rule.value("by", options)
    top, since = -math.inf, 0
    for epoch, score in enumerate(now.scores, 1):
        if upright(group, score) > top + by:
            top, since = upright(group, score), epoch
    idle = len(now.scores) - since
    wanted = rule.value("epochs", options)
    patience = max(wanted, math.ceil(rule.value("share", options) * now.epochs))
    if idle < patience:
        return GO_ON
    sentence = (
        f"fold {now.fold} has not become better than {of_upright(group, top)} since epoch {since}: "
        f"for {idle} epochs (limit {patience:g}), {now.epochs - len(now.scores)} are left"
    )
    return Verdict("stop", "attempt", "plateau", sentence)
