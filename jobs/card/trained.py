"""What each fold of a training has published, as far as it is small."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skint
from skint.table import read_rows


class TrainedError(skint.SkintError):
    """A fold's files cannot be read."""


@dataclass(frozen=True)
class Trained:
    """One fold."""

    fold: int
    result: Mapping[str, Any]
    """`result.json`."""
    epochs: tuple[Mapping[str, str], ...]
    """The rows of `metrics.csv`."""
    model: Mapping[str, Any]
    """`model.json`; empty where there is none."""
    training: Mapping[str, Any]
    """`training.json`; empty where there is none."""
    machine: Mapping[str, Any]
    """`local/timing.json`, which stays where it was made; empty elsewhere."""

    def curve(self, column: str) -> tuple[list[int], list[float]]:
        """(epochs, values) of a column, where it has a finite number."""
        places, values = [], []
        for number, row in enumerate(self.epochs, start=1):
            value = finite(row.get(column, ""))
            if value is not None:
                places.append(int(finite(row.get("epoch", "")) or number))
                values.append(value)
        return places, values

    @property
    def stages(self) -> list[tuple[int, str]]:
        """(first epoch, name) of each stage, where there are several."""
        begun: list[tuple[int, str]] = []
        for number, row in enumerate(self.epochs, start=1):
            name = row.get("stage", "")
            if not begun or begun[-1][1] != name:
                begun.append((int(finite(row.get("epoch", "")) or number), name))
        return begun if len(begun) > 1 else []


def read_trained(ctx: skint.Context) -> tuple[Trained, ...]:
    """The folds of the nearest entry that has `metrics.csv`, in their order.

    Raises TrainedError where a file of theirs is not what it should be.
    """
    found = []
    for number, file in enumerate(ctx.find_all("metrics.csv")):
        folder = file.parent
        if not (folder / "result.json").is_file():
            raise TrainedError(
                "a fold has no result",
                where=str(folder),
                wanted="result.json beside metrics.csv, as `train` writes it",
            )
        model = _json(folder / "model.json")
        found.append(
            Trained(
                fold=int(model.get("fold", number)),
                result=_json(folder / "result.json"),
                epochs=tuple(read_rows(file, ("epoch",))),
                model=model,
                training=_json(folder / "training.json"),
                machine=_json(folder / "local" / "timing.json"),
            )
        )
    return tuple(found)


def finite(text: str) -> float | None:
    """A number in a cell, or None: empty, not a number, NaN or infinite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainedError("a fold's file cannot be read", where=str(path), got=error) from error
    if not isinstance(content, dict):
        raise TrainedError("a fold's file cannot be read", where=str(path), wanted="an object")
    return content
