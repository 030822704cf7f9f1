"""Collects the predictions that each fold's model made on the pictures it did not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.better.choice import find_kept
from jobs.errors.confusion import Predictions
from skint.context import InputNotFound
from skint.dataset import Folds, PackedSet, read_folds


class PredictionsError(skint.SkintError):
    """The predictions do not fit the packed set, or each other."""


def read_predictions(ctx: skint.Context, data: PackedSet) -> Predictions:
    """All `predictions.npz` of the nearest entry that has them, in the order of ids and folds; of
    the one that it kept where it is a `better`.

    Raises PredictionsError where they belong to another packed set, or where a picture was
    predicted by two folds that do not both hold it out, as the folds of a repeated split do.
    """
    parts = []
    for file in find_kept(ctx, "predictions.npz"):
        try:
            with np.load(file, allow_pickle=False) as arrays:
                part = {
                    name: arrays[name] for name in ("ids", "target", "probabilities", "classes")
                }
        except (KeyError, ValueError, OSError) as error:
            raise PredictionsError(
                "these predictions cannot be read",
                where=str(file),
                got=error,
                wanted="ids, target, probabilities and classes, as `train` writes them",
            ) from error
        _check(file, part, data)
        parts.append((np.full(len(part["ids"]), fold_of(ctx, file), dtype=np.int64), part))
    ids = np.concatenate([part["ids"] for _fold, part in parts]).astype(np.int64)
    if not len(ids):
        raise PredictionsError("there are no predictions", where=str(file))
    fold = np.concatenate([fold for fold, _part in parts])
    order = np.lexsort((fold, ids))
    ids, fold = ids[order], fold[order]
    twice = np.isin(ids, ids[1:][np.diff(ids) == 0])
    _check_repeats(ctx, data, ids[twice], fold[twice])
    return Predictions(
        ids=ids,
        fold=fold,
        target=np.concatenate([part["target"] for _fold, part in parts]).astype(np.int64)[order],
        probabilities=np.concatenate([part["probabilities"] for _fold, part in parts])[order],
    )


def expected(ctx: skint.Context, data: PackedSet) -> int:
    """How many predictions all folds together make, of pictures whose class is known."""
    folds, labels = _folds(ctx, data), data.labels()
    rows = [np.arange(len(data))] if folds is None else folds.held_out
    return int(sum((labels[some] >= 0).sum() for some in rows))


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


def _check(file: Path, part: dict[str, Any], data: PackedSet) -> None:
    """Raise PredictionsError unless the arrays belong to this packed set."""
    classes, ids = tuple(map(str, part["classes"])), part["ids"]
    if classes != data.classes:
        raise PredictionsError(
            "these predictions are of other classes than the packed set",
            where=str(file),
            got=", ".join(classes),
            wanted=", ".join(data.classes),
        )
    if part["probabilities"].shape != (len(ids), len(classes)) or len(part["target"]) != len(ids):
        raise PredictionsError(
            "the arrays of these predictions do not fit each other",
            where=str(file),
            got=f"probabilities {part['probabilities'].shape}, {len(ids)} ids",
        )
    if len(ids) and (ids.min() < 0 or ids.max() >= len(data)):
        raise PredictionsError(
            "these predictions are of another packed set",
            where=str(file),
            got=f"ids {ids.min()} to {ids.max()}",
            wanted=f"0 to {len(data) - 1}",
        )
    other = np.flatnonzero(data.labels()[ids] != part["target"])
    if len(other):
        raise PredictionsError(
            "these predictions are of another packed set",
            where=str(file),
            got=f"another label for {data.samples[int(ids[other[0]])].path}",
        )
    broken = ~np.isfinite(part["probabilities"]).all(axis=1)
    if broken.any():
        raise PredictionsError(
            "some probabilities are not finite (NaN or infinity)",
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
