"""The objective of a recipe on the data of a fold."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from jobs.training.data.fold import FoldData
from jobs.training.objective.base import Objective, ObjectiveError, Single
from jobs.training.objective.classes import Classes
from jobs.training.objective.multilabel import Multilabel
from jobs.training.objective.of_classes import OfClasses
from jobs.training.objective.several import Several
from jobs.training.objective.values import LOSSES, Values
from jobs.training.objective.weights import class_weights
from jobs.training.recipe.measures import ALWAYS, MEASURES, split_monitor
from jobs.training.recipe.recipe import Recipe
from skint.dataset import Target

LOSSES_OF = {"class": ("cross-entropy",), "multilabel": ("bce",), "value": tuple(LOSSES)}


def objective_of(recipe: Recipe, data: FoldData) -> Objective:
    """Raises ObjectiveError where the recipe asks for what the targets cannot give."""
    _check_loss(recipe, data.targets)
    _check_measures(recipe, data.targets)
    _check_names("target_weights", recipe.target_weights, [t.name for t in data.targets])
    if recipe.target_weights and len(data.targets) == 1:
        raise ObjectiveError(
            "target_weights are of several targets",
            where="target_weights",
            got=f"{data.targets[0].name} alone is learnt",
        )
    weights = class_weights(recipe, data)
    parts = tuple(_part(recipe, data, target, weights.get(target.name)) for target in data.targets)
    return parts[0] if len(parts) == 1 else Several(parts, recipe.target_weights)


def _part(recipe: Recipe, data: FoldData, target: Target, weight: Tensor | None) -> Single:
    names = measured(recipe, target)
    kinds: dict[str, type[OfClasses]] = {"class": Classes, "multilabel": Multilabel}
    if (kind := kinds.get(target.kind)) is not None:
        return kind(
            target.name, target.classes, names, weight=weight, smoothing=recipe.label_smoothing
        )
    values = data.columns[target.name][data.known(target, data.train)]
    loss = recipe.loss if recipe.loss in LOSSES else "mse"
    return Values(target.name, names, mean=float(values.mean()), std=float(values.std()), loss=loss)


def measured(recipe: Recipe, target: Target) -> tuple[str, ...]:
    """Bare names of the metrics of a target: the usual one, those of the recipe, the monitored."""
    wanted = [ALWAYS[target.kind], *recipe.metrics]
    if recipe.monitor != "auto":
        wanted.append(split_monitor(recipe.monitor)[0])
    return tuple(name for name in dict.fromkeys(wanted) if name in MEASURES[target.kind])


def _check_loss(recipe: Recipe, targets: tuple[Target, ...]) -> None:
    several = [target.name for target in targets if target.kind == "multilabel"]
    one = [target.name for target in targets if target.kind == "class"]
    if recipe.loss == "cross-entropy" and several:
        raise ObjectiveError(
            "cross-entropy makes the classes of a picture share one probability",
            where="loss",
            got=f"{several[0]} is multi-label: a picture may have several of its classes, or none",
            wanted="bce, which asks for each class by itself; `auto` takes it",
        )
    if recipe.loss == "bce" and one and not several:
        raise ObjectiveError(
            "bce asks for each class by itself",
            where="loss",
            got=f"{one[0]} has exactly one class a picture",
            wanted="cross-entropy; `auto` takes it",
        )
    kinds = dict.fromkeys(target.kind for target in targets)
    if recipe.loss != "auto" and not any(recipe.loss in LOSSES_OF[kind] for kind in kinds):
        raise ObjectiveError(
            f"the loss {recipe.loss} fits none of the targets",
            where="loss",
            got=_listed(targets),
            wanted=f"auto, or {', '.join(loss for kind in kinds for loss in LOSSES_OF[kind])}",
        )
    if recipe.label_smoothing and set(kinds) == {"value"}:
        raise ObjectiveError(
            "numbers have no labels to smooth", where="label_smoothing", got=_listed(targets)
        )


def _check_measures(recipe: Recipe, targets: tuple[Target, ...]) -> None:
    for name in recipe.metrics:
        if not any(name in MEASURES[target.kind] for target in targets):
            raise ObjectiveError(
                f"none of the targets has the metric {name}",
                where="metrics",
                got=_listed(targets),
                wanted=", ".join(
                    dict.fromkeys(n for target in targets for n in MEASURES[target.kind])
                ),
            )
    for target in targets:
        if "top5" in measured(recipe, target) and len(target.classes) <= 5:
            raise ObjectiveError(
                "top5 is always right with 5 classes or fewer",
                where="metrics",
                got=f"{target.name} has {len(target.classes)} classes",
            )


def _check_names(where: str, given: Iterable[str], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise ObjectiveError(
                f"{where} names what is not learnt", where=where, got=name, wanted=", ".join(known)
            )


def _listed(targets: tuple[Target, ...]) -> str:
    return ", ".join(f"{target.name} ({target.kind})" for target in targets)
