"""`broken`: a training that will not become one again. The only rule that needs no other run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.stop_rules.base import GO_ON, FoldView, GroupView, Verdict
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import duration

TRAINING_LOSS = ("train_loss", "loss")
"""What it is called by `train`, and by many a script."""

_NUMBERS = (float, str)
"""Those that are not finite are reported as words."""


def broken(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the whole group when a loss is no number or far above where it began: its other folds
    run the same code. A fold that has gone quiet is stopped alone."""
    rule = DEFAULTS["broken"]
    now = group.now
    for report in now.reports:
        for name, value in report.items():
            if "loss" in name and isinstance(value, _NUMBERS) and not _is_finite(value):
                epoch = f" in epoch {report['epoch']}" if "epoch" in report else ""
                sentence = f"{name} became {value}{epoch} of {now.job}"
                return Verdict("stop", "group", "broken", sentence)
    rise, epochs = rule.value("rise", options), round(rule.value("epochs", options))
    losses = _training_losses(now)
    last = losses[1:][-epochs:]
    if len(last) == epochs and losses[0] > 0 and min(last) > rise * losses[0]:
        sentence = (
            f"the training loss of {now.job} was {losses[0]:.4g} in its first epoch and is "
            f"{last[-1]:.4g} now: more than {rise:g} times that for {_epochs(epochs)}"
        )
        return Verdict("stop", "group", "diverged", sentence)
    quiet_s = 60 * rule.value("quiet_min", options)
    if now.quiet_s >= quiet_s and not now.ended:
        sentence = (
            f"{now.job} has said nothing for {duration(now.quiet_s)} (limit {duration(quiet_s)})"
        )
        return Verdict("stop", "attempt", "stalled", sentence)
    return GO_ON


def _training_losses(view: FoldView) -> Sequence[float]:
    """One for each epoch, the newest word on it; reports without an epoch count as one each."""
    found: dict[object, float] = {}
    for number, report in enumerate(view.reports):
        for name in TRAINING_LOSS:
            value = report.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[report.get("epoch", f"report {number}")] = float(value)
                break
    return tuple(found.values())


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _is_finite(value: float | str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:  # a word, not a number
        return True
