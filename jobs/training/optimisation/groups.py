"""Parameters in groups of one learning rate and one weight decay."""

from __future__ import annotations

from typing import Any

from torch import nn

from jobs.training.recipe.recipe import Recipe


def rates(recipe: Recipe, count: int) -> tuple[float, ...]:
    """Highest learning rate of each of `count` groups of layers, from the input to the head."""
    multiples = recipe.lr_groups if len(recipe.lr_groups) > 1 else recipe.lr_groups * count
    return tuple(recipe.lr * multiple for multiple in multiples)


def parameter_groups(layers: list[list[nn.Parameter]], recipe: Recipe) -> list[dict[str, Any]]:
    """Each group of layers twice: matrices with weight decay; vectors, which are biases and the
    scales of normalisation, without.
    """
    groups: list[dict[str, Any]] = []
    for rate, parameters in zip(rates(recipe, len(layers)), layers, strict=True):
        kinds = (
            (recipe.weight_decay, [p for p in parameters if p.ndim > 1]),
            (0.0, [p for p in parameters if p.ndim <= 1]),
        )
        groups += [{"params": own, "lr": rate, "weight_decay": d} for d, own in kinds if own]
    return groups
