"""Collects the predictions that each fold's model made on the pictures it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.better.choice import find_kept
from jobs.better.unpredicted import unpredicted
from jobs.errors.saved import PredictionsError, read_saved
from jobs.training.data.targets import column_of, known
from skint.context import InputNotFound
from skint.dataset import Folds, PackedSet, Target, read_folds


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

    Raises PredictionsError where there are none and a training says why, where they belong to
    another packed set, or where a picture was predicted by two folds that do not both hold it out,
    as the folds of a repeated split do.
    """
    files = _files(ctx)
    parts = [read_saved(file, data) for file in files]
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


def _files(ctx: skint.Context) -> tuple[Path, ...]:
    try:
        return find_kept(ctx, "predictions.npz")
    except InputNotFound as error:
        if not (why := unpredicted(ctx)):
            raise
        raise PredictionsError(
            "there are no out-of-fold predictions",
            where="errors",
            got="; ".join(why),
            next="return them in validation_step: docs/custom.md, out-of-fold predictions",
        ) from error


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


def fold_of(ctx: skint.Context, file: Path) -> int:
    """Which job of its entry wrote this file: the number of the fold."""
    for entry in ctx.task.inputs:
        folders = ctx.group(entry)
        if file.parent in folders:
            return folders.index(file.parent)
    raise AssertionError(f"{file} is not an input")
