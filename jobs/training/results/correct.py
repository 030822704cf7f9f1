"""`correct.json`: which of the held-out pictures the best epoch got right.

Two trainings of the same fold that get nearly the same pictures right differ by less chance than
two that do not: with both files the spread of their difference is known. It is read without NumPy.

    {"version": 1, "metric": "val_acc", "items": 812, "pictures": SHA-256, "right": BASE64}

`pictures` is of the lines "ROW,CLASS" of the pictures in order, so that the same number stands for
the same rows with the same labels; `right` has a bit for each, the first in the highest bit of the
first byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np

from jobs.training.results.predictions import Predictions
from skint.attempt import write_atomic

CORRECT = "correct.json"
VERSION = 1


def write_correct(path: Path, predictions: Predictions, metric: str) -> None:
    """Write it for the target of one class that `metric` is about, `val_acc.breed`, else the first;
    nothing where no target is of one class. The same predictions, the same bytes."""
    targets = [part for part in predictions.targets if part.kind == "class"]
    about = metric.partition(".")[2]
    chosen = next((part for part in targets if part.name == about), None) or next(
        iter(targets), None
    )
    if chosen is None:
        return
    known = chosen.target >= 0
    labels = chosen.target[known]
    rows = zip(predictions.ids[known].tolist(), labels.tolist(), strict=True)
    lines = "".join(f"{row},{chosen.classes[label]}\n" for row, label in rows)
    right = chosen.predicted[known].argmax(axis=1) == labels
    content = {
        "version": VERSION,
        "metric": "val_acc" if len(predictions.targets) == 1 else f"val_acc.{chosen.name}",
        "items": len(labels),
        "pictures": hashlib.sha256(lines.encode()).hexdigest(),
        "right": base64.b64encode(np.packbits(right).tobytes()).decode(),
    }
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
