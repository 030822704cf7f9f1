"""Optimizers and learning-rate schedules, counted in steps."""

from __future__ import annotations

from typing import Any

from torch import nn, optim

from jobs.training.recipe.recipe import Recipe

MOMENTUM = 0.9


def make_optimizer(network: nn.Module, recipe: Recipe) -> optim.Optimizer:
    """Over the parameters that are trained; vectors (biases, scales) without weight decay."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "sgd":
        return optim.SGD(groups, lr=recipe.lr, momentum=MOMENTUM, nesterov=True)
    return optim.AdamW(groups, lr=recipe.lr)


def make_schedule(
    optimizer: optim.Optimizer, recipe: Recipe, total_steps: int
) -> optim.lr_scheduler.LRScheduler | None:
    """Stepped after every batch; `total_steps` stays that of the whole plan when it is resumed."""
    if recipe.schedule == "constant":
        return None
    if recipe.schedule == "cosine":
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total_steps)
    options: dict[str, Any] = {"max_lr": recipe.lr, "total_steps": max(2, total_steps)}
    return optim.lr_scheduler.OneCycleLR(optimizer, **options)
