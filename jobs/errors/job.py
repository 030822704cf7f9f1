"""Shows what the models of all folds get wrong, on pictures they were not trained on.

`report.html` is one file that needs nothing else; `errors.json` holds the same for programs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

import skint
from jobs.features.seen import pictures_behind
from skint.attempt import write_atomic
from skint.context import InputNotFound
from skint.dataset import PackedSet, Target

if TYPE_CHECKING:
    from jobs.errors.confusion import Predictions
    from jobs.errors.out_of_fold import OutOfFold

PAIRS = 10
"""Pairs of classes that are listed."""
MEASURED = {"class": "val_acc", "multilabel": "val_f1", "value": "val_mae"}
"""The curve of each kind of target, beside those of the losses."""


class Params(BaseModel):
    """What `errors` shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    pictures: int = Field(default=24, ge=0, le=200)
    """How many of the costliest mistakes are shown as pictures."""


@skint.job(devices=0, libraries=("numpy", "Pillow"))
def errors(params: Params, ctx: skint.Context) -> None:
    from jobs.better.unpredicted import unpredicted
    from jobs.errors.curves import read_curves
    from jobs.errors.out_of_fold import expected, read_predictions
    from jobs.errors.report import render

    data = pictures_behind(ctx, PackedSet.open(ctx.find("dataset.json").parent))
    found = read_predictions(ctx, data)
    judged = {
        of.target.name: {
            "n": len(of.ids),
            "pictures": len(set(of.ids.tolist())),
            "of": expected(ctx, data, of.target),
            **_facts(of, data, params.pictures),
        }
        for of in found
    }
    # The first target of one class, where there is one, stands at the top.
    top = next((name for name, own in judged.items() if own["kind"] == "class"), None)
    facts = {**(judged.pop(top) if top else {}), "target": top, "targets": judged}
    write_atomic(ctx.out / "errors.json", (json.dumps(facts, indent=1) + "\n").encode())
    curves = read_curves(ctx, _curves(found))
    ctx.check()
    # backslashreplace: a file name need not be UTF-8, the page must be.
    page = render(facts, data, curves, _preview(ctx)).encode("utf-8", "backslashreplace")
    write_atomic(ctx.out / "report.html", page)
    if top:
        _tell(ctx, facts)
    for name, own in judged.items():
        ctx.note(_sentence(name, own))
    for why in unpredicted(ctx):
        ctx.note(f"without predictions: {why}")


def _facts(found: OutOfFold, data: PackedSet, pictures: int) -> dict[str, Any]:
    from jobs.errors.tags import tag_facts
    from jobs.errors.values import value_facts

    if found.target.kind == "multilabel":
        return tag_facts(found, data, pictures)
    if found.target.kind == "value":
        return value_facts(found, data, pictures)
    return _class_facts(found, data, pictures)


def _class_facts(found: OutOfFold, data: PackedSet, pictures: int) -> dict[str, Any]:
    from jobs.errors.confusion import confusion, costliest, most_confused, of_classes, per_class

    predictions, classes = of_classes(found), found.target.classes
    matrix = confusion(predictions, len(classes))
    n = len(predictions.ids)
    assert int(matrix.sum()) == n
    return {
        "kind": "class",
        "accuracy": int(matrix.trace()) / n,
        "majority": int(matrix.sum(axis=1).max()) / n,
        "classes": list(classes),
        "confusion": matrix.tolist(),
        "per_class": per_class(matrix, classes),
        "most_confused": most_confused(matrix, classes, PAIRS),
        "folds": _folds(predictions),
        "costliest": [
            _mistake(found.target, predictions, row, data)
            for row in costliest(predictions, pictures)
        ],
    }


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


def _mistake(target: Target, predictions: Predictions, row: int, data: PackedSet) -> dict[str, Any]:
    sample = data.samples[int(predictions.ids[row])]
    taken_for = int(predictions.predicted[row])
    return {
        "id": sample.id,
        "path": sample.path,
        "label": target.classes[int(predictions.target[row])],
        "predicted": target.classes[taken_for],
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


def _curves(found: Sequence[OutOfFold]) -> tuple[str, ...]:
    """Names of the curves that are drawn."""
    own = [(MEASURED[of.target.kind], of.target.name) for of in found]
    names = [metric if len(own) == 1 else f"{metric}.{name}" for metric, name in own]
    return ("train_loss", "val_loss", *names)


def _sentence(name: str, facts: dict[str, Any]) -> str:
    """What is said of a target beside the first one."""
    if facts["kind"] == "class":
        return f"{name}: {facts['accuracy']:.1%} of {facts['n']:,} right"
    if facts["kind"] == "multilabel":
        return f"{name}: all right on {facts['exact']:.1%} of {facts['n']:,} pictures"
    return (
        f"{name}: off by {facts['mae']:.4g} on average, where always saying the middle is off by "
        f"{facts['median_mae']:.4g}"
    )
