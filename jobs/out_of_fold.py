"""Collects the predictions that each fold's model made on the pictures it did not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import skint
from jobs.confusion import Predictions
from skint.dataset import PackedSet


class PredictionsError(skint.SkintError):
    """The predictions do not fit the packed set, or each other."""


def read_predictions(ctx: skint.Context, data: PackedSet) -> Predictions:
    """All `predictions.npz` of the nearest entry that has them, in the order of the ids.

    Raises PredictionsError where they overlap or belong to another packed set.
    """
    parts = []
    for file in ctx.find_all("predictions.npz"):
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
    order = np.argsort(ids, kind="stable")
    twice = ids[order][1:][np.diff(ids[order]) == 0]
    if len(twice):
        raise PredictionsError(
            "a picture was predicted by two folds",
            where=data.samples[twice[0]].path,
            wanted="each picture in one held-out fold",
        )
    return Predictions(
        ids=ids[order],
        fold=np.concatenate([fold for fold, _part in parts])[order],
        target=np.concatenate([part["target"] for _fold, part in parts]).astype(np.int64)[order],
        probabilities=np.concatenate([part["probabilities"] for _fold, part in parts])[order],
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
