"""Which metric says what the best epoch is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.training.objective.base import Objective, ObjectiveError
from jobs.training.objective.classes import Classes
from jobs.training.objective.several import Several
from jobs.training.recipe.measures import LOSS, larger_is_better, split_monitor
from jobs.training.recipe.recipe import Recipe


@dataclass(frozen=True)
class Monitor:
    """A metric and its direction."""

    name: str
    """As it is logged: `val_acc`, or `val_acc.breed` of one of several targets."""
    larger_is_better: bool

    def rank(self, measured: Mapping[str, float]) -> tuple[float, float]:
        """Greater is better; what is not finite comes last, and among equals the loss decides."""
        value = measured[self.name]
        loss = measured["val_loss"]
        own = value if self.larger_is_better else -value
        return (
            own if math.isfinite(own) else -math.inf,
            -loss if math.isfinite(loss) else -math.inf,
        )


def monitor_of(recipe: Recipe, objective: Objective) -> Monitor:
    """`auto` is the accuracy of one class target, else the loss.

    Raises ObjectiveError where the metric is not measured, or of more than one target.
    """
    if recipe.monitor == "auto":
        one = isinstance(objective, Classes)
        return Monitor("val_acc", True) if one else Monitor("val_loss", False)
    name, target = split_monitor(recipe.monitor)
    better = larger_is_better(name)
    logged = ["val_loss", *objective.metrics()]
    if isinstance(objective, Several):
        logged += [f"val_loss.{part.name}" for part in objective.singles]
    if recipe.monitor in logged:
        return Monitor(recipe.monitor, better)
    if target and [part.name for part in objective.singles] == [target]:
        logged_as = recipe.monitor.removesuffix(f".{target}")
        if logged_as in logged:
            return Monitor(logged_as, better)
    of_targets = [own for own in logged if own.partition(".")[0] == f"val_{name}" and not target]
    if name != LOSS and len(of_targets) == 1:
        return Monitor(of_targets[0], better)
    raise ObjectiveError(
        "several targets have this metric: say which of them"
        if of_targets
        else "no metric of this name is measured",
        where="monitor",
        got=recipe.monitor,
        wanted=", ".join(of_targets or logged),
    )
