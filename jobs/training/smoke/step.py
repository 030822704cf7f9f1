"""One training step and one validation step of a stage, through Lightning, on the CPU."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.data.fold import FoldData, few
from jobs.training.fitting.device import choose_engine
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import make_loaders
from jobs.training.fitting.trainer import make_trainer
from jobs.training.recipe.planned import PlannedStage
from skint.loader import Batch


@dataclass(frozen=True)
class Step:
    """What they did."""

    train_loss: float
    metrics: dict[str, float]
    changed: bool
    """Whether the training step changed any weight that is to learn."""
    trained: int
    """Numbers of the network that learn in this stage's first epoch."""
    seconds: float
    """Of the training step."""
    trainer: pl.Trainer


def run_step(
    stage: PlannedStage, data: FoldData, ctx: skint.Context, module: Classifier, size: int
) -> Step:
    """With `size` pictures in the batch."""
    train, validation = make_loaders(
        stage.recipe,
        data,
        few(data, data.train, size),
        few(data, data.validation, size),
        batch_size=size,
    )
    trained = [p for p in module.network.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    clock = StepClock()
    trainer = make_trainer(
        choose_engine(stage.recipe.precision, devices=()),
        stage.recipe,
        ctx,
        [clock],
        first_epoch=stage.first_epoch,
        limit_train_batches=1,
        limit_val_batches=1,
        max_steps=1,
    )
    trainer.fit(module.train(), train, validation)
    return Step(
        train_loss=module.train_loss,
        metrics=module.measured,
        changed=any(not torch.equal(a, b) for a, b in zip(before, trained, strict=True)),
        trained=sum(p.numel() for p in trained),
        seconds=clock.seconds,
        trainer=trainer,
    )


def first_batch(stage: PlannedStage, data: FoldData, size: int) -> Batch:
    """Of at most `size` pictures that train, augmented as they will be."""
    rows = few(data, data.train, size)
    train, _ = make_loaders(stage.recipe, data, rows, rows, batch_size=size)
    return next(iter(train))


class StepClock(pl.Callback):
    """Times the training step."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.seconds = 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self.begun = time.monotonic()

    def on_train_batch_end(self, *_: Any) -> None:
        self.seconds = time.monotonic() - self.begun
