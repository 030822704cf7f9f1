"""What each epoch measured, and the weights of the best one; both survive a resume."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.fitting.module import Classifier
from jobs.training.recipe.planned import planned
from jobs.training.recipe.recipe import Recipe
from skint.table import write_rows

COLUMNS = ("epoch", "stage", "train_loss", "val_loss", "val_acc", "lr")
LOOK_EVERY = 16
"""Steps of an accelerator between two looks at the loss."""


class History(pl.Callback):
    """Writes `metrics.csv` (no times: the same run writes the same bytes) and `best.ckpt`.

    It stands before `skint.Callback` in the list of callbacks: what it logs of an epoch is then
    part of that epoch's report. A loss that is not finite is reported at once.
    """

    def __init__(self, ctx: skint.Context, recipe: Recipe, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.ctx = ctx
        self.out = ctx.out
        self.recipe = recipe
        self.classes = classes
        self.stages = planned(recipe)
        self.stage = self.stages[0]
        """The one that is trained."""
        self.rows: list[dict[str, Any]] = []
        self.best_epoch = 0
        """Counted from 1; 0 before the first."""
        self.begun_s = time.monotonic()
        self.told_epoch = -1

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return self.stages[-1].first_epoch + self.stages[-1].epochs

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
        module.log("train_loss", module.train_loss)
        module.log("lr", self.rows[-1]["lr"])
        module.log("seconds", now_s - self.begun_s)
        self.begun_s = now_s

    def on_validation_end(self, trainer: pl.Trainer, module: Classifier) -> None:
        metrics = module.measured
        row = {
            "epoch": trainer.current_epoch + 1,
            "stage": self.stage.name,
            "train_loss": module.train_loss,
            "val_loss": metrics["val_loss"],
            "val_acc": metrics["val_acc"],
            "lr": max(group["lr"] for group in trainer.optimizers[0].param_groups),
        }
        self.rows = [r for r in self.rows if r["epoch"] < row["epoch"]] + [row]
        self.write()
        best = max(self.rows, key=self._rank)
        if best is row:
            self.best_epoch = int(row["epoch"])
            self._save(module)

    def write(self) -> None:
        """Write `metrics.csv`: again after training, for a run that was only read back."""
        write_rows(self.out / "metrics.csv", COLUMNS, ([r[c] for c in COLUMNS] for r in self.rows))

    def _rank(self, row: dict[str, Any]) -> tuple[float, ...]:
        """Greater is better; the later of equals. A loss that is not finite comes last.

        Epochs at the size of the last stage come before all others: the network is for that size.
        """
        sizes = {stage.name: stage.size_px for stage in self.stages}
        last_size = sizes[row["stage"]] == self.stages[-1].size_px
        loss = row["val_loss"] if math.isfinite(row["val_loss"]) else math.inf
        if self.recipe.monitor == "val_loss":
            return (last_size, -loss, row["epoch"])
        return (last_size, row["val_acc"], -loss, row["epoch"])

    def _save(self, module: Classifier) -> None:
        self.best_path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.best_path.with_name("best.ckpt.partial")
        # Tensors and plain values only, so that `weights: FILE` can read it back safely.
        state = {
            "state_dict": module.judged.state_dict(),
            "classes": list(self.classes),
            "model": self.recipe.model,
            "epoch": self.best_epoch,
        }
        torch.save(state, partial)
        os.replace(partial, self.best_path)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.best_epoch = state_dict["rows"], state_dict["best_epoch"]
