"""What each epoch measured, and the weights of the best one; both survive a resume."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.checkpoints.resume import epoch_of
from jobs.training.fitting.module import Classifier
from jobs.training.objective.base import Objective
from jobs.training.objective.monitor import monitor_of
from jobs.training.recipe.planned import planned
from jobs.training.recipe.recipe import Recipe
from skint.checkpoint import sync, writing
from skint.table import write_rows

KEPT = ("rows", "best_epoch", "best_rows", "best_outputs")
"""What a checkpoint knows of the epochs before it."""
LOOK_EVERY = 16
"""Steps of an accelerator between two looks at the loss."""


class History(pl.Callback):
    """Writes `metrics.csv` (no times: the same run writes the same bytes) and `best.ckpt`, and
    keeps what the best epoch's validation gave for every picture: the out-of-fold predictions.

    It stands before `skint.Callback` in the list of callbacks: what it logs of an epoch is then
    part of that epoch's report. A loss that is not finite is reported at once.
    """

    def __init__(self, ctx: skint.Context, recipe: Recipe, objective: Objective) -> None:
        """Raises ObjectiveError where the recipe monitors what is not measured."""
        super().__init__()
        self.ctx = ctx
        self.out = ctx.out
        self.recipe = recipe
        self.monitor = monitor_of(recipe, objective)
        self.row_names = objective.row_names
        self.stages = planned(recipe)
        self.stage = self.stages[0]
        """The one that is trained."""
        self.rows: list[dict[str, Any]] = []
        self.best_epoch = 0
        """Counted from 1; 0 before the first."""
        self.best_rows = torch.empty(0, dtype=torch.int64)
        """(n,) of the packed set, ascending: what it validated on."""
        self.best_outputs = torch.empty(0, 0)
        """(n, outputs) of the network for them."""
        self.best_is_durable = True
        self.begun_s = time.monotonic()
        self.told_epoch = -1

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return self.stages[-1].first_epoch + self.stages[-1].epochs

    @property
    def best(self) -> dict[str, float]:
        """What the best epoch's validation measured."""
        row = next(row for row in self.rows if row["epoch"] == self.best_epoch)
        return {name: value for name, value in row.items() if name.startswith("val_")}

    @property
    def best_path(self) -> Path:
        return self.out / "checkpoints" / "best.ckpt"

    def on_train_start(self, trainer: pl.Trainer, module: Classifier) -> None:
        self.begun_s = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Classifier, outputs: Any, batch: Any, index: int
    ) -> None:
        # Reading the loss waits for an accelerator: there only now and then.
        looks = module.device.type == "cpu" or index % LOOK_EVERY == 0
        epoch = trainer.current_epoch
        if looks and self.told_epoch != epoch and not math.isfinite(module.train_loss):
            self.told_epoch = epoch
            self.ctx.report(epoch=epoch, epochs=self.epochs, train_loss=module.train_loss)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Classifier) -> None:
        now_s = time.monotonic()
        module.log("train_loss", module.epoch_loss())
        module.log("lr", self.rows[-1]["lr"])
        module.log("seconds", now_s - self.begun_s)
        self.begun_s = now_s

    def on_validation_end(self, trainer: pl.Trainer, module: Classifier) -> None:
        row = {
            "epoch": trainer.current_epoch + 1,
            "stage": self.stage.name,
            "train_loss": module.epoch_loss(),
            **module.measured,
            "lr": max(group["lr"] for group in trainer.optimizers[0].param_groups),
        }
        self.rows = [r for r in self.rows if r["epoch"] < row["epoch"]] + [row]
        standing = next((r for r in self.rows[:-1] if r["epoch"] == self.best_epoch), None)
        is_best = standing is None or self._rank(row) > self._rank(standing)
        if is_best:
            self.best_epoch = int(row["epoch"])
            self.best_rows, self.best_outputs, _labels = module.held_out.whole()
        if trainer.is_global_zero:
            self.write()
            if is_best:
                self._save(module)

    def write(self) -> None:
        """Write `metrics.csv`: again after training, for a run that was only read back."""
        columns = tuple(self.rows[-1]) if self.rows else ("epoch",)
        write_rows(self.out / "metrics.csv", columns, (row.values() for row in self.rows))

    def _rank(self, row: dict[str, Any]) -> tuple[float, ...]:
        """Greater is better; the later of equals.

        Epochs at the size of the last stage come before all others: the network is for that size.
        """
        sizes = {stage.name: stage.size_px for stage in self.stages}
        last_size = sizes[row["stage"]] == self.stages[-1].size_px
        return (last_size, *self.monitor.rank(row), row["epoch"])

    def _save(self, module: Classifier) -> None:
        self.best_path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.best_path.with_name("best.ckpt.partial")
        # Tensors and plain values only, so that `weights: FILE` can read it back safely.
        state = {
            "state_dict": module.judged.state_dict(),
            "classes": list(self.row_names),
            "model": self.recipe.model,
            "epoch": self.best_epoch,
        }
        with writing(partial):
            torch.save(state, partial)
            partial.replace(self.best_path)
        self.best_is_durable = False

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        # A checkpoint says which epoch is the best: that one's weights have to be as durable.
        if not self.best_is_durable and self.best_path.is_file():
            sync(self.best_path)
            sync(self.best_path.parent)
            self.best_is_durable = True

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name in KEPT:
            setattr(self, name, state_dict[name])
        if self.best_epoch and epoch_of(self.best_path) != self.best_epoch:
            # The attempt before went on after this checkpoint and kept a later epoch's weights.
            # That epoch comes again; should it not be the same, as on another device, those of the
            # epoch that was the best are lost, and its numbers must not stand for others.
            self.best_epoch = 0
