"""The pictures of one fold: which rows train, which validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.training.data.targets import (
    FoldError,
    Rows,
    chosen_targets,
    column_of,
    known,
)
from skint.dataset import PackedSet, Target, read_folds
from skint.gather import Labels

__all__ = ["FoldData", "FoldError", "Rows", "few", "read_fold", "stratified", "unsplit"]


NAMED = 3
"""Pictures that an error names; the others are counted."""


@dataclass(frozen=True)
class FoldData:
    """A packed set, split, and what is learnt of it."""

    packed: PackedSet
    targets: tuple[Target, ...]
    """What is learnt, at least one."""
    columns: Mapping[str, NDArray[Any]]
    """By target, of every sample: (N,) class, -1 unknown; (N, K) 1 for each class of several;
    (N,) value, NaN unknown."""
    train: Rows
    """Rows that train, ascending; of each something is known."""
    validation: Rows
    """Rows that validate, ascending; of each something is known."""
    fold: int
    folds: int

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, channels = self.packed.meta.shape
        return channels, height, width

    @property
    def labels(self) -> Labels:
        """As the loaders take them: the column of one target, else all by name."""
        return self.columns[self.targets[0].name] if len(self.targets) == 1 else self.columns

    def known(self, target: Target, rows: Rows) -> Rows:
        """Those of `rows` whose `target` is known."""
        return rows[known(target, self.columns[target.name][rows])]


def read_fold(ctx: skint.Context, targets: Sequence[str] = ()) -> FoldData:
    """The nearest packed set, split by the nearest `folds.csv` at `ctx.fold` (0 without one).

    `targets` names what is learnt, in this order; by default all of the set without masks. Raises
    FoldError where one does not exist or cannot be learnt, where the fold does not exist or leaves
    too little, where pixels are not finite, and where the pictures were made with a look at what
    another fold holds out.
    """
    packed = PackedSet.open(ctx.find("dataset.json").parent)
    _refuse_unmeasured(packed)
    path = ctx.find("folds.csv")
    folds = read_folds(path, len(packed))
    fold = ctx.fold if ctx.fold is not None else 0
    _refuse_other_fold(packed, fold)
    whole = unsplit(packed, targets)
    train, validation = (
        rows[np.isin(rows, whole.train)] for rows in (folds.training(fold), folds.validation(fold))
    )
    data = replace(whole, train=train, validation=validation, fold=fold, folds=len(folds))
    if len(validation) == 0:
        raise FoldError(
            f"fold {fold} has no samples",
            where=str(path),
            got=f"{len(folds)} folds, numbered from 0",
        )
    for target in data.targets:
        _refuse_unlearnable(data, target, str(path))
    return data


def unsplit(packed: PackedSet, targets: Sequence[str] = ()) -> FoldData:
    """All of a set that has a label, to train and to validate: for trials.

    `targets` and the errors of targets are as in `read_fold`.
    """
    chosen = chosen_targets(packed, targets)
    columns = {target.name: column_of(packed, target) for target in chosen}
    # A picture without any label can neither teach nor judge.
    labelled = np.zeros(len(packed), dtype=np.bool_)
    for target in chosen:
        labelled |= known(target, columns[target.name])
    rows = np.flatnonzero(labelled)
    return FoldData(packed, chosen, columns, rows, rows, fold=0, folds=1)


def _refuse_unmeasured(packed: PackedSet) -> None:
    channels = zip(packed.meta.channels, packed.meta.mean, strict=True)
    bad = [name for name, mean in channels if not isfinite(mean)]
    if bad:
        rows = packed.not_finite()
        some = ", ".join(packed.samples[row].path for row in rows[:NAMED].tolist())
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        raise FoldError(
            "nothing can be learnt from values that are not finite",
            where=str(packed.folder),
            got=f"NaN or infinity in {', '.join(bad)} of {some}{more}",
            next="let `pca` or `bands` make the pictures of it: they leave such pixels out",
        )


def _refuse_other_fold(packed: PackedSet, fold: int) -> None:
    """What was fitted in another fold has seen the pictures that are to judge in this one."""
    made_by: Any = packed.meta.made_by
    while isinstance(made_by, Mapping):
        fitted = (made_by.get("fitted_on") or {}).get("fold")
        if fitted not in (None, fold):
            raise FoldError(
                f"these pictures were made for fold {fitted}, not for fold {fold}",
                where=str(packed.folder),
                got=f"`{made_by.get('job')}` fitted on the training part of fold {fitted}",
                next="name that entry itself in `needs`: each fold then gets its own",
            )
        made_by = made_by.get("from")


def _refuse_unlearnable(data: FoldData, target: Target, where: str) -> None:
    """Nothing can be learnt of the target, or nothing be judged."""
    if target.kind != "value" and len(target.classes) < 2:
        raise FoldError(
            f"the target {target.name} has too few classes to learn",
            where=where,
            got=f"{len(target.classes)} classes",
            wanted="at least 2",
        )
    train, validation = (data.known(target, rows) for rows in (data.train, data.validation))
    if len(train) < 2:
        raise FoldError(
            f"there is too little to learn {target.name} from",
            where=where,
            got=f"{len(train)} samples to train on whose {target.name} is known",
            wanted="at least 2",
        )
    if len(validation) == 0:
        raise FoldError(
            f"no sample of fold {data.fold} can judge {target.name}",
            where=where,
            got=f"{len(data.validation)} samples, of none of which it is known",
            next="stratify the folds by it, or leave it out of `targets`",
        )
    values = data.columns[target.name][train]
    if target.kind == "value" and np.ptp(values) == 0:
        raise FoldError(
            f"there is nothing to learn of {target.name}",
            where=where,
            got=f"it is {values[0]:g} in all {len(train)} samples that train",
        )


def few(data: FoldData, rows: Rows, size: int) -> Rows:
    """At most `size` of `rows`, of every target some that are known, of every class some."""
    taken = []
    for target in data.targets:
        column = data.columns[target.name]
        labels = column if target.kind == "class" else np.zeros(len(column), dtype=np.int64)
        taken.append(stratified(labels, data.known(target, rows), size).tolist())
    turns = (row for turn in zip_longest(*taken) for row in turn if row is not None)
    return np.array(list(dict.fromkeys(turns))[:size], dtype=np.int64)


def stratified(labels: Rows, rows: Rows, size: int) -> Rows:
    """At most `size` of `rows`, taken from the classes in turn, the first of each class first."""
    by_class = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    deepest = max((len(members) for members in by_class), default=0)
    turns = [
        members[turn] for turn in range(deepest) for members in by_class if turn < len(members)
    ]
    return np.array(turns[:size], dtype=np.int64)
