"""Draws what the model will really see: some training pictures, epoch by epoch, augmented.

`preview.png` has a row a picture and a column an epoch, before them the picture as it validates;
`preview.json` says which pictures, and how they are normalised. The loader, the augmentation and
the normalisation are those of `train`, with the same seed, so these are the very pictures that the
training with this recipe takes in these epochs.

    preview: {uses: preview, needs: [folds], with: {model: resnet18, augment: light, seed: 0}}

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

from pydantic import Field

import skint
from jobs.train.job import ready_for_torch
from jobs.training.recipe.checked import CheckedRecipe


class Params(CheckedRecipe):
    """The recipe of `train`, field by field, and how much of it is drawn."""

    samples: int = Field(default=8, ge=1, le=64)
    """Rows: pictures that train, taken from the classes in turn."""
    columns: int = Field(default=6, ge=1, le=32)
    """Epochs that are drawn, the first ones."""


@skint.job(devices=0, libraries=("torch", "torchvision", "Pillow"))
def preview(params: Params, ctx: skint.Context) -> None:
    ready_for_torch()
    from jobs.preview.seen import draw_seen

    draw_seen(params, params.samples, params.columns, ctx)
