"""What is said in every checkpoint of a training, and which of them are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl

import skint
from jobs.training.checkpoints.resume import MARK
from skint.checkpoint import CheckpointError, sync, writing

BEST = Path("checkpoints", "best.ckpt")
KEPT = "epoch-{}.ckpt"
"""Beside it, with the epoch counted from 1 over all stages: what `keep_every` keeps."""
SAVE_EVERY_S = 30.0
"""Writing the weights and twice as much of the optimizer's state can cost more than an epoch."""
VERSION = 1


class Checkpoints(pl.Callback):
    """Marks each checkpoint with its stage, and keeps that of every `keep_every`-th epoch.

    It comes last in the list of callbacks. `skint.Callback` writes `last.ckpt`: every
    `SAVE_EVERY_S` seconds, at the end of a stage, and where a stop finds the training.
    """

    def __init__(self, ctx: skint.Context, *, stage: int, keep_every: int | None) -> None:
        super().__init__()
        self.ctx = ctx
        self.stage = stage
        self.keep_every = keep_every

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[MARK] = {"version": VERSION, "stage": self.stage}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if self.keep_every is None or epoch % self.keep_every != 0:
            return
        path = self.ctx.out / BEST.parent / KEPT.format(f"{epoch:04}")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        try:
            with writing(partial):
                trainer.save_checkpoint(partial)
                if trainer.is_global_zero:
                    sync(partial)
                    partial.replace(path)
                    sync(path.parent)
        except CheckpointError as error:
            if trainer.world_size > 1:
                raise  # the other processes wait for this one
            self.ctx.note(f"{path.name} is not kept, {error.got}; the training goes on")
