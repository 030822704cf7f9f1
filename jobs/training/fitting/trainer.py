"""The Trainer: what Lightning is told, and what it is told to leave alone."""

from __future__ import annotations

import logging
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.profilers import PassThroughProfiler

import skint
from jobs.training.checkpoints.saving import Straight
from jobs.training.fitting.device import Engine
from jobs.training.recipe.recipe import Recipe


class Unprofiled(PassThroughProfiler):
    """Lightning profiles some forty actions a step; the device waits meanwhile.

    Its own way of not profiling makes a generator for each of them.
    """

    _nothing = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:
        return self._nothing


def make_trainer(
    engine: Engine,
    recipe: Recipe,
    ctx: skint.Context,
    callbacks: list[pl.Callback],
    *,
    first_epoch: int = 0,
    **limits: Any,
) -> pl.Trainer:
    """A Trainer for one stage that prints nothing, logs nowhere and repeats itself exactly.

    Epochs are counted through all stages: `first_epoch` is that of this one. So the order of the
    pictures, which is keyed by the epoch, differs from stage to stage.
    """
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # "GPU available: ...", tips
    # Lightning counts cores and batches and gives advice; the loader here needs none of it.
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
    # The other processes are there: no cluster's environment is to be asked for them.
    several = engine.devices > 1
    plugins: list[Any] = [Straight(), *([LightningEnvironment()] if several else [])]
    trainer = pl.Trainer(
        accelerator=engine.accelerator,
        devices=engine.devices,
        strategy="ddp" if several else "auto",
        precision=engine.precision,  # type: ignore[arg-type]  # Lightning lists every word
        max_epochs=first_epoch + recipe.epochs,
        accumulate_grad_batches=recipe.accumulate,
        gradient_clip_val=recipe.clip_norm,
        callbacks=callbacks,
        plugins=plugins,
        deterministic="warn",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        profiler=Unprofiled(),
        use_distributed_sampler=False,
        default_root_dir=ctx.out / "local",
        **limits,
    )
    trainer.fit_loop.epoch_progress.increment_by(first_epoch)
    return trainer
