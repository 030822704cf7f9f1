"""One stage of a training: its pictures, its optimizer, its schedule, on weights that go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytorch_lightning as pl

import skint
from jobs.training.checkpoints.checkpoint import SAVE_EVERY_S, Checkpoints
from jobs.training.checkpoints.resume import ResumePoint
from jobs.training.data.fold import FoldData
from jobs.training.fitting.device import Engine
from jobs.training.fitting.memory import Memory
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.others import Others
from jobs.training.fitting.prepared import Parts, make_loaders
from jobs.training.fitting.totals import epoch_steps
from jobs.training.fitting.trainer import make_trainer
from jobs.training.recipe.planned import PlannedStage
from jobs.training.watching.alarm import ScaleAlarm
from jobs.training.watching.blame import Blame
from jobs.training.watching.early_stopping import StageEnd
from jobs.training.watching.history import History
from jobs.training.watching.loggers import ToLoggers
from skint.errors import SkintError


class StageError(SkintError):
    """A stage cannot be trained on the devices that are there."""


@dataclass(frozen=True)
class Work:
    """What all stages of a fold share."""

    ctx: skint.Context
    sizes: Mapping[int | None, FoldData]
    """The fold at the size of each stage."""
    parts: Parts
    engine: Engine
    history: History
    memory: Memory
    copies: ToLoggers
    others: Others
    """The processes of the other devices."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Said with the first epoch of each stage that this attempt trains."""


def run_stage(work: Work, stage: PlannedStage, point: ResumePoint | None) -> None:
    """Train `stage` from the weights that the network has, or go on from `point` in it.

    Raises StageError where it cannot be trained on so many devices.
    """
    recipe = stage.recipe
    if recipe.unfreeze and work.engine.devices > 1:
        # What is frozen when the copies are made would never be averaged over them.
        raise StageError(
            "on several devices layers cannot thaw within a stage",
            where=f"stage {stage.name}",
            got=f"unfreeze: {list(recipe.unfreeze)}, {work.engine.devices} devices",
            next="make a stage of each: {freeze: backbone, epochs: 1}, {epochs: 5}",
        )
    if work.engine.devices == 1:  # of several processes one alone must not leave
        work.ctx.check()
    data = work.sizes[stage.size_px]
    work.ctx.stage(stage.name)
    work.history.stage = stage
    train, validation = make_loaders(
        recipe,
        data,
        data.train,
        data.validation,
        recipe.batch_size,
        work.engine.device,
        trains=True,
        part=(work.engine.rank, work.engine.devices),
    )
    module = Classifier(
        work.parts.network,
        work.parts.normalise,
        recipe,
        objective=work.parts.objective,
        average=work.parts.average,
        epoch_steps=epoch_steps(len(data.train), recipe, work.engine.devices),
        first_epoch=stage.first_epoch,
        memory=work.memory,
    )
    # In this order: a row of the history, its report, the checkpoint that knows of both.
    callbacks: list[pl.Callback] = [work.history, work.copies]
    if recipe.early_stopping is not None:
        callbacks.append(StageEnd(work.ctx, work.history, stage, recipe.early_stopping))
    callbacks += [
        ScaleAlarm(work.ctx),
        skint.Callback(save_every_s=SAVE_EVERY_S, epochs=work.history.epochs, facts=work.facts),
        Checkpoints(work.ctx, stage=stage.number, keep_every=recipe.keep_every),
    ]
    if work.engine.devices > 1:  # before the others: the first that speaks is the cause
        callbacks.insert(0, Blame(work.others))
    trainer = make_trainer(work.engine, recipe, work.ctx, callbacks, first_epoch=stage.first_epoch)
    try:
        trainer.fit(module, train, validation, **(point.fit_arguments if point else {}))
    finally:
        train.close()
        module.freezing.thaw()


def at_size(data: FoldData, size_px: int | None) -> FoldData:
    """The same fold of the same pictures at another size of the ladder.

    Raises DatasetError where the packed set does not have it.
    """
    return data if size_px is None else replace(data, packed=data.packed.at(size_px))
