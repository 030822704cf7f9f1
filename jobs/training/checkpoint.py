"""Checkpoints: one after every epoch, and going on from an earlier attempt's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

import skint
from skint.lightning import CHECKPOINT as LAST

BEST = Path("checkpoints", "best.ckpt")


class EpochCheckpoint(pl.Callback):
    """Replaces `last.ckpt` at the end of every epoch: a session that is lost loses one at most.

    It comes last in the list of callbacks. `skint.Callback` writes the same file where it stops.
    """

    def __init__(self, ctx: skint.Context) -> None:
        super().__init__()
        self.ctx = ctx

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        path = self.ctx.out / LAST
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        trainer.save_checkpoint(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        self.ctx.checkpoint(path, epoch=trainer.current_epoch + 1, step=trainer.global_step)


def resume_from(ctx: skint.Context) -> dict[str, Any]:
    """Arguments for `Trainer.fit` that continue the earlier attempt; its best weights move along.

    The checkpoint is unpickled in full (it holds states of random generators): it is one of ours.
    """
    if ctx.previous is None or not (ctx.previous / LAST).is_file():
        return {}
    if (ctx.previous / BEST).is_file():
        (ctx.out / BEST).parent.mkdir(parents=True, exist_ok=True)
        partial = ctx.out / f"{BEST}.partial"
        shutil.copyfile(ctx.previous / BEST, partial)
        os.replace(partial, ctx.out / BEST)
    return {"ckpt_path": ctx.previous / LAST, "weights_only": False}
