"""The pictures of one fold: which rows train, which validate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from skint.dataset import PackedSet, read_folds
from skint.errors import SkintError

Rows = NDArray[np.int64]


class FoldError(SkintError):
    """The folds or the data set leave nothing to train on."""


@dataclass(frozen=True)
class FoldData:
    """A packed set, split."""

    packed: PackedSet
    labels: Rows
    """(N,) class of every sample."""
    train: Rows
    """Rows that train, ascending."""
    validation: Rows
    """Rows that validate, ascending."""
    fold: int
    folds: int

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, channels = self.packed.meta.shape
        return channels, height, width


def read_fold(ctx: skint.Context) -> FoldData:
    """The nearest packed set, split by the nearest `folds.csv` at `ctx.fold` (0 without one).

    Raises FoldError where the fold does not exist or leaves too little, where pixels are not
    finite, and where the pictures were made with a look at what another fold holds out.
    """
    packed = PackedSet.open(ctx.find("dataset.json").parent)
    _refuse_unmeasured(packed)
    path = ctx.find("folds.csv")
    folds = read_folds(path, len(packed))
    labels = packed.labels()
    fold = ctx.fold if ctx.fold is not None else 0
    _refuse_other_fold(packed, fold)
    train, validation = folds.training(fold), folds.validation(fold)
    # A picture without a label can neither teach nor judge.
    train, validation = train[labels[train] >= 0], validation[labels[validation] >= 0]
    data = FoldData(packed, labels, train, validation, fold, len(folds))
    if len(data.validation) == 0:
        raise FoldError(
            f"fold {fold} has no samples",
            where=str(path),
            got=f"{len(folds)} folds, numbered from 0",
        )
    if len(data.train) < 2 or len(packed.classes) < 2:
        raise FoldError(
            "there is too little to learn from",
            where=str(path),
            got=f"{len(data.train)} samples to train on, {len(packed.classes)} classes",
            wanted="at least 2 of each",
        )
    return data


def _refuse_unmeasured(packed: PackedSet) -> None:
    channels = zip(packed.meta.channels, packed.meta.mean, strict=True)
    bad = [name for name, mean in channels if not isfinite(mean)]
    if bad:
        raise FoldError(
            "nothing can be learnt from values that are not finite",
            where=str(packed.folder),
            got=f"NaN or infinity in {', '.join(bad)}",
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


def unseen_classes(data: FoldData) -> tuple[str, ...]:
    """Classes of the validation fold that no training sample has: they cannot be learnt."""
    absent = set(data.labels[data.validation].tolist()) - set(data.labels[data.train].tolist())
    return tuple(data.packed.classes[label] for label in sorted(absent))


def stratified(labels: Rows, rows: Rows, size: int) -> Rows:
    """At most `size` of `rows`, taken from the classes in turn, the first of each class first."""
    by_class = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    deepest = max((len(members) for members in by_class), default=0)
    turns = [
        members[turn] for turn in range(deepest) for members in by_class if turn < len(members)
    ]
    return np.array(turns[:size], dtype=np.int64)
