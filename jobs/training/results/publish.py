"""What a fold leaves behind when its training is done."""

from __future__ import annotations

import json
import math
from typing import Any

import torch

import skint
from jobs.training.data.fold import FoldData
from jobs.training.data.normalise import Normalise
from jobs.training.objective.base import Objective
from jobs.training.recipe.measures import ALWAYS
from jobs.training.recipe.planned import planned, total_epochs
from jobs.training.recipe.recipe import Recipe
from jobs.training.results.correct import CORRECT, write_correct
from jobs.training.results.predictions import predictions_of, write
from jobs.training.results.published import Published, learnt, write_model
from jobs.training.watching.history import History
from skint.attempt import write_atomic
from skint.dataset import META
from skint.outputs import sha256_of

RESULT = "result.json"


def publish(
    ctx: skint.Context,
    recipe: Recipe,
    data: FoldData,
    objective: Objective,
    normalise: Normalise,
    history: History,
) -> dict[str, Any]:
    """Write predictions.npz, correct.json, result.json, model.json and metrics.csv; what is in
    result.json.

    All of it is known from the best epoch's validation: no device is needed.
    """
    history.write()
    rows, outputs = history.best_rows, history.best_outputs
    predictions = predictions_of(data, objective, rows, outputs)
    write(ctx.out / "predictions.npz", predictions)
    write_correct(ctx.out / CORRECT, predictions, score_name(objective, history.monitor.name))
    best = history.best
    size = planned(recipe)[-1].size_px
    shape = (data.packed if size is None else data.packed.at(size)).meta.shape
    write_model(
        Published(
            folder=ctx.out,
            recipe=recipe,
            targets=tuple(learnt(part) for part in objective.singles),
            channels=data.packed.meta.channels,
            dtype=data.packed.meta.dtype,
            size_px=shape[1:3],
            mean=tuple(normalise.mean.flatten().tolist()),
            std=tuple(normalise.std.flatten().tolist()),
            dataset_sha256=sha256_of(data.packed.folder / META),
            fold=data.fold,
            folds=data.folds,
            epoch=history.best_epoch,
            metrics={name: value for name, value in best.items() if math.isfinite(value)},
        )
    )
    result = _result(recipe, data, objective, history)
    write_atomic(ctx.out / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    return result


def _result(
    recipe: Recipe, data: FoldData, objective: Objective, history: History
) -> dict[str, Any]:
    name = score_name(objective, history.monitor.name)
    labels: Any = {
        target.name: torch.from_numpy(data.columns[target.name][history.best_rows.numpy()])
        for target in data.targets
    }
    if len(data.targets) == 1:
        labels = labels[data.targets[0].name]
    by_class = objective.by_class(history.best_outputs, labels)
    return {
        "metric": name,
        "score": _or_none(history.best[name]),
        "n": len(history.best_rows),
        "epochs": total_epochs(recipe),
        "best_epoch": history.best_epoch,
        "monitor": history.monitor.name,
        "metrics": {name: _or_none(value) for name, value in history.best.items()},
        "classes": {target: found for target, found in by_class.items() if found},
    }


def score_name(objective: Objective, monitored: str) -> str:
    """The metric that a fold is called good or bad by: the monitored one.

    A loss says little to a person: the first target's usual metric stands for it.
    """
    if monitored.partition(".")[0] != "val_loss":
        return monitored
    first = objective.singles[0]
    name = f"val_{ALWAYS[first.kind]}"
    return name if len(objective.singles) == 1 else f"{name}.{first.name}"


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None
