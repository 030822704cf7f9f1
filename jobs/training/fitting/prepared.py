"""Everything that one fold's training is made of, built from the recipe and the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import skint
from jobs.training.data.augment import make_augment
from jobs.training.data.fold import FoldData, Rows
from jobs.training.data.normalise import Normalise, moments_for
from jobs.training.fitting.module import Classifier
from jobs.training.network.model import build
from jobs.training.network.weights import load, packaged
from jobs.training.objective.objective import objective_of
from jobs.training.recipe.recipe import Recipe
from skint.loader import OrderedLoader, ShuffledLoader


@dataclass(frozen=True)
class Prepared:
    module: Classifier
    train: ShuffledLoader
    validation: OrderedLoader


def make_loaders(
    recipe: Recipe,
    data: FoldData,
    train: Rows,
    validation: Rows,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> tuple[ShuffledLoader, OrderedLoader]:
    """Over the given rows of the fold, onto `device`."""
    images, meta = data.packed.images(), data.packed.meta
    return (
        ShuffledLoader(
            images,
            data.labels,
            train,
            batch_size=batch_size,
            seed=recipe.seed,
            augment=make_augment(recipe.augment, data.picture_shape, meta.dtype),
            device=device,
        ),
        OrderedLoader(images, data.labels, validation, batch_size=batch_size, device=device),
    )


def make_module(recipe: Recipe, data: FoldData, ctx: skint.Context, steps: int) -> Classifier:
    """The network with its starting weights, in its LightningModule.

    Draws the initial weights from torch's generator, which it seeds with `recipe.seed`.
    """
    meta = data.packed.meta
    objective = objective_of(recipe, data)
    torch.manual_seed(recipe.seed)
    network = build(
        recipe.model, classes=objective.outputs, channels=data.picture_shape[0], base=ctx.base
    )
    if recipe.weights != "none":
        load(network, packaged() if recipe.weights == "package" else ctx.resolve(recipe.weights))
    # Not those of the whole set: the held-out pictures must not show in anything that is learnt.
    own_mean, own_std = data.packed.moments(data.train)
    mean, std = moments_for(
        pretrained=network.pretrained,
        has_weights=recipe.weights != "none" or network.own_weights,
        dtype=meta.dtype,
        mean=own_mean,
        std=own_std,
    )
    return Classifier(network, Normalise(mean, std), recipe, objective=objective, steps=steps)


def prepare(
    recipe: Recipe, data: FoldData, ctx: skint.Context, device: torch.device | str
) -> Prepared:
    """For the whole of the fold, to train on `device`."""
    train, validation = make_loaders(
        recipe, data, data.train, data.validation, recipe.batch_size, device
    )
    return Prepared(make_module(recipe, data, ctx, len(train) * recipe.epochs), train, validation)
