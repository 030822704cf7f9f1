"""`target`: the final mean will hardly reach what is wanted, whatever the baseline has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.comparison import upright
from orchestrator.stop_rules.course import course_of
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import metric, of_upright, savings


def target(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the group when its chance to reach a wanted mean is below a limit.

    The baseline says how difficult each fold is and how a curve goes on from here.
    """
    rule = DEFAULTS["target"]
    wanted = rule.value("wanted", options)
    if group.is_share and not 0 <= wanted <= 1:
        sentence = (
            f"target cannot be judged: {group.metric} lies between 0 and 1, not at {wanted:g}"
        )
        return Verdict("warn", "group", "target-no-share", sentence)
    course = course_of(group, rule.value("from", options))
    if course is None:
        return GO_ON
    chance, limit = course.chance(upright(group, wanted)), rule.value("below", options)
    if chance >= limit:
        return GO_ON
    sentence = (
        f"{course.when}: on course for {of_upright(group, course.mean)}, wanted is "
        f"{metric(group, wanted)}; {chance:.2%} chance to reach it (limit {limit:.1%})"
        f"{savings(group)}"
    )
    return Verdict("stop", "group", "target", sentence)
