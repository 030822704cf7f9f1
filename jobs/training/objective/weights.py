"""Weights of classes in the loss."""

from __future__ import annotations

import difflib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.training.data.fold import FoldData
from jobs.training.objective.base import ObjectiveError
from jobs.training.recipe.recipe import Recipe
from skint.dataset import Target


def class_weights(recipe: Recipe, data: FoldData) -> dict[str, Tensor]:
    """(K,) by target; none where the recipe says none, and of values.

    Of one class a picture: `balanced` weighs a class by 1 / its training samples, and all weights
    are scaled so that the mean over the training samples is 1. So the learning rate means the same
    with and without them. Of several classes a picture: the weight of the pictures that have the
    class against those that have not; `balanced` makes the two equal.

    Raises ObjectiveError where a name is no class.
    """
    given = recipe.class_weights
    targets = [target for target in data.targets if target.kind != "value"]
    if given == "none":
        return {}
    if not targets:
        raise ObjectiveError("numbers have no classes to weigh", where="class_weights", got=given)
    if isinstance(given, dict):
        _check_names(given, targets)
        targets = [target for target in targets if set(target.classes) & set(given)]
    return {
        target.name: torch.tensor(_weights(given, target, data), dtype=torch.float32)
        for target in targets
    }


def _weights(given: str | dict[str, float], target: Target, data: FoldData) -> NDArray[np.float64]:
    column = data.columns[target.name][data.known(target, data.train)]
    several = target.kind == "multilabel"
    # What no training sample has cannot be weighed by how many there are: it keeps 1.
    counts = column.sum(axis=0) if several else np.bincount(column, minlength=len(target.classes))
    counts = counts.astype(np.float64)
    if isinstance(given, dict):
        weights = np.array([given.get(name, 1.0) for name in target.classes])
    elif several:
        weights = np.where(counts > 0, (len(column) - counts) / np.maximum(counts, 1), 1.0)
        # A class that every picture has: its loss would be nothing at all.
        return np.where(weights > 0, weights, 1.0)
    else:
        weights = np.where(counts > 0, 1 / np.maximum(counts, 1), 1 / max(1.0, counts.mean()))
    if several:
        return weights
    return np.asarray(weights * counts.sum() / (weights * counts).sum())


def _check_names(given: dict[str, float], targets: list[Target]) -> None:
    known = [name for target in targets for name in target.classes]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ObjectiveError(
                "class_weights names a class that is not there",
                where="class_weights",
                got=name,
                wanted=", ".join(known[:20]),
                next=f"did you mean {near[0]}?" if near else None,
            )
