"""A stage: some epochs of a training that differ from the rest in size, rate or what learns.

Progressive resizing, freezing and unfreezing and fine-tuning are all lists of stages. Each goes on
from the weights of the one before, with a new optimizer and a schedule of its own.

Nothing here imports torch, so that a plan can be checked without it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from jobs.training.recipe.augmentation import Augment
from jobs.training.recipe.choices import Freeze, Schedule


class Stage(BaseModel):
    """What a stage does differently; what it does not say is as in the recipe."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    name: str = Field(default="", pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$|^$", max_length=40)
    """What its hours are called; by default its size or its number."""
    epochs: int = Field(ge=1)
    size: int | None = Field(default=None, ge=8)
    """Pixels a side: a rung of the packed set's ladder (`sizes` of the job `resize`)."""
    batch_size: int | None = Field(default=None, ge=2)
    lr: float | None = Field(default=None, gt=0)
    lr_groups: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(default=None, min_length=1)
    schedule: Schedule | None = None
    warmup_epochs: float | None = Field(default=None, ge=0)
    peak: float | None = Field(default=None, gt=0, lt=1)
    freeze: Freeze | None = None
    unfreeze: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Epochs count from the beginning of the stage."""
    augment: Augment | None = None
    mixup: float | None = Field(default=None, ge=0)
    cutmix: float | None = Field(default=None, ge=0)
    drop_rate: float | None = Field(default=None, ge=0, lt=1)
    accumulate: int | None = Field(default=None, ge=1)
