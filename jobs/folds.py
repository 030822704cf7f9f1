"""Splits a packed set into folds: every picture is held out exactly once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

import skint
from skint.attempt import write_atomic
from skint.dataset import PackedSet, Sample
from skint.table import write_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FoldsError(skint.SkintError):
    """The samples cannot be split as asked."""


class Params(BaseModel):
    """How `folds` splits."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    k: int = Field(default=5, ge=2)
    """Number of folds."""
    stratify: bool = True
    """Give every fold the same share of each class, as nearly as can be."""
    group: bool = False
    """Never split the samples of one group, e.g. the pictures of one patient."""
    seed: int = Field(default=0, ge=0, lt=2**32)


@skint.job(devices=0)
def folds(params: Params, ctx: skint.Context) -> None:
    data = PackedSet.open(ctx.find("dataset.json").parent)
    where = str(data.folder / "samples.csv")
    _check(params, data.samples, where)
    assigned = _split(params, data)
    counts = [
        Counter(s.label for s, fold in zip(data.samples, assigned, strict=True) if fold == number)
        for number in range(params.k)
    ]
    _check_folds(counts, data.classes, where)
    write_rows(ctx.out / "folds.csv", ("id", "fold"), enumerate(assigned.tolist()))
    summary = {
        **params.model_dump(mode="json"),
        "sizes": [sum(count.values()) for count in counts],
        "classes": {name: [count[name] for count in counts] for name in data.classes},
    }
    write_atomic(ctx.out / "folds.json", (json.dumps(summary, indent=1) + "\n").encode())
    sizes = summary["sizes"]
    least, most = min(sizes), max(sizes)
    ctx.note(f"{params.k} folds of {most if least == most else f'{least} to {most}'} pictures")
    _warn(data, assigned, counts, ctx)


def _check(params: Params, samples: Sequence[Sample], where: str) -> None:
    """Raise FoldsError where no such split can exist."""
    if params.group:
        without = [sample for sample in samples if not sample.group]
        if without:
            raise FoldsError(
                f"{len(without)} of {len(samples)} samples have no group",
                where=where,
                got=f"an empty group at {without[0].path}",
                next="let `scan` find groups (`group:` or a table), or set `group: false`",
            )
        groups = {sample.group for sample in samples}
        if len(groups) < params.k:
            raise FoldsError(
                f"{len(groups)} groups cannot fill {params.k} folds",
                where=where,
                wanted="k ≤ groups",
            )
    elif len(samples) < params.k:
        raise FoldsError(f"{len(samples)} samples cannot fill {params.k} folds", where=where)
    if not params.stratify:
        return
    if params.group:
        units = Counter(label for label, _group in {(s.label, s.group) for s in samples})
        name, fewest = min(units.items(), key=lambda item: (item[1], item[0]))
        if fewest < 2:
            raise FoldsError(
                f"all samples of the class {name} are in one group",
                where=where,
                got="no fold could both train on it and be tested on it",
                next="set `stratify: false`, or leave the class out with `subset`",
            )
    sizes = Counter(sample.label for sample in samples)
    # Whole groups cannot be dealt out evenly: there it is enough that one class fills the folds.
    pick = max if params.group else min
    name, fewest = pick(sizes.items(), key=lambda item: (item[1], item[0]))
    if fewest < params.k:
        raise FoldsError(
            f"the class {name} has fewer samples than there are folds",
            where=where,
            got=f"{fewest} for {params.k} folds",
            next=f"set `k: {max(2, fewest)}` or `stratify: false`, or leave the class out",
        )


def _split(params: Params, data: PackedSet) -> NDArray[np.int64]:
    """(N,) the fold of each sample."""
    import numpy as np
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    labels = data.labels()
    groups = np.array([sample.group for sample in data.samples])
    kind = {
        (True, True): StratifiedGroupKFold,
        (True, False): StratifiedKFold,
        (False, True): GroupKFold,
        (False, False): KFold,
    }[params.stratify, params.group]
    splitter = kind(params.k, shuffle=True, random_state=params.seed)
    assigned = np.full(len(labels), -1, dtype=np.int64)
    parts = splitter.split(labels, labels, groups if params.group else None)
    for number, (_rest, held_out) in enumerate(parts):
        assigned[held_out] = number
    return assigned


def _check_folds(counts: Sequence[Counter[str]], classes: Sequence[str], where: str) -> None:
    """Raise FoldsError where a fold is empty, or would be tested on a class it never saw."""
    for number, count in enumerate(counts):
        if not count:
            raise FoldsError(f"fold {number} would be empty", where=where, next="use fewer folds")
        for name in classes:
            if count[name] and count[name] == sum(other[name] for other in counts):
                raise FoldsError(
                    f"fold {number} holds all samples of the class {name}",
                    where=where,
                    got="its model would be tested on a class it never saw",
                    next="use another seed, fewer folds, or leave the class out with `subset`",
                )


def _warn(
    data: PackedSet, assigned: NDArray[np.int64], counts: Sequence[Counter[str]], ctx: skint.Context
) -> None:
    missing = [
        (number, name)
        for number, count in enumerate(counts)
        for name in data.classes
        if not count[name]
    ]
    if missing:
        number, name = missing[0]
        ctx.note(f"fold {number} has no sample of the class {name} to be tested on")
    folds_of: dict[str, set[int]] = {}
    for sample, fold in zip(data.samples, assigned.tolist(), strict=True):
        if sample.sha256:
            folds_of.setdefault(sample.sha256, set()).add(fold)
    split = sum(len(folds) > 1 for folds in folds_of.values())
    if split:
        ctx.note(f"copies of {split} pictures stand in two folds: their score is flattered")
