"""A recipe, stage by stage: what is trained in which epochs with what.

Nothing here imports torch, so that a plan can be checked without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.training.recipe.recipe import Recipe
from jobs.training.recipe.stage import Stage

HEAD_LR_FACTOR = 0.5
"""After its first epochs `fine_tune` goes on at half the rate, as fastai's does."""
HEAD_PEAK = 0.99
"""The rate of its first epochs only climbs."""
FINE_TUNE_GROUPS = (0.01, 0.1, 1.0)
"""Rates of the groups of layers, where the recipe says none: slice(lr / 100, lr)."""


@dataclass(frozen=True)
class PlannedStage:
    """One stage with everything said."""

    number: int
    """From 0."""
    name: str
    recipe: Recipe
    """The recipe of this stage alone: `stages` is empty, `fine_tune` is 0."""
    size_px: int | None
    """Pixels a side; None for the set as it is."""
    first_epoch: int
    """Epochs of the stages before it."""

    @property
    def epochs(self) -> int:
        return self.recipe.epochs


def planned(recipe: Recipe) -> tuple[PlannedStage, ...]:
    """The stages of `recipe`, at least one."""
    stages = []
    first = 0
    for number, stage in enumerate(_given(recipe)):
        own = recipe.model_copy(update={**_said(stage), "stages": (), "fine_tune": 0})
        name = stage.name or (f"{stage.size}px" if stage.size else str(number))
        stages.append(PlannedStage(number, name, own, stage.size, first))
        first += stage.epochs
    return tuple(stages)


def total_epochs(recipe: Recipe) -> int:
    """Of all stages."""
    return sum(stage.epochs for stage in planned(recipe))


def _given(recipe: Recipe) -> tuple[Stage, ...]:
    if recipe.stages:
        return recipe.stages
    if recipe.fine_tune:
        groups = recipe.lr_groups if len(recipe.lr_groups) > 1 else FINE_TUNE_GROUPS
        return (
            Stage(
                name="head",
                epochs=recipe.fine_tune,
                schedule="one-cycle",
                peak=HEAD_PEAK,
                warmup_epochs=0,
                freeze="backbone",
            ),
            Stage(
                name="all",
                epochs=recipe.epochs,
                lr=recipe.lr * HEAD_LR_FACTOR,
                lr_groups=groups,
            ),
        )
    return (Stage(name="training", epochs=recipe.epochs),)


def _said(stage: Stage) -> dict[str, object]:
    """The fields of the recipe that the stage changes."""
    given = {name: getattr(stage, name) for name in Stage.model_fields}
    return {
        name: value
        for name, value in given.items()
        if name not in ("name", "size") and value is not None
    }
