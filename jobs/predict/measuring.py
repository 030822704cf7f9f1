"""What test-time augmentation gains on pictures that were held out, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import skint
from jobs.predict.models import Model
from jobs.predict.params import Params
from jobs.predict.pictures import training_sets
from jobs.training.data.targets import column_of, known
from jobs.training.fitting.device import Engine
from jobs.training.objective.multilabel import Multilabel
from jobs.training.recipe.measures import ALWAYS
from jobs.training.results.published import LearntTarget
from skint.loader import OrderedLoader


@dataclass(frozen=True)
class Gain:
    """Of the first target."""

    metric: str
    plain: float
    augmented: float
    error: float | None
    """Standard error of the difference, picture by picture; None where the metric is no mean."""
    pictures: int
    cost: float
    """Seconds with its views for a second without."""

    def facts(self) -> dict[str, Any]:
        """What is the same each time."""
        return {name: value for name, value in vars(self).items() if name != "cost"}


@torch.inference_mode()
def measure_gain(
    models: Sequence[Model], params: Params, engine: Engine, ctx: skint.Context
) -> Gain | None:
    """Each network on pictures that it has not seen, `params.measure` in all at most.

    None where no training set is among what this job needs, or nothing of it was held out.
    """
    sets = training_sets(ctx, models)
    if any(one is None for one in sets):
        return None
    plain_params = params.model_copy(update={"tta": "none", "beta": None})
    seconds = {"plain": 0.0, "augmented": 0.0}
    found: dict[str, list[NDArray[Any]]] = {"plain": [], "augmented": [], "truth": []}
    target = models[0].published.targets[0]
    share = -(-params.measure // len(models))
    for model, packed in zip(models, sets, strict=True):
        assert packed is not None
        column = packed.target(target.kind, target.name)
        truth = column_of(packed, column)
        held_out = _held_out(model)
        rows = spread(held_out[known(column, truth[held_out])], share)
        model.to(engine)
        loader = OrderedLoader(
            packed.images(), None, rows, batch_size=params.batch_size, device=engine.device
        )
        for number, batch in enumerate(loader):
            ctx.check()
            if number == 0:
                model.answer(batch.images[:2], params, engine)  # sets up kernels, untimed
            for name, own in (("plain", plain_params), ("augmented", params)):
                begun = time.perf_counter()
                answer = model.answer(batch.images, own, engine).cpu().numpy()
                seconds[name] += time.perf_counter() - begun
                found[name].append(answer[:, : models[0].objective.singles[0].outputs])
        found["truth"].append(truth[rows])
    if not found["plain"]:
        return None
    plain, augmented, truth = (np.concatenate(found[name]) for name in found)
    error = None
    if target.kind == "class" and len(truth) > 1:
        right = [(one.argmax(axis=1) == truth).astype(float) for one in (plain, augmented)]
        error = float((right[1] - right[0]).std(ddof=1) / np.sqrt(len(truth)))
    return Gain(
        metric=f"val_{ALWAYS[target.kind]}",
        plain=score(target, plain, truth),
        augmented=score(target, augmented, truth),
        error=error,
        pictures=len(truth),
        cost=seconds["augmented"] / max(seconds["plain"], 1e-9),
    )


def score(target: LearntTarget, predicted: NDArray[Any], truth: NDArray[Any]) -> float:
    """The usual metric of a target, of (n, K) probabilities or (n, 1) values of known truth."""
    if target.kind == "class":
        return float((predicted.argmax(axis=1) == truth).mean())
    if target.kind == "value":
        return float(np.abs(predicted[:, 0] - truth).mean())
    name = ALWAYS[target.kind]
    part = Multilabel(target.name, target.classes, (name,))
    metric, labels = part.metrics()[f"val_{name}"], torch.from_numpy(truth)
    metric.update(torch.from_numpy(predicted), labels)
    return part.reduced(f"val_{name}", metric.compute(), labels)


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of `rows`, at equal distances."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _held_out(model: Model) -> NDArray[np.int64]:
    with np.load(model.published.folder / "predictions.npz", allow_pickle=False) as arrays:
        ids: NDArray[np.int64] = arrays["ids"]
    return ids
