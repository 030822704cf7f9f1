"""Checkpoints: one after every epoch, and going on from an earlier attempt's."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

import skint
from skint.lightning import CHECKPOINT as LAST

BEST = Path("checkpoints", "best.ckpt")
SAVE_EVERY_S = 30.0
"""Writing the weights and twice as much of the optimizer's state can cost more than an epoch."""


class EpochCheckpoint(pl.Callback):
    """Replaces `last.ckpt` at the end of an epoch: what a session that is lost has to do again.

    Epochs of less than `SAVE_EVERY_S` share one, and the last epoch always has it. It comes last
    in the list of callbacks. `skint.Callback` writes the same file where it stops.
    """

    def __init__(self, ctx: skint.Context) -> None:
        super().__init__()
        self.ctx = ctx
        self.saved_s = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now_s = time.monotonic()
        last = trainer.current_epoch + 1 >= trainer.max_epochs
        if not last and now_s - self.saved_s < SAVE_EVERY_S:
            return
        self.saved_s = now_s
        path = self.ctx.out / LAST
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        trainer.save_checkpoint(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        self.ctx.checkpoint(path, epoch=trainer.current_epoch + 1, step=trainer.global_step)


def resume_from(ctx: skint.Context) -> dict[str, Any]:
    """Arguments for `Trainer.fit` that continue the earlier attempt, whose checkpoints move along.

    The last one too, at once: this attempt may be lost before it writes its own. It is unpickled
    in full (it holds states of random generators), being one of ours.
    """
    if ctx.previous is None or not (ctx.previous / LAST).is_file():
        return {}
    for name in (BEST, LAST):
        if (ctx.previous / name).is_file():
            path = ctx.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.partial")
            shutil.copyfile(ctx.previous / name, partial)
            partial.replace(path)
    return {"ckpt_path": ctx.out / LAST, "weights_only": False}
