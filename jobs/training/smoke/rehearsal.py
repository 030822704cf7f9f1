"""The ten-second rehearsal on a CPU: what would fail after an hour's queue fails here, for free.

It runs the real network, loaders, augmentation, loss, optimizer and schedule through Lightning on
a handful of pictures: one training batch and one validation batch of every stage. Writes
`smoke.json`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import skint
from jobs.training.data.fold import FoldData, read_fold
from jobs.training.data.mixing import refuse_unmixable
from jobs.training.data.remarks import remarks
from jobs.training.data.sampling import order_of
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import Parts, make_module, make_parts
from jobs.training.fitting.stages import at_size
from jobs.training.fitting.totals import epoch_steps, totals
from jobs.training.network.compiling import refuse_uncompilable
from jobs.training.objective.monitor import monitor_of
from jobs.training.recipe.planned import PlannedStage, planned
from jobs.training.recipe.recipe import Recipe
from jobs.training.smoke.checks import (
    CHECKS,
    check_checkpoint,
    check_output,
    check_pixels,
    check_room,
    check_step,
    normalisation_remark,
)
from jobs.training.smoke.step import Step, first_batch, run_step
from jobs.training.watching.loggers import refuse_missing
from skint.attempt import write_atomic, write_json

PER_OUTPUT = 2
MOST = 32
"""Pictures in the batch at most, however many classes there are."""
BUDGET_S = 6.0
"""Seconds that all batches may take by the estimate of their size; half the ten are for the
rest."""


@dataclass(frozen=True)
class Rehearsed:
    """What one stage did."""

    stage: PlannedStage
    module: Classifier
    step: Step
    batch: int
    """Pictures."""


def rehearse(recipe: Recipe, ctx: skint.Context) -> None:
    """Run the rehearsal; raises SmokeError, or the error that the training would have had."""
    started = time.monotonic()
    torch.set_num_threads(ctx.cpus)
    refuse_missing(recipe.loggers)
    if recipe.compile:  # itself it does not: that takes longer than all else here
        refuse_uncompilable("cpu")
    data = read_fold(ctx, recipe.targets)
    order_of(recipe, data, data.train)  # raises where the sampler does not fit the targets
    stages = planned(recipe)
    parts = make_parts(recipe, data, ctx)
    check_room(ctx.out, parts.network.module)
    done = [rehearse_stage(stage, len(stages), data, parts, ctx) for stage in stages]
    last = done[-1]
    end = at_size(data, last.stage.size_px)
    with TemporaryDirectory(dir=ctx.out, prefix="rehearsal-") as folder:
        path = Path(folder, "last.ckpt")
        last.step.trainer.save_checkpoint(path)
        twin = make_module(last.stage.recipe, data, ctx)
        check_checkpoint(path, last.module, twin, first_batch(last.stage, end, 2))

    parts.start.tell(ctx)
    tell(recipe, stages, data, parts, ctx)
    network = parts.network.module
    result = {
        "model": recipe.model,
        "outputs": parts.objective.outputs,
        "parameters": sum(p.numel() for p in network.parameters()),
        "stages": [
            {
                "name": one.stage.name,
                "input": list(at_size(data, one.stage.size_px).picture_shape),
                "trained_parameters": one.step.trained,
            }
            for one in done
        ],
        "checks": list(CHECKS),
    }
    write_atomic(ctx.out / "smoke.json", (json.dumps(result, indent=1) + "\n").encode())
    measured = {
        "batch": last.batch,
        "step_ms": round(last.step.seconds * 1000, 1),
        "seconds": round(time.monotonic() - started, 3),
        "train_loss": last.step.train_loss,
        **last.step.metrics,
    }
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "smoke.json", measured)
    said = {name: measured[name] for name in ("batch", "step_ms", "seconds", "train_loss")}
    ctx.report(**said, parameters=result["parameters"], trained_parameters=last.step.trained)


def rehearse_stage(
    stage: PlannedStage, stages: int, whole: FoldData, parts: Parts, ctx: skint.Context
) -> Rehearsed:
    """One of `stages`: a training step and a validation step, checked."""
    where = f"stage {stage.name}" if stages > 1 else "smoke test"
    data = at_size(whole, stage.size_px)
    refuse_unmixable(stage.recipe, data.picture_shape)
    module = Classifier(
        parts.network,
        parts.normalise,
        stage.recipe,
        objective=parts.objective,
        average=parts.average,
        epoch_steps=epoch_steps(len(data.train), stage.recipe),
        first_epoch=stage.first_epoch,
    )
    monitor = monitor_of(stage.recipe, parts.objective)
    try:
        check_pixels(module, first_batch(stage, data, MOST), where)
        pair_s = check_output(module, first_batch(stage, data, 2), where)
        # A training step costs about three forward passes.
        affordable = int(BUDGET_S / stages / max(1e-6, 3 * pair_s / 2))
        most = min(stage.recipe.batch_size, PER_OUTPUT * parts.objective.outputs, MOST)
        size = max(2, min(most, affordable))
        step = run_step(stage, data, ctx, module, size)
        check_step(step, monitor, where)
    finally:
        module.freezing.thaw()
    return Rehearsed(stage, module, step, size)


def tell(
    recipe: Recipe,
    stages: tuple[PlannedStage, ...],
    data: FoldData,
    parts: Parts,
    ctx: skint.Context,
) -> None:
    """What a person should know before hours are spent."""
    said = [*remarks(data, recipe.batch_size), normalisation_remark(recipe, data, parts)]
    for sentence in (*said, totals(stages, len(data.train))):
        if sentence is not None:
            ctx.note(sentence)
