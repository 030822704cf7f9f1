"""What `predict` publishes: `predictions.csv` for people, `predictions.npz` for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.predict.answer import Answer, as_text
from jobs.training.data.targets import column_of
from jobs.training.results.predictions import Predictions, TargetPredictions, write
from skint.dataset import PackedSet
from skint.dataset.target import SEPARATOR
from skint.table import write_rows


def write_predictions(
    folder: Path,
    packed: PackedSet,
    rows: NDArray[np.int64],
    answers: Mapping[str, Answer],
    threshold: float,
) -> None:
    """Both files; `rows` of the packed set were predicted."""
    truths = {name: truth_of(packed, answer)[rows] for name, answer in answers.items()}
    found = tuple(
        TargetPredictions(one.name, one.kind, one.classes, truths[one.name], one.predicted)
        for one in answers.values()
    )
    write(folder / "predictions.npz", Predictions(rows, found))
    write_rows(
        folder / "predictions.csv",
        ("id", "name", "path", *_header(answers.values())),
        _lines(packed, rows, tuple(answers.values()), threshold),
    )


def truth_of(packed: PackedSet, answer: Answer) -> NDArray[Any]:
    """(N, ...) what the set itself says of a target, in the classes of the networks.

    -1, NaN or zeros where it does not say, or has no such target.
    """
    count = len(packed)
    own = [t for t in packed.meta.targets if (t.name, t.kind) == (answer.name, answer.kind)]
    if answer.kind == "value":
        return column_of(packed, own[0]) if own else np.full(count, np.nan)
    place = {name: number for number, name in enumerate(answer.classes)}
    if answer.kind == "class":
        numbers = np.array([place.get(name, -1) for name in own[0].classes] if own else [], int)
        labels = packed.labels(answer.name) if own else np.full(count, -1)
        return np.where(labels >= 0, np.append(numbers, -1)[labels], -1).astype(np.int64)
    hot = np.zeros((count, len(answer.classes)), dtype=np.uint8)
    if own:
        given = packed.multi_hot(answer.name)
        for number, name in enumerate(own[0].classes):
            if name in place:
                hot[:, place[name]] = given[:, number]
    return hot


def _header(answers: Any) -> Iterator[str]:
    for answer in answers:
        yield answer.name
        yield from (f"{answer.name}: {name}" for name in answer.classes)


def _lines(
    packed: PackedSet, rows: NDArray[np.int64], answers: Sequence[Answer], threshold: float
) -> Iterator[list[object]]:
    for place, row in enumerate(rows.tolist()):
        sample = packed.samples[row]
        line: list[object] = [row, sample.name, sample.path]
        for answer in answers:
            if answer.kind == "value":
                line.append(as_text(answer.predicted[place]))
                continue
            line.append(SEPARATOR.join(answer.labels(place, threshold)))
            line += map(as_text, answer.predicted[place])
        yield line
