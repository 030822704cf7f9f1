"""Ends a stage that no longer gets better.

Whether it has ended follows from the rows of the history, which are in every checkpoint: a resumed
run ends where an uninterrupted one does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl

import skint
from jobs.training.objective.monitor import Monitor
from jobs.training.recipe.choices import EarlyStopping
from jobs.training.recipe.planned import PlannedStage
from jobs.training.watching.history import History


def epochs_since_best(
    rows: Sequence[Mapping[str, Any]], monitor: Monitor, min_delta: float
) -> tuple[int, int]:
    """(position of the best row, how many came after it).

    A row is better if its metric is so by more than `min_delta`; one that is not finite never is.
    """
    best, at = -math.inf, 0
    for position, row in enumerate(rows):
        value = float(row[monitor.name])
        value = value if monitor.larger_is_better else -value
        if value > best + (min_delta if math.isfinite(best) else 0.0):
            best, at = value, position
    return at, len(rows) - 1 - at


class StageEnd(pl.Callback):
    """Lets the Trainer stop after an epoch that was one too many; the next stage goes on.

    It comes after the history in the list of callbacks.
    """

    def __init__(
        self, ctx: skint.Context, history: History, stage: PlannedStage, rule: EarlyStopping
    ) -> None:
        super().__init__()
        self.ctx = ctx
        self.history = history
        self.stage = stage
        self.rule = rule

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Resumed after its end: Lightning does not keep that it was to stop.
        trainer.should_stop = trainer.should_stop or self._best_when_over() is not None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        best = self._best_when_over()
        left = self.stage.first_epoch + self.stage.epochs - (trainer.current_epoch + 1)
        if best is None or left == 0:
            return
        trainer.should_stop = True
        if not trainer.is_global_zero:
            return
        name = self.history.monitor.name
        self.ctx.note(
            f"stage {self.stage.name}: {name} was {best[name]:.4g} in epoch {best['epoch']} and no "
            f"better in {self.rule.patience} since; {left} of {self.stage.epochs} epochs not run"
        )

    def _best_when_over(self) -> Mapping[str, Any] | None:
        """The best row of this stage, if enough came after it."""
        rows = [row for row in self.history.rows if row["stage"] == self.stage.name]
        if not rows:
            return None
        at, since = epochs_since_best(rows, self.history.monitor, self.rule.min_delta)
        return rows[at] if since >= self.rule.patience else None
