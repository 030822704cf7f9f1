"""The objective of a recipe on the data of a fold."""

from __future__ import annotations

from jobs.training.data.fold import FoldData
from jobs.training.objective.base import Objective
from jobs.training.objective.classes import Classes
from jobs.training.recipe.recipe import Recipe


def objective_of(recipe: Recipe, data: FoldData) -> Objective:
    """Raises ObjectiveError where the recipe asks for what the targets cannot give."""
    target = data.packed.target("class")
    return Classes(target.name, len(target.classes), smoothing=recipe.label_smoothing)
