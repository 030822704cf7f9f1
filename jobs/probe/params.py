"""What is measured, as a plan says it. Nothing here imports torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.training.recipe.checked import CheckedRecipe

Look = Literal["loader", "batch", "lr", "sizes", "models"]


class Params(CheckedRecipe):
    """The recipe of `train`, field by field, and what is measured of it."""

    look: tuple[Look, ...] = ("loader", "batch", "lr", "sizes", "models")
    """`loader`: pictures a second by number of worker processes; `batch`: the largest that fits,
    and how fast each size is; `lr`: the learning-rate finder; `sizes`: a step at each size of the
    packed set's ladder; `models`: `models` beside each other."""
    models: tuple[str, ...] = ()
    """Names, as `model`."""
    largest_batch: int = Field(default=512, ge=2)
    """No larger one is tried."""
    steps: int = Field(default=10, ge=2, le=1000)
    """Steps that are timed for each figure; the first ones, which set up kernels, do not count."""
    lr_steps: int = Field(default=100, ge=20, le=10_000)
    """Steps of the learning-rate finder."""
