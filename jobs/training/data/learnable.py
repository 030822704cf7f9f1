"""Whether a fold has enough of a target to learn it, and what should be said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.training.data.targets import FoldError, Rows
from skint.dataset import Target

if TYPE_CHECKING:
    from jobs.training.data.fold import FoldData

NAMED = 5
"""Classes that a remark names; the others are counted."""


def refuse_unlearnable(data: FoldData, target: Target, where: str) -> None:
    """Raise FoldError where nothing can be learnt of the target, or nothing be judged."""
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


def remarks(data: FoldData, batch_size: int) -> list[str]:
    """What a person should know before they train this fold; a sentence each."""
    said = []
    for target in data.targets:
        of = "" if len(data.targets) == 1 else f" ({target.name})"
        if target.kind == "value":
            continue
        taught, judged = (_counts(data, target, rows) for rows in (data.train, data.validation))
        if names := _named(target, (taught == 0) & (judged > 0)):
            said.append(f"no training sample of {names}{of} outside fold {data.fold}")
        if names := _named(target, taught == 1):
            said.append(f"a single training sample of {names}{of}")
    if batch_size > len(data.train):
        said.append(
            f"batch_size {batch_size} is more than the {len(data.train)} pictures that train: "
            "a step is an epoch"
        )
    return said


def _counts(data: FoldData, target: Target, rows: Rows) -> np.ndarray:
    """(K,) samples of each class."""
    column = data.columns[target.name][data.known(target, rows)]
    if target.kind == "multilabel":
        return np.asarray(column.sum(axis=0, dtype=np.int64))
    return np.bincount(column, minlength=len(target.classes))


def _named(target: Target, chosen: np.ndarray) -> str:
    names = [target.classes[number] for number in np.flatnonzero(chosen)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
