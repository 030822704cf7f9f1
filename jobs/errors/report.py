"""The error report as one HTML page: no scripts, no other files, the same bytes each time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from jobs.errors.curves import Curve, draw
from jobs.pages.pages import template
from jobs.pages.thumbnails import data_uri, png_uri
from skint.dataset import PackedSet

CLASSES_SHOWN = 40
"""A matrix of more classes is unreadable: those with the most mistakes are shown."""
_DEEP = (8, 69, 148)
"""The full colour of a cell; from white, one hue: lightness alone says it."""


def render(
    facts: dict[str, Any],
    data: PackedSet,
    curves: Sequence[Curve],
    preview: bytes | None = None,
) -> str:
    """The page. `facts` is what `errors.json` holds; `preview` a PNG of what was trained on."""
    images = data.images()
    metrics = list(dict.fromkeys(curve.metric for curve in curves))

    def shown(mistakes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        uris = (data_uri(images[m["id"]], data.meta.mean, data.meta.std) for m in mistakes)
        return [{**mistake, "uri": uri} for mistake, uri in zip(mistakes, uris, strict=True)]

    return template("jobs.errors", "report.html.j2").render(
        facts=facts,
        **(_of_classes(facts, shown) if facts["target"] else {}),
        others=[
            {**own, "name": name, "worst": shown(own.get("worst", own.get("costliest", [])))}
            for name, own in facts["targets"].items()
        ],
        preview=None if preview is None else png_uri(preview),
        # Markup: the drawing escapes its own text.
        drawings=[(metric, Markup(draw(curves, metric))) for metric in metrics],
    )


def _of_classes(facts: dict[str, Any], shown: Callable[[Any], Any]) -> dict[str, Any]:
    """What the page says of the target at its top."""
    scores = [fold["accuracy"] for fold in facts["folds"]]
    n, accuracy = facts["n"], facts["accuracy"]
    return {
        "wrong": n - sum(facts["confusion"][c][c] for c in range(len(facts["classes"]))),
        # Predictions of the same picture do not make it two.
        "standard_error": math.sqrt(accuracy * (1 - accuracy) / facts["pictures"]),
        "spread": statistics.stdev(scores) if len(scores) > 1 else None,
        "matrix": _matrix(facts),
        "mistakes": shown(facts["costliest"]),
    }


def _matrix(facts: dict[str, Any]) -> dict[str, Any]:
    """The confusion matrix as rows of cells with their colours."""
    counts = np.array(facts["confusion"])
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    shown = sorted(np.argsort(-mistakes, kind="stable")[:CLASSES_SHOWN].tolist())
    rows = []
    for true in shown:
        total = int(counts[true].sum())
        cells = []
        for predicted in shown:
            share = counts[true, predicted] / total if total else 0.0
            cells.append(
                {
                    "count": int(counts[true, predicted]),
                    "right": true == predicted,
                    "background": _colour(share),
                    "light_text": share > 0.45,
                }
            )
        rows.append({"name": facts["classes"][true], "cells": cells, "total": total})
    return {"names": [facts["classes"][c] for c in shown], "rows": rows}


def _colour(share: float) -> str:
    return "#" + "".join(f"{round(255 + (deep - 255) * share):02x}" for deep in _DEEP)
