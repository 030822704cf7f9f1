"""How many pictures a second a recipe passes through on this machine's CPU, by trying it."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.data.fold import few, unsplit
from jobs.training.fitting.device import choose_engine
from jobs.training.fitting.prepared import make_loaders, make_module
from jobs.training.fitting.trainer import make_trainer
from jobs.training.recipe.recipe import Recipe
from skint.dataset import PackedSet

BATCHES = 4
"""Training batches of the trial; the first one, which sets up kernels, does not count."""
VALIDATES = 0.2
"""Share of the pictures that validate instead of training: one fold of five."""


def measure(recipe: Recipe, packed: PackedSet, ctx: skint.Context) -> dict[str, float]:
    """Seconds a picture of training and of validation, and the `rate` in pictures a second of an
    epoch that does both.

    The loaders, the network, the loss and the optimizer are those of `train`, in Lightning.
    """
    torch.set_num_threads(ctx.cpus)
    data = unsplit(packed, recipe.targets)
    rows = few(data, data.train, BATCHES * recipe.batch_size)
    size = max(2, min(recipe.batch_size, len(rows) // 2))
    module = make_module(recipe, data, ctx, epoch_steps=BATCHES)
    train, validation = make_loaders(recipe, data, rows, rows[:size], size)
    clock = TrialClock(ctx)
    trainer = make_trainer(
        choose_engine(recipe.precision, devices=()),
        recipe,
        ctx,
        [clock],
        max_steps=BATCHES,
        limit_val_batches=1,
    )
    trainer.fit(module, train, validation)
    trained = clock.trained[1:] or clock.trained
    per_step = sum(seconds for seconds, _size in trained) / sum(n for _seconds, n in trained)
    per_validation = clock.validated / size
    per_picture = (1 - VALIDATES) * per_step + VALIDATES * per_validation
    return {
        "rate": 1 / per_picture,
        "train_s": per_step,
        "validation_s": per_validation,
        "cpus": ctx.cpus,
    }


class TrialClock(pl.Callback):
    """Times what lies between the ends of training batches: loading, the step, Lightning itself."""

    def __init__(self, ctx: skint.Context) -> None:
        super().__init__()
        self.ctx = ctx
        self.trained: list[tuple[float, int]] = []
        """(seconds, pictures) of each batch."""
        self.validated = 0.0
        """Seconds of the validation."""
        self.last = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        self.last = time.monotonic()

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int
    ) -> None:
        self.ctx.check()
        now = time.monotonic()
        self.trained.append((now - self.last, len(batch.rows)))
        self.last = now

    def on_validation_epoch_start(self, *_: Any) -> None:
        self.last = time.monotonic()

    def on_validation_epoch_end(self, *_: Any) -> None:
        self.validated = time.monotonic() - self.last
