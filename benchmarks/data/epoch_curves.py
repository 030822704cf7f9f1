"""The recorded epoch curves, to read and to write; record_curves.py says what is in them.

Needs no torch: a replay of stop rules reads this file alone.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

CURVES = Path(__file__).resolve().parent / "epoch_curves.jsonl.gz"
FORMAT, VERSION = "epoch-curves", 1
T = TypeVar("T")


@dataclass(frozen=True)
class DataSet:
    """What was trained on, and how it was cut: the same folds for each of its runs."""

    name: str
    family: str
    """Sets of one family are made of the same items: tune and report on different families."""
    origin: str
    licence: str
    items: int
    classes: int
    shape: tuple[int, ...]
    """Of one item."""
    largest_class: float
    """Its share of the items."""
    fold_items: tuple[int, ...]
    """Validation items of each fold."""


@dataclass(frozen=True)
class FoldCurve:
    """One fold of a run; a list has a value for each epoch, the first one first."""

    fold: int
    items: int
    """Validation items."""
    val_acc: tuple[float, ...]
    val_loss: tuple[float | None, ...]
    """None: not finite."""
    train_loss: tuple[float | None, ...]
    seconds: tuple[float, ...]
    """CPU time of training and validation."""
    best_epoch: int
    """From 1: the first with the highest `val_acc`."""
    right: str
    """Of that epoch: a bit for each validation item in the set's order, the highest bit of a byte
    first (numpy.packbits), in base64."""
    broken_epoch: int | None
    """From 1: the first whose training or validation loss is not finite."""

    def right_items(self) -> tuple[bool, ...]:
        """Which validation items the best epoch got right."""
        packed = base64.b64decode(self.right)
        return tuple(bool(packed[i // 8] >> (7 - i % 8) & 1) for i in range(self.items))


@dataclass(frozen=True)
class Run:
    """One recipe, trained on every fold."""

    id: str
    data: str
    """Name of its `DataSet`."""
    kind: str
    """`usual`, `wide` (rates over four decades) or what is wrong with its recipe."""
    schedule: str
    cycles: tuple[int, ...]
    """Epochs of each, of `sgdr`; else empty."""
    epochs: int
    recipe: Mapping[str, Any]
    folds: tuple[FoldCurve, ...]

    @property
    def seconds(self) -> float:
        return sum(sum(fold.seconds) for fold in self.folds)


@dataclass(frozen=True)
class Curves:
    made: Mapping[str, Any]
    """What recorded them: versions, processor."""
    sets: Mapping[str, DataSet]
    runs: tuple[Run, ...]
    """In the order of recording."""


def read(path: Path = CURVES) -> Curves:
    """ValueError if the file is of another format or version."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        head, *lines = [json.loads(line) for line in file]
    if (head.get("format"), head.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{path.name} is not {FORMAT}, version {VERSION}")
    made = {key: value for key, value in head.items() if key not in ("format", "version")}
    sets = [_tuples(DataSet, line["set"]) for line in lines if "set" in line]
    runs = [_run(line["run"]) for line in lines if "run" in line]
    return Curves(made, {one.name: one for one in sets}, tuple(runs))


def write(
    made: Mapping[str, Any], sets: Sequence[DataSet], runs: Sequence[Run], path: Path
) -> None:
    """Whole or not at all; the same curves make the same bytes."""
    lines: list[dict[str, Any]] = [{"format": FORMAT, "version": VERSION, **made}]
    lines += [{"set": asdict(one)} for one in sets]
    lines += [{"run": asdict(run)} for run in runs]
    text = "".join(
        json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines
    )
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(gzip.compress(text.encode(), mtime=0))
    os.replace(unfinished, path)


def _run(line: dict[str, Any]) -> Run:
    folds = tuple(_tuples(FoldCurve, fold) for fold in line["folds"])
    return _tuples(Run, {**line, "folds": folds})


def _tuples(of: type[T], fields: Mapping[str, Any]) -> T:
    return of(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
