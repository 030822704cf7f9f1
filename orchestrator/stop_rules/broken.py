"""`broken`: a training that will not become one again. The only rule that needs no other run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.state.losses import Losses
from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict
from orchestrator.stop_rules.defaults import DEFAULTS
from orchestrator.stop_rules.phrases import duration


def broken(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the whole group when a loss is no number or far above where it began: its other folds
    run the same code. A fold that has gone quiet is stopped alone."""
    rule = DEFAULTS["broken"]
    now = group.now
    losses = now.added_up or Losses().after(now.reports)
    if losses.no_number is not None:
        name, report = losses.no_number
        epoch = f" in epoch {report['epoch']}" if "epoch" in report else ""
        return Verdict(
            "stop", "group", "broken", f"{name} became {report[name]}{epoch} of {now.job}"
        )
    rise, epochs = rule.value("rise", options), round(rule.value("epochs", options))
    last = losses.last(epochs)
    if len(last) == epochs and losses.first > 0 and min(last) > rise * losses.first:
        sentence = (
            f"the training loss of {now.job} was {losses.first:.4g} in its first epoch and is "
            f"{last[0]:.4g} now: more than {rise:g} times that for {_epochs(epochs)}"
        )
        return Verdict("stop", "group", "diverged", sentence)
    quiet_s = 60 * rule.value("quiet_min", options)
    if now.quiet_s >= quiet_s and not now.ended:
        sentence = (
            f"{now.job} has said nothing for {duration(now.quiet_s)} (limit {duration(quiet_s)})"
        )
        return Verdict("stop", "attempt", "stalled", sentence)
    return GO_ON


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
