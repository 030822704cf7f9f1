"""The network of a recipe with the weights that it starts from, and what is to be said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch

import skint
from jobs.training.network.class_rows import (
    ClassRow,
    as_table,
    copy_rows,
    match,
    names_of_classes,
    told,
)
from jobs.training.network.model import Drop, Network, build
from jobs.training.network.weights import (
    Weights,
    WeightsError,
    fill,
    packaged,
    read_weights,
)
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_atomic


@dataclass(frozen=True)
class Start:
    """A network on the CPU, ready to learn."""

    network: Network
    notes: tuple[str, ...] = ()
    """For the person."""
    class_rows: tuple[ClassRow, ...] = ()
    """Where the rows of its last layer come from; empty where none was looked for."""

    def tell(self, ctx: skint.Context) -> None:
        """Say the notes, and publish the map of classes for a person to check."""
        for note in self.notes:
            ctx.note(note)
        if self.class_rows:
            table = json.dumps(as_table(self.class_rows), indent=1, ensure_ascii=False)
            write_atomic(ctx.out / "class_rows.json", f"{table}\n".encode())


def starting_network(
    recipe: Recipe,
    ctx: skint.Context,
    *,
    outputs: int,
    channels: int,
    classes: Mapping[int, str],
) -> Start:
    """`classes` names the rows of the last layer that stand for a class.

    Seeds torch's generator with `recipe.seed` before it draws the initial weights. Raises
    ModelError and WeightsError.
    """
    torch.manual_seed(recipe.seed)
    drop = Drop(recipe.drop_rate, recipe.drop_path_rate)
    network = build(recipe.model, classes=outputs, channels=channels, base=ctx.base, drop=drop)
    start = Start(network)
    if recipe.weights != "none":
        weights = read_weights(
            packaged() if recipe.weights == "package" else ctx.resolve(recipe.weights)
        )
        start = _from_weights(network, weights, recipe, ctx, classes)
    if recipe.channels_last:
        network.module.to(memory_format=torch.channels_last)
    return start


def _from_weights(
    network: Network,
    weights: Weights,
    recipe: Recipe,
    ctx: skint.Context,
    classes: Mapping[int, str],
) -> Start:
    theirs = weights.classes
    _refuse_idle_names(recipe, network, weights, classes)
    if recipe.weight_classes is not None:
        theirs = names_of_classes(recipe.weight_classes, ctx.resolve(recipe.weight_classes))
    fresh = {
        name: value.clone()
        for name, value in network.module.state_dict().items()
        if network.head_prefix and name.startswith(network.head_prefix)
    }
    notes = fill(network, weights)
    if theirs is None or not classes or network.head is None:
        return Start(network, notes)
    # A last layer of the same size may be of other classes: rows go by name alone.
    network.module.load_state_dict(fresh, strict=False)
    rows = match(classes, theirs, recipe.same_classes)
    copy_rows(network, weights, theirs, rows)
    return Start(network, (*notes, told(rows)), rows)


def _refuse_idle_names(
    recipe: Recipe, network: Network, weights: Weights, classes: Mapping[int, str]
) -> None:
    """Raise WeightsError where the recipe names classes and no row could be kept for them."""
    where = next((n for n in ("weight_classes", "same_classes") if getattr(recipe, n)), None)
    if where is None:
        return
    if not classes:
        raise WeightsError("nothing that is learnt has classes", where=where)
    if network.head is None:
        raise WeightsError(
            "rows of classes are those of the last layer, and it is not known which that is",
            where=where,
            wanted="a class whose attribute `head` is its last layer",
        )
    if recipe.weight_classes is None and weights.classes is None:
        raise WeightsError(
            "it is not known which classes these weights are of",
            where=where,
            got=f"{weights.path.name} does not name them",
            wanted="weight_classes: a file with their names, or imagenet",
        )
