"""Whether a split can teach and judge: checked before it is made, and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from jobs.folds.splits import FoldsError, Split
from skint.dataset import PackedSet, Sample, Target


def check_samples(
    samples: Sequence[Sample],
    target: Target | None,
    units: Sequence[int] | None,
    grouped: bool,
    parts: int,
    where: str,
) -> None:
    """Raise FoldsError where no such split into `parts` can exist.

    `units` are numbers of what stays together, one for each sample: `grouped`, or copies.
    """
    count = len(samples) if units is None else len(set(units))
    noun = "groups" if grouped else "samples" if units is None else "different pictures"
    if count < parts:
        raise FoldsError(
            f"{count} {noun} cannot fill {parts} folds", where=where, wanted=f"k ≤ {noun}"
        )
    if target is None or target.kind != "class":
        return
    cells = [sample.targets[target.name] for sample in samples]
    if units is not None:
        pairs = {(cell, unit) for cell, unit in zip(cells, units, strict=True) if cell}
        name, fewest = min(Counter(cell for cell, _unit in pairs).items(), key=_fewest)
        if fewest < 2 and (grouped or cells.count(name) > 1):
            raise FoldsError(
                f"all samples of the class {name} are "
                + ("in one group" if grouped else "copies of one picture"),
                where=where,
                got="no fold could both train on it and be tested on it",
                next=("" if grouped else "set `copies: apart`, or ")
                + "set `stratify: false`, or leave the class out with `subset`",
            )
    sizes = Counter(filter(None, cells))
    # Whole groups cannot be dealt out evenly: there it is enough that one class fills the folds.
    name, fewest = (max if grouped else min)(sizes.items(), key=_fewest)
    if fewest < parts:
        ways = f"set `k: {fewest}` or `stratify: false`, or " if fewest > 1 else ""
        raise FoldsError(
            f"the class {name} has fewer samples than there are folds",
            where=where,
            got=f"{fewest} for {parts} folds",
            next=f"{ways}leave the class out with `subset`",
        )


def _fewest(item: tuple[str, int]) -> tuple[int, str]:
    return item[1], item[0]


def check_split(split: Split, data: PackedSet, by_time: bool, where: str) -> None:
    """Raise FoldsError where a fold is empty, or would be tested on a class it never saw."""
    for number, held_out in enumerate(split.held_out):
        if not len(held_out) or (by_time and not len(split.only_train)):
            raise FoldsError(
                f"fold {number} would be empty" if not len(held_out) else "nothing is early enough",
                where=where,
                got="too few different times" if by_time else None,
                next="use fewer folds",
            )
    target = _class_target(data)
    if target is None or by_time:
        return
    labels = data.labels(target.name)
    pool = np.unique(np.concatenate([split.only_train, *split.held_out]))
    whole = np.bincount(labels[pool] + 1, minlength=len(target.classes) + 1)
    for number, held_out in enumerate(split.held_out):
        count = np.bincount(labels[held_out] + 1, minlength=len(target.classes) + 1)
        alone = np.flatnonzero((count > 0) & (count == whole))
        alone = alone[alone > 0]  # 0 counts samples whose class is not known
        if len(alone):
            raise FoldsError(
                f"fold {number} holds all samples of the class {target.classes[alone[0] - 1]}",
                where=where,
                got="its model would be tested on a class it never saw",
                next="use another seed, fewer folds, or leave the class out with `subset`",
            )


def counts_of(split: Split, data: PackedSet) -> dict[str, list[int]]:
    """By class or label of the first such target: how many samples each fold holds out."""
    for target in data.meta.targets:
        if target.kind == "class":
            labels = data.labels(target.name)
            return {
                name: [int((labels[rows] == number).sum()) for rows in split.held_out]
                for number, name in enumerate(target.classes)
            }
        if target.kind == "multilabel":
            hot = data.multi_hot(target.name)
            return {
                name: [int(hot[rows, number].sum()) for rows in split.held_out]
                for number, name in enumerate(target.classes)
            }
    return {}


def missing_classes(split: Split, data: PackedSet) -> list[tuple[int, str]]:
    """(fold, class) where a fold holds out nothing of a class that the set has."""
    return [
        (fold, name)
        for name, counts in counts_of(split, data).items()
        for fold, count in enumerate(counts)
        if not count and any(counts)
    ]


def copies_apart(split: Split, data: PackedSet, folds: int) -> int:
    """How many files stand, byte for byte, in more than one part of the first `folds` folds."""
    parts = [*split.held_out[:folds], split.only_train, split.test]
    seen: dict[str, set[int]] = {}
    for part, rows in enumerate(parts):
        for row in rows.tolist():
            digest = data.samples[row].sha256
            if digest:
                seen.setdefault(f"{digest} {data.samples[row].page}", set()).add(part)
    return sum(len(where) > 1 for where in seen.values())


def _class_target(data: PackedSet) -> Target | None:
    return next((target for target in data.meta.targets if target.kind == "class"), None)
