"""Says what a packed set is like before anything is trained on it.

`stats.json` for programs, `stats.html` for people: one file that needs nothing else. Mean and
deviation are exact, and each fold's are those of the pictures that it trains on.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

import skint
from skint.attempt import write_atomic
from skint.context import InputNotFound
from skint.dataset import Folds, PackedSet, Target, read_folds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from jobs.stats.colours import Look


class Params(BaseModel):
    """What `stats` shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    pictures: int = Field(default=8, ge=0, le=100)
    """How many of the darkest, brightest, flattest and oddest pictures are shown."""
    target: str | None = None
    """The target of classes that gets a mean picture each; the first one unless named."""


@skint.job(devices=0, libraries=("numpy", "Pillow"))
def stats(params: Params, ctx: skint.Context) -> None:
    from jobs.stats import balance, sizes
    from jobs.stats.colours import look, strangest
    from jobs.stats.page import render

    data = PackedSet.open(ctx.find("dataset.json").parent)
    folds = _folds(ctx, data)
    target = _class_target(data, params.target)

    def seen(count: int) -> None:
        ctx.check()
        ctx.progress(count, len(data))

    pixels = look(data, _labels(data, target), len(target.classes) if target else 0, seen)
    targets = [balance.balance(data, one, folds) for one in data.meta.targets if one.kind != "mask"]
    measured = sizes.sizes(data)
    facts: dict[str, Any] = {
        "n": len(data),
        "shape": list(data.meta.shape),
        "dtype": data.meta.dtype,
        "channels": _channels(data, pixels),
        "folds": [] if folds is None else [_fold(data, folds, n) for n in range(len(folds))],
        "test": 0 if folds is None else len(folds.test),
        "targets": targets,
        "sizes": {**measured, "odd": measured.get("odd", [])[: params.pictures]},
        "strangest": strangest(data, pixels, params.pictures),
    }
    facts["findings"] = [
        *(sentence for one in targets for sentence in balance.findings(one)),
        *sizes.findings(measured),
        *(
            f"{channel['name']}: {channel['not_finite']:,} pixels are no number (NaN or infinity)"
            for channel in facts["channels"]
            if channel["not_finite"]
        ),
    ]
    text = json.dumps(finite(facts), indent=1, allow_nan=False)
    write_atomic(ctx.out / "stats.json", f"{text}\n".encode())
    # backslashreplace: a file name need not be UTF-8, the page must be.
    page = render(facts, data, target, pixels).encode("utf-8", "backslashreplace")
    write_atomic(ctx.out / "stats.html", page)
    for sentence in facts["findings"]:
        ctx.note(sentence)
    said = len(facts["findings"])
    ctx.note(f"{len(data):,} pictures, {said or 'no'} thing{'s' * (said != 1)} to look at")


def _folds(ctx: skint.Context, data: PackedSet) -> Folds | None:
    """The nearest folds; None where nothing that this job needs has made any."""
    try:
        path = ctx.find("folds.csv")
    except InputNotFound:
        return None
    return read_folds(path, len(data))


def _class_target(data: PackedSet, name: str | None) -> Target | None:
    """The target that gets a mean picture a class; DatasetError where none has the name."""
    if name is None and all(target.kind != "class" for target in data.meta.targets):
        return None
    return data.target("class", name)


def _labels(data: PackedSet, target: Target | None) -> NDArray[np.int64]:
    import numpy as np

    return np.full(len(data), -1) if target is None else data.labels(target.name)


def _channels(data: PackedSet, pixels: Look) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "mean": float(pixels.mean[number]),
            "std": float(pixels.std[number]),
            "not_finite": _pixels(data) - int(pixels.histograms[number].sum()),
            "histogram": pixels.histograms[number].tolist(),
            "from": float(pixels.edges[number, 0]),
            "to": float(pixels.edges[number, -1]),
        }
        for number, name in enumerate(data.meta.channels)
    ]


def _pixels(data: PackedSet) -> int:
    """Of all pictures, in one channel."""
    from skint.dataset.blobs import BlobImages

    n, height, width, _ = data.meta.shape
    images = data.images()
    if isinstance(images, BlobImages):
        return int(images.sizes.prod(axis=1).sum())
    return n * height * width


def _fold(data: PackedSet, folds: Folds, number: int) -> dict[str, Any]:
    """What this fold trains on."""
    rows = folds.training(number)
    mean, std = data.moments(rows)
    return {
        "fold": number,
        "train": len(rows),
        "held_out": len(folds.validation(number)),
        "mean": list(mean),
        "std": list(std),
    }


def finite(facts: Any) -> Any:
    """The same with null for NaN and infinity, which JSON does not know."""
    if isinstance(facts, dict):
        return {name: finite(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [finite(value) for value in facts]
    return None if isinstance(facts, float) and not isfinite(facts) else facts
