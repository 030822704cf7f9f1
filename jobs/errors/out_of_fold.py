"""Collects the predictions that each fold's model made on the pictures it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.better.choice import find_kept
from jobs.training.data.targets import column_of, known
from skint.context import InputNotFound
from skint.dataset import Folds, PackedSet, Target, read_folds


class PredictionsError(skint.SkintError):
    """The predictions do not fit the packed set, or each other."""


@dataclass(frozen=True)
class OutOfFold:
    """What the models of all folds predicted of one target, where it is known.

    Rows are in the order of `ids`, then of `fold`.
    """

    target: Target
    ids: NDArray[np.int64]
    """(n,) each at most once; in a repeated split once a repeat."""
    fold: NDArray[np.int64]
    """(n,) the fold whose model made them."""
    true: NDArray[Any]
    """By kind: (n,) int64; (n, K) uint8; (n,) float64."""
    predicted: NDArray[Any]
    """(n, K) probabilities, or (n,) values."""


def read_predictions(ctx: skint.Context, data: PackedSet) -> list[OutOfFold]:
    """All `predictions.npz` of the nearest entry that has them, by target; of the one that it kept
    where it is a `better`.

    Raises PredictionsError where they belong to another packed set, or where a picture was
    predicted by two folds that do not both hold it out, as the folds of a repeated split do.
    """
    files = find_kept(ctx, "predictions.npz")
    parts = [_read(file, data) for file in files]
    folds = [fold_of(ctx, file) for file in files]
    ids = np.concatenate([part.ids for part in parts])
    if not len(ids):
        raise PredictionsError("there are no predictions", where=str(files[-1]))
    fold = np.repeat(np.array(folds, dtype=np.int64), [len(part.ids) for part in parts])
    order = np.lexsort((fold, ids))
    ids, fold = ids[order], fold[order]
    twice = np.isin(ids, ids[1:][np.diff(ids) == 0])
    _check_repeats(ctx, data, ids[twice], fold[twice])
    found = []
    for target in parts[0].targets:
        for file, part in zip(files, parts, strict=True):
            if target.name not in part.predicted:
                raise PredictionsError(
                    f"this fold has not learnt {target.name} as the others have", where=str(file)
                )
        true = column_of(data, target)[ids]
        predicted = np.concatenate([part.predicted[target.name] for part in parts])[order]
        rows = np.flatnonzero(known(target, true))
        found.append(OutOfFold(target, ids[rows], fold[rows], true[rows], predicted[rows]))
    return found


def expected(ctx: skint.Context, data: PackedSet, target: Target) -> int:
    """How many predictions all folds together make, of pictures whose target is known."""
    folds, labelled = _folds(ctx, data), known(target, column_of(data, target))
    rows = [np.arange(len(data))] if folds is None else folds.held_out
    return int(sum(labelled[some].sum() for some in rows))


def _folds(ctx: skint.Context, data: PackedSet) -> Folds | None:
    try:
        return read_folds(ctx.find("folds.csv"), len(data))
    except InputNotFound:  # the predictions may be of a program that splits by itself
        return None


def _check_repeats(
    ctx: skint.Context, data: PackedSet, ids: NDArray[np.int64], fold: NDArray[np.int64]
) -> None:
    """Raise PredictionsError unless each of these folds holds its picture out."""
    folds = _folds(ctx, data) if len(ids) else None
    for number in np.unique(fold).tolist():
        chosen = ids[fold == number]
        held_out = folds.validation(number) if folds is not None else ids[:0]
        strangers = chosen[~np.isin(chosen, held_out)]
        if len(strangers):
            raise PredictionsError(
                "a picture was predicted by two folds",
                where=data.samples[strangers[0]].path,
                wanted="each picture by the folds that hold it out, and by no other",
            )


@dataclass(frozen=True)
class _Part:
    """One `predictions.npz`."""

    ids: NDArray[np.int64]
    targets: tuple[Target, ...]
    predicted: dict[str, NDArray[Any]]


def _read(file: Path, data: PackedSet) -> _Part:
    try:
        with np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        ids = arrays["ids"]
        targets = _targets(file, arrays, data)
        parts = {target.name: _arrays_of(target, arrays) for target in targets}
    except (KeyError, ValueError, OSError) as error:
        raise PredictionsError(
            "these predictions cannot be read",
            where=str(file),
            got=error,
            wanted="ids, target, probabilities and classes, as `train` writes them",
        ) from error
    if len(ids) and (ids.min() < 0 or ids.max() >= len(data)):
        raise PredictionsError(
            "these predictions are of another packed set",
            where=str(file),
            got=f"ids {ids.min()} to {ids.max()}",
            wanted=f"0 to {len(data) - 1}",
        )
    for target in targets:
        _check(file, target, ids, parts[target.name], data)
    predicted = {name: part["predicted"] for name, part in parts.items()}
    return _Part(ids.astype(np.int64), targets, predicted)


def _targets(file: Path, arrays: dict[str, Any], data: PackedSet) -> tuple[Target, ...]:
    """Those of the set that were predicted; a program that does not say means the class."""
    if "targets" not in arrays:
        return (data.target("class"),)
    own = {target.name: target for target in data.meta.targets if target.kind != "mask"}
    for name in map(str, arrays["targets"]):
        if name not in own:
            raise PredictionsError(
                f"these predictions are of a target that the packed set has not: {name}",
                where=str(file),
                wanted=", ".join(own),
            )
    return tuple(own[str(name)] for name in arrays["targets"])


def _arrays_of(target: Target, arrays: dict[str, Any]) -> dict[str, Any]:
    """`target`, `predicted` and `classes` of a target; raises KeyError where one is missing."""
    own = f"{target.name}." if f"{target.name}.target" in arrays else ""
    if target.kind == "value":
        return {"target": arrays[f"{own}target"], "predicted": arrays[f"{own}values"]}
    return {
        "target": arrays[f"{own}target"],
        "predicted": arrays[f"{own}probabilities"],
        "classes": tuple(map(str, arrays[f"{own}classes"])),
    }


def _check(
    file: Path, target: Target, ids: NDArray[Any], part: dict[str, Any], data: PackedSet
) -> None:
    """Raise PredictionsError unless the arrays belong to this target of this packed set."""
    classes = part.get("classes", ())
    if classes != target.classes:
        raise PredictionsError(
            "these predictions are of other classes than the packed set",
            where=str(file),
            got=", ".join(classes),
            wanted=", ".join(target.classes),
        )
    wanted = (len(ids),) if target.kind == "value" else (len(ids), len(classes))
    true = column_of(data, target)[ids]
    if part["predicted"].shape != wanted or part["target"].shape != true.shape:
        raise PredictionsError(
            "the arrays of these predictions do not fit each other",
            where=str(file),
            got=f"predictions {part['predicted'].shape}, {len(ids)} ids",
        )
    same = np.isclose(true, part["target"], rtol=0, atol=0, equal_nan=True)
    other = np.flatnonzero(~same.reshape(len(ids), -1).all(axis=1))
    if len(other):
        raise PredictionsError(
            "these predictions are of another packed set",
            where=str(file),
            got=f"another {target.name} for {data.samples[int(ids[other[0]])].path}",
        )
    broken = ~np.isfinite(part["predicted"].reshape(len(ids), -1)).all(axis=1)
    if broken.any():
        raise PredictionsError(
            "some predictions are not finite (NaN or infinity)",
            where=str(file),
            got=f"{int(broken.sum())} of {len(ids)} rows",
            next="look at the losses of this fold: its training broke",
        )


def fold_of(ctx: skint.Context, file: Path) -> int:
    """Which job of its entry wrote this file: the number of the fold."""
    for entry in ctx.task.inputs:
        folders = ctx.group(entry)
        if file.parent in folders:
            return folders.index(file.parent)
    raise AssertionError(f"{file} is not an input")
