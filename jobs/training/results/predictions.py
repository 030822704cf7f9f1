"""Out-of-fold predictions: what the error analysis and every ensemble read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.training.data.fold import FoldData
from jobs.training.objective.base import Objective
from jobs.training.results.arrays import write_arrays


@dataclass(frozen=True)
class TargetPredictions:
    """What was predicted of one target, and what is true, of n samples."""

    name: str
    kind: str
    """`class`, `multilabel` or `value`."""
    classes: tuple[str, ...]
    target: NDArray[Any]
    """By kind: (n,) int64, -1 unknown; (n, K) uint8; (n,) float64, NaN unknown."""
    predicted: NDArray[Any]
    """(n, K) float32 probabilities, those of one class adding up to 1; or (n,) float64 values."""


@dataclass(frozen=True)
class Predictions:
    """Of n samples that did not train."""

    ids: NDArray[np.int64]
    """(n,) rows of the packed set, ascending."""
    targets: tuple[TargetPredictions, ...]


def predictions_of(
    data: FoldData, objective: Objective, rows: torch.Tensor, outputs: torch.Tensor
) -> Predictions:
    """`outputs` (n, K) of the network for `rows` (n,), as probabilities and values."""
    ids = rows.numpy().astype(np.int64)
    activated = objective.activate(outputs)
    return Predictions(
        ids,
        tuple(
            TargetPredictions(
                target.name,
                target.kind,
                target.classes,
                data.columns[target.name][ids],
                activated[target.name].numpy(),
            )
            for target in data.targets
        ),
    )


def write(path: Path, predictions: Predictions) -> None:
    """`predictions.npz`; the same values, the same bytes.

    `ids` (n,); `targets`, the names; `target`, `probabilities` and `classes` of the first target of
    one class; and each target's own `NAME.target`, `NAME.classes` and `NAME.probabilities` or
    `NAME.values`, unless that one is all there is.
    """
    names = np.array([part.name for part in predictions.targets])
    arrays: dict[str, NDArray[Any]] = {"ids": predictions.ids, "targets": names}
    first = next((t for t in predictions.targets if t.kind == "class"), None)
    if first is not None:
        arrays |= _arrays_of(first)
    if first is None or len(predictions.targets) > 1:
        for part in predictions.targets:
            arrays |= {f"{part.name}.{name}": array for name, array in _arrays_of(part).items()}
    write_arrays(path, arrays)


def _arrays_of(part: TargetPredictions) -> dict[str, NDArray[Any]]:
    if part.kind == "value":
        return {"target": part.target, "values": part.predicted}
    classes = np.array(part.classes)
    return {"target": part.target, "probabilities": part.predicted, "classes": classes}
