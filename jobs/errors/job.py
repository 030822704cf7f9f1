"""Shows what the models of all folds get wrong, on pictures they were not trained on.

`report.html` is one file that needs nothing else; `errors.json` holds the same for programs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

import skint
from skint.attempt import write_atomic
from skint.context import InputNotFound
from skint.dataset import PackedSet

if TYPE_CHECKING:
    from jobs.errors.confusion import Predictions

PAIRS = 10
"""Pairs of classes that are listed."""
CURVES = ("train_loss", "val_loss", "val_acc")


class Params(BaseModel):
    """What `errors` shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    pictures: int = Field(default=24, ge=0, le=200)
    """How many of the costliest mistakes are shown as pictures."""


@skint.job(devices=0, libraries=("numpy", "Pillow"))
def errors(params: Params, ctx: skint.Context) -> None:
    from jobs.errors.confusion import confusion, costliest, most_confused, per_class
    from jobs.errors.curves import read_curves
    from jobs.errors.out_of_fold import expected, read_predictions
    from jobs.errors.report import render

    data = PackedSet.open(ctx.find("dataset.json").parent)
    classes = data.classes
    predictions = read_predictions(ctx, data)
    matrix = confusion(predictions, len(classes))
    n = len(predictions.ids)
    assert int(matrix.sum()) == n
    facts: dict[str, Any] = {
        "n": n,
        "pictures": len(set(predictions.ids.tolist())),
        "of": expected(ctx, data),
        "accuracy": int(matrix.trace()) / n,
        "majority": int(matrix.sum(axis=1).max()) / n,
        "classes": list(classes),
        "confusion": matrix.tolist(),
        "per_class": per_class(matrix, classes),
        "most_confused": most_confused(matrix, classes, PAIRS),
        "folds": _folds(predictions),
        "costliest": [
            _mistake(predictions, row, data) for row in costliest(predictions, params.pictures)
        ],
    }
    write_atomic(ctx.out / "errors.json", (json.dumps(facts, indent=1) + "\n").encode())
    curves = read_curves(ctx, CURVES)
    ctx.check()
    # backslashreplace: a file name need not be UTF-8, the page must be.
    page = render(facts, data, curves, _preview(ctx)).encode("utf-8", "backslashreplace")
    write_atomic(ctx.out / "report.html", page)
    _tell(ctx, facts)


def _preview(ctx: skint.Context) -> bytes | None:
    """The grid that `preview` has drawn, where it is among what this job needs."""
    try:
        return ctx.find("preview.png").read_bytes()
    except InputNotFound:
        return None


def _folds(predictions: Predictions) -> list[dict[str, Any]]:
    right = predictions.predicted == predictions.target
    return [
        {
            "fold": int(fold),
            "n": int((predictions.fold == fold).sum()),
            "accuracy": float(right[predictions.fold == fold].mean()),
        }
        for fold in sorted(set(predictions.fold.tolist()))
    ]


def _mistake(predictions: Predictions, row: int, data: PackedSet) -> dict[str, Any]:
    sample = data.samples[int(predictions.ids[row])]
    taken_for = int(predictions.predicted[row])
    return {
        "id": sample.id,
        "path": sample.path,
        "label": sample.label,
        "predicted": data.classes[taken_for],
        "probability": float(predictions.probabilities[row, taken_for]),
        "loss": float(predictions.loss[row]),
        "fold": int(predictions.fold[row]),
    }


def _tell(ctx: skint.Context, facts: dict[str, Any]) -> None:
    n = facts["n"]
    if facts["most_confused"]:
        pair = facts["most_confused"][0]
        first, second = pair["classes"]
        ctx.note(f"most confused: {first} ↔ {second} ({pair['count']})")
    else:
        ctx.note(f"no mistakes on {n:,} pictures")
    if n < facts["of"]:
        ctx.note(f"{n:,} of {facts['of']:,} pictures were predicted")
