"""Out-of-fold predictions of a module of the user's own, checked against the packed set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.fit.held_out import Arrays, HeldOutError
from jobs.training.data.targets import column_of
from jobs.training.results.predictions import Predictions, TargetPredictions
from skint.context import InputNotFound
from skint.dataset import META, PackedSet, Target, read_folds

NAME = "target"
"""What the target is called where no packed set gives it a name; its classes are numbers then."""
SLACK = 0.02
"""By how much probabilities may miss 1: those of half precision do."""


def predictions_of(given: Arrays, ctx: skint.Context) -> Predictions:
    """Of the samples in the order of their ids.

    What is true is taken from the nearest packed set, where there is one above: `target` has to
    say the same, and the fold has to hold the samples out. Raises HeldOutError.
    """
    ids = given["ids"].numpy().astype(np.int64)
    order = np.argsort(ids, kind="stable")
    ids, target = ids[order], given["target"].numpy()[order]
    told = given["values" if "values" in given else "probabilities"].numpy()[order]
    if len(twice := ids[1:][np.diff(ids) == 0]):
        raise HeldOutError("a sample was predicted twice", got=f"id {twice[0]}")
    kind = "value" if "values" in given else "class" if target.ndim == 1 else "multilabel"
    _check_numbers(kind, told)
    packed = _packed(ctx)
    if packed is None:
        classes = tuple(map(str, range(told.shape[1]))) if told.ndim == 2 else ()
        part = TargetPredictions(NAME, kind, classes, _of_kind(kind, target, len(classes)), told)
    else:
        _check_rows(ids, packed, ctx)
        chosen = _target(kind, ids, target, told, packed)
        true = column_of(packed, chosen)[ids]
        part = TargetPredictions(chosen.name, kind, chosen.classes, true, told)
    return Predictions(ids, (part,))


def _check_numbers(kind: str, told: NDArray[Any]) -> None:
    broken = ~np.isfinite(told.reshape(len(told), -1)).all(axis=1)
    if broken.any():
        raise HeldOutError(
            "some predictions are not finite (NaN or infinity)",
            got=f"{int(broken.sum())} of {len(told)} samples",
        )
    if kind == "value":
        return
    if told.min(initial=0) < -SLACK or told.max(initial=0) > 1 + SLACK:
        raise HeldOutError(
            "probabilities lie between 0 and 1",
            got=f"{told.min():.3g} to {told.max():.3g}",
            next="logits.softmax(1), or logits.sigmoid() of several labels",
        )
    sums = told.sum(axis=1)
    if kind == "class" and len(off := np.flatnonzero(abs(sums - 1) > SLACK)):
        raise HeldOutError(
            "the probabilities of a sample add up to 1",
            got=f"{sums[off[0]]:.3g}",
            next="logits.softmax(1)",
        )


def _of_kind(kind: str, target: NDArray[Any], classes: int) -> NDArray[Any]:
    """As `predictions.npz` has it; raises HeldOutError where it is out of range."""
    if kind == "value":
        return target.astype(np.float64)
    lowest, highest = (-1, classes - 1) if kind == "class" else (0, 1)
    whole = np.asarray(target, dtype=np.float64)
    if (whole != np.floor(whole)).any() or ((whole < lowest) | (whole > highest)).any():
        raise HeldOutError(
            "target has a number that stands for no class",
            got=f"{whole.min():g} to {whole.max():g}",
            wanted=f"whole numbers, {lowest} to {highest}",
        )
    return target.astype(np.int64 if kind == "class" else np.uint8)


def _packed(ctx: skint.Context) -> PackedSet | None:
    try:
        return PackedSet.open(ctx.find(META).parent)
    except InputNotFound:
        return None


def _check_rows(ids: NDArray[np.int64], packed: PackedSet, ctx: skint.Context) -> None:
    if len(ids) and (ids[0] < 0 or ids[-1] >= len(packed)):
        raise HeldOutError(
            "ids are rows of the packed set",
            got=f"{ids[0]} to {ids[-1]}",
            wanted=f"0 to {len(packed) - 1}",
        )
    if ctx.fold is None:  # the data module splits by itself
        return
    try:
        folds = read_folds(ctx.find("folds.csv"), len(packed))
    except InputNotFound:
        return
    strangers = ids[~np.isin(ids, folds.validation(ctx.fold))]
    if len(strangers):
        raise HeldOutError(
            f"samples were predicted that fold {ctx.fold} does not hold out",
            got=f"{len(strangers)} of {len(ids)}, {packed.samples[int(strangers[0])].path} first",
            next=f"read_folds(...).validation({ctx.fold}) in the data module",
        )


def _target(
    kind: str, ids: NDArray[np.int64], given: NDArray[Any], told: NDArray[Any], packed: PackedSet
) -> Target:
    """The target of the set that says what `given` says; raises HeldOutError where none does."""
    own = [target for target in packed.meta.targets if target.kind == kind]
    if not own:
        raise HeldOutError(
            f"the packed set has no target of the kind {kind}",
            got=", ".join(f"{t.name} ({t.kind})" for t in packed.meta.targets) or "no targets",
        )
    width = told.shape[1] if told.ndim == 2 else 0
    fitting = [target for target in own if len(target.classes) == width]
    if not fitting:
        raise HeldOutError(
            f"{width} probabilities were given for each sample",
            wanted=f"{len(own[0].classes)}, one for each class: {', '.join(own[0].classes)}",
        )
    differing = []
    for target in fitting:
        true = column_of(packed, target)[ids]
        same = np.isclose(given, true, rtol=1e-5, atol=1e-6 if kind == "value" else 0)
        same |= np.isnan(given) & np.isnan(true) if kind == "value" else False
        other = np.flatnonzero(~same.reshape(len(ids), -1).all(axis=1))
        if not len(other):
            return target
        differing.append((target, int(other[0]), true[other[0]]))
    target, row, wanted = differing[0]
    raise HeldOutError(
        f"target says another {target.name} than the packed set",
        got=f"{given[row]} for {packed.samples[int(ids[row])].path}",
        wanted=_said(target, wanted),
        next="take ids and labels of the set as they stand there: ids from 0, classes in its order",
    )


def _said(target: Target, cell: Any) -> str:
    if target.kind == "class" and cell >= 0:
        return f"{cell} ({target.classes[int(cell)]})"
    return str(cell)
