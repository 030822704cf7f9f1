"""Optimizers over all parameters of a network, in groups."""

from __future__ import annotations

from torch import nn, optim

from jobs.training.optimisation.groups import parameter_groups
from jobs.training.recipe.recipe import Recipe

MOMENTUM = 0.9


def make_optimizer(groups: list[list[nn.Parameter]], recipe: Recipe) -> optim.Optimizer:
    """Over `groups` of layers, from the input to the head, each at its own rate.

    Frozen parameters are in it as well, so that a resumed run finds the same groups; having no
    gradient they neither move nor decay.
    """
    chosen = parameter_groups(groups, recipe)
    if recipe.optimizer == "sgd":
        return optim.SGD(chosen, lr=recipe.lr, momentum=MOMENTUM, nesterov=True)
    return optim.AdamW(chosen, lr=recipe.lr)
