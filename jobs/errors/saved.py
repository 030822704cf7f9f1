"""What one training has saved of its predictions, checked against the packed set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.training.data.targets import column_of
from skint.dataset import PackedSet, Target


class PredictionsError(skint.SkintError):
    """The predictions do not fit the packed set, or each other."""


@dataclass(frozen=True)
class Saved:
    """One `predictions.npz`."""

    ids: NDArray[np.int64]
    """(n,) rows of the packed set."""
    targets: tuple[Target, ...]
    predicted: dict[str, NDArray[Any]]
    """By target: (n, K) probabilities, or (n,) values."""


def read_saved(file: Path, data: PackedSet) -> Saved:
    """Raises PredictionsError where they cannot be read, or are not of `data`."""
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
    return Saved(ids.astype(np.int64), targets, predicted)


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
