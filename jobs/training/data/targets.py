"""What is learnt of a packed set: its targets, as columns of numbers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset import PackedSet, Target
from skint.errors import SkintError

Rows = NDArray[np.int64]


class FoldError(SkintError):
    """The folds or the data set leave nothing to train on."""


def chosen_targets(packed: PackedSet, names: Sequence[str]) -> tuple[Target, ...]:
    """The targets of these names in this order; without names all of the set that are no masks.

    Raises FoldError where one does not exist or is a mask, and where none is left.
    """
    own = {target.name: target for target in packed.meta.targets}
    where = str(packed.folder / "dataset.json")
    for name in names:
        if name not in own:
            near = difflib.get_close_matches(name, own, n=1)
            raise FoldError(
                f"this packed set has no target called {name}",
                where=where,
                got=", ".join(f"{t.name} ({t.kind})" for t in own.values()) or "no targets",
                next=f"targets: [{near[0]}]" if near else None,
            )
        if own[name].kind == "mask":
            raise FoldError(
                "masks are not learnt by this job",
                where=f"targets: {name}",
                next="leave it out, or train it with a loop of your own: docs/feeding.md",
            )
    chosen = tuple(own[name] for name in dict.fromkeys(names)) or tuple(
        target for target in own.values() if target.kind != "mask"
    )
    if not chosen:
        raise FoldError(
            "this packed set has no target to learn",
            where=where,
            got=", ".join(f"{t.name} ({t.kind})" for t in own.values()) or "no targets",
            wanted="a target of the kind class, multilabel or value",
        )
    return chosen


def column_of(packed: PackedSet, target: Target) -> NDArray[Any]:
    """Of every sample: (N,) class, -1 unknown; (N, K) of several classes; (N,) value, NaN unknown.

    Raises FoldError where a value is infinite.
    """
    if target.kind == "class":
        return packed.labels(target.name)
    if target.kind == "multilabel":
        return packed.multi_hot(target.name)
    values = packed.values(target.name)
    if len(infinite := np.flatnonzero(np.isinf(values))):
        raise FoldError(
            f"a value of {target.name} is infinite",
            where=f"{packed.folder / 'samples.csv'}: id {infinite[0]}",
            got=f"{len(infinite)} of {len(values)} values",
            wanted="finite numbers, an empty cell where it is not known",
        )
    return values


def known(target: Target, column: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) where the cells of a column say something; those of several classes always do."""
    if target.kind == "class":
        return np.asarray(column >= 0)
    if target.kind == "multilabel":
        return np.ones(len(column), dtype=np.bool_)
    return ~np.isnan(column)
