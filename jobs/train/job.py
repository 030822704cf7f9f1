"""Train a network on the nearest packed set; one fold validates, the others train.

Reads  dataset.json, samples.csv, images.npy of the nearest packed set; folds.csv.
Writes predictions.npz of the validation fold by the best epoch's weights; correct.json, which of
       them were right; metrics.csv, a row an epoch; result.json; model.json and
       checkpoints/best.ckpt (weights only, fit for `weights: FILE`); checkpoints/last.ckpt (all
       that an exact continuation needs).

    train:
      uses: train
      needs: [folds]
      per: fold
      devices: 1
      with: {model: resnet18, epochs: 20, lr: 0.002}

The out-of-fold score is that of the best epoch, chosen on the same fold: a little flattering, the
same way for every run.

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import skint
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.recipe.recipe import Recipe
from skint.errors import USAGE, SkintError

NEEDED = ("torch", "torchvision", "pytorch_lightning", "torchmetrics", "timm")

BEFORE_TORCH = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16",
}
"""Environment that torch reads when it is loaded; what is already set stays.

OpenMP's threads spin while they wait for each other: with one other process on the cores a step
takes ten times as long. oneDNN's AMX kernels in bf16 gave NaN now and then on busy cores of a
virtual machine, where those of AVX-512 gave the same numbers every time.
"""


class TrainingNotInstalled(SkintError):
    """The packages that training needs are an extra, and it is not installed."""

    exit_code = USAGE


@skint.job(
    devices=1,
    cpus=0,
    smoke=True,
    resume=True,
    standby=True,
    libraries=("torch", "torchvision", "timm", "pytorch-lightning", "torchmetrics"),
)
def train(params: CheckedRecipe, ctx: skint.Context) -> None:
    """Train one fold; with `ctx.smoke`, rehearse it on a handful of pictures on the CPU."""
    ready_for_torch()
    if ctx.smoke:
        from jobs.training.smoke.rehearsal import rehearse

        rehearse(params, ctx)
    else:
        from jobs.training.fitting.others import others

        refuse_indivisible_batches(params, ctx.device_count)
        with others(ctx) as rest:  # before torch is imported: so they do it meanwhile
            from jobs.training.fitting.fold import train_fold

            train_fold(params, ctx, rest)


def refuse_indivisible_batches(recipe: Recipe, devices: int) -> None:
    """Raise DivisionError where a stage's batch has no equal parts for so many devices."""
    from jobs.training.fitting.others import refuse_indivisible
    from jobs.training.recipe.planned import planned

    for stage in planned(recipe):
        refuse_indivisible(stage.recipe.batch_size, devices, f"stage {stage.name}")


def ready_for_torch() -> None:
    """Raise TrainingNotInstalled without the packages that training needs; set what they read.

    To be called before torch is imported.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TrainingNotInstalled(
            "training needs packages that are not installed",
            got=f"no {', '.join(missing)}",
            wanted="the extra `train`, and `weights` for pretrained ones",
            next="pip install 'skint[train,weights]', then submit again",
        )
    for name, value in BEFORE_TORCH.items():
        os.environ.setdefault(name, value)
