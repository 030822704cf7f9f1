"""Everything that one fold's training is made of, built from the recipe and the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import skint
from jobs.training.data.augment import make_augment
from jobs.training.data.fold import FoldData, Rows
from jobs.training.data.normalise import Normalise, moments_for
from jobs.training.data.sampling import order_of
from jobs.training.fitting.module import Classifier
from jobs.training.network.model import Network
from jobs.training.network.start import Start, starting_network
from jobs.training.objective.base import Objective
from jobs.training.objective.objective import objective_of
from jobs.training.optimisation.average import Average
from jobs.training.recipe.recipe import Recipe
from skint.loader import OrderedLoader, ShuffledLoader


@dataclass(frozen=True)
class Parts:
    """What goes through all stages of a training."""

    start: Start
    normalise: Normalise
    objective: Objective
    average: Average | None
    """Of the network's weights, where the recipe wants one."""

    @property
    def network(self) -> Network:
        return self.start.network


def make_loaders(
    recipe: Recipe,
    data: FoldData,
    train: Rows,
    validation: Rows,
    batch_size: int,
    device: torch.device | str = "cpu",
    *,
    trains: bool = False,
    part: tuple[int, int] = (0, 1),
) -> tuple[ShuffledLoader, OrderedLoader]:
    """Over the given rows of the fold, onto `device`.

    With `trains`, an epoch is what the recipe's sampler draws, and its workers augment: what only
    looks at some pictures wants each of them once. `part=(rank, ranks)` gives one process's part of
    every batch.
    """
    images, meta = data.packed.images(), data.packed.meta
    mean, _ = data.packed.moments(data.train)
    return (
        ShuffledLoader(
            images,
            data.labels,
            train,
            batch_size=batch_size,
            seed=recipe.seed,
            augment=make_augment(recipe.augment, data.picture_shape, meta.dtype, mean),
            order=order_of(recipe, data, train) if trains else None,
            workers=recipe.workers if trains else 0,
            device=device,
            channels_last=recipe.channels_last,
            part=part,
        ),
        OrderedLoader(
            images,
            data.labels,
            validation,
            batch_size=batch_size,
            device=device,
            channels_last=recipe.channels_last,
            part=part,
        ),
    )


def make_parts(recipe: Recipe, data: FoldData, ctx: skint.Context) -> Parts:
    """The network on the CPU with its starting weights, and what belongs to it.

    Draws the initial weights from torch's generator, which it seeds with `recipe.seed`.
    """
    objective = objective_of(recipe, data)
    start = starting_network(
        recipe,
        ctx,
        outputs=objective.outputs,
        channels=data.picture_shape[0],
        classes=objective.class_rows,
    )
    network = start.network
    # Not those of the whole set: the held-out pictures must not show in anything that is learnt.
    own_mean, own_std = data.packed.moments(data.train)
    mean, std = moments_for(
        pretrained=network.pretrained,
        has_weights=recipe.weights != "none" or network.own_weights,
        dtype=data.packed.meta.dtype,
        mean=own_mean,
        std=own_std,
    )
    average = Average(network.module, recipe.ema) if recipe.ema else None
    return Parts(start, Normalise(mean, std), objective, average)


def make_module(
    recipe: Recipe, data: FoldData, ctx: skint.Context, *, epoch_steps: int = 1
) -> Classifier:
    """The same in its LightningModule; `recipe` is that of one stage."""
    parts = make_parts(recipe, data, ctx)
    return Classifier(
        parts.network,
        parts.normalise,
        recipe,
        objective=parts.objective,
        average=parts.average,
        epoch_steps=epoch_steps,
    )
