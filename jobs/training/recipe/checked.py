"""Recipes that say nothing against themselves, and what the others do, in one sentence each.

Nothing here imports torch, so that a plan can be checked without it.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import model_validator

from jobs.training.recipe.cycles import cycles_text, nearest
from jobs.training.recipe.planned import PlannedStage, planned
from jobs.training.recipe.recipe import Recipe

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)

OF_SCHEDULE = {
    "peak": "one-cycle",
    "cycle_len": "sgdr",
    "cycle_mult": "sgdr",
    "step_epochs": "step",
    "step_factor": "step",
}
"""Fields that one schedule alone looks at."""


def checked(recipe: AnyRecipe) -> AnyRecipe:
    """The same. Raises ValueError with the first thing that cannot be trained as it is said."""
    if (complaint := _contradiction(recipe)) is not None:
        raise ValueError(complaint)
    return recipe


class CheckedRecipe(Recipe):
    """How to train. The defaults train a small network from scratch."""

    @model_validator(mode="after")
    def _consistent(self) -> CheckedRecipe:
        return checked(self)


def _contradiction(recipe: Recipe) -> str | None:
    if recipe.stages and (lost := _said(recipe, "epochs", "fine_tune", "unfreeze")):
        return f"{lost}: with `stages`, each says its own"
    if recipe.fine_tune and (lost := _said(recipe, "freeze", "unfreeze")):
        return f"{lost}: fine_tune freezes and unfreezes by itself"
    if (complaint := _of_weights(recipe)) is not None:
        return complaint
    stages = planned(recipe)
    schedules = {stage.recipe.schedule for stage in stages}
    unused = [name for name, schedule in OF_SCHEDULE.items() if schedule not in schedules]
    if lost := _said(recipe, *unused):
        return f"{lost}: is of `schedule: {OF_SCHEDULE[lost]}`, and that is not asked for"
    names = [stage.name for stage in stages]
    if len(set(names)) < len(names):
        return "stages: two of them have one name; give each a `name`"
    for stage in stages:
        if (complaint := _of_stage(stage)) is not None:
            return f"stage {stage.name}: {complaint}" if len(stages) > 1 else complaint
    return None


def _said(recipe: Recipe, *names: str) -> str | None:
    """The first of the fields that is not what it is by default."""
    fields = type(recipe).model_fields
    return next((n for n in names if getattr(recipe, n) != fields[n].default), None)


def _of_weights(recipe: Recipe) -> str | None:
    named = _said(recipe, "weight_classes", "same_classes")
    if recipe.weights == "none" and named:
        return f"{named}: there are no `weights` whose classes these are"
    if recipe.weights == "package" and recipe.same_classes and recipe.weight_classes is None:
        return "same_classes: with `weights: package` say also `weight_classes: imagenet`"
    return None


def _of_stage(stage: PlannedStage) -> str | None:
    recipe = stage.recipe
    if recipe.warmup_epochs >= recipe.epochs:
        return f"warmup_epochs: all {recipe.epochs} epochs would be warm-up"
    if recipe.schedule == "sgdr" and (complaint := _of_cycles(recipe)) is not None:
        return complaint
    if recipe.unfreeze:
        return _of_unfreezing(recipe)
    return None


def _of_cycles(recipe: Recipe) -> str | None:
    warmup = recipe.warmup_epochs
    if warmup != int(warmup):
        return f"warmup_epochs: before cycles it takes whole epochs, not {warmup:g}"
    if recipe.cycle_lengths:
        return None
    totals = " or ".join(
        f"{sum(lengths) + int(warmup)} ({cycles_text(lengths)})"
        for lengths in nearest(recipe.epochs - int(warmup), recipe.cycle_len, recipe.cycle_mult)
    )
    after = f" after {warmup:g} of warm-up" if warmup else ""
    return f"epochs: {recipe.epochs} are no whole number of cycles{after}; nearest: {totals}"


def _of_unfreezing(recipe: Recipe) -> str | None:
    epochs = recipe.unfreeze
    if recipe.freeze != "backbone":
        return "unfreeze: nothing is frozen without `freeze: backbone`"
    if sorted(set(epochs)) != list(epochs):
        return f"unfreeze: each epoch is later than the one before, not {list(epochs)}"
    if epochs[-1] >= recipe.epochs:
        return f"unfreeze: epoch {epochs[-1]} is not among {recipe.epochs}, counted from 0"
    groups = len(recipe.lr_groups)
    if groups > 1 and len(epochs) > groups - 1:
        return f"unfreeze: {groups} groups of layers can thaw {groups - 1} times at most"
    return None
