"""`quota`: a fold that cannot finish before the hours run out waits for new ones instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.comparison import compare
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import duration


def quota(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Park a fold that lacks more than a share of its time; when one has ended, the ones to come.

    Parking is lossless: a parked fold goes on in the next window.
    """
    if compare(group) is None or group.free_s is None:
        return GO_ON
    now = group.now
    to_come = sum(not view.ended for view in group.folds)
    if not now.ended:
        whose, needed_s = f"fold {now.fold}", group.left_of_fold_s
    elif to_come and group.left_s is not None:
        whose, needed_s = "the next fold", group.left_s / to_come
    else:
        return GO_ON
    short = DEFAULTS["quota"].value("short", options)
    if needed_s is None or group.free_s >= needed_s * (1 - short):
        return GO_ON
    sentence = (
        f"{whose} needs {duration(needed_s)} more, the account has {duration(group.free_s)} "
        "until its hours come back: it waits for them"
    )
    return Verdict("park", "group" if now.ended else "attempt", "quota", sentence)
