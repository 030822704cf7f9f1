"""What a training says of itself with its first epoch: stop rules and comparisons read it."""

from __future__ import annotations

import hashlib
from itertools import accumulate
from typing import Any

import numpy as np

from jobs.training.data.fold import FoldData
from jobs.training.objective.base import Objective, Single
from jobs.training.objective.monitor import Monitor
from jobs.training.recipe.measures import larger_is_better
from jobs.training.recipe.planned import PlannedStage, planned
from jobs.training.recipe.recipe import Recipe
from jobs.training.results.publish import score_name

FACTS = frozenset(
    {
        *("metric", "larger_is_better", "items", "largest_class", "classes"),
        *("schedule", "warmup_epochs", "cycle_ends"),
    }
)
"""Names of what is said; not all of it of every training."""


def facts_of(
    recipe: Recipe, data: FoldData, objective: Objective, monitor: Monitor
) -> dict[str, Any]:
    """By name, as one report.

    `metric` is what the fold will be called good or bad by, `larger_is_better` which way, `items`
    how many pictures it is measured on, `largest_class` the share of their largest class,
    `classes` what is told apart, `schedule` the learning rate's with its cycles, `warmup_epochs`
    and `cycle_ends` ("4 12 28") in epochs from the beginning.
    """
    metric = score_name(objective, monitor.name)
    target = _target_of(metric, objective)
    stages = planned(recipe)
    ends = [end for stage in stages for end in _cycle_ends(stage)]
    return {
        "metric": metric,
        "larger_is_better": larger_is_better(_bare(metric)),
        **_of_target(data, target),
        "classes": ", ".join(map(_told_apart, objective.singles)),
        "schedule": _schedule(stages),
        "warmup_epochs": stages[0].recipe.warmup_epochs,
        **({"cycle_ends": " ".join(map(str, ends))} if ends else {}),
    }


def _bare(metric: str) -> str:
    return metric.removeprefix("val_").partition(".")[0]


def _target_of(metric: str, objective: Objective) -> Single:
    """The one that the metric is of; else the first."""
    about = metric.partition(".")[2]
    named = (part for part in objective.singles if part.name == about)
    return next(named, objective.singles[0])


def _of_target(data: FoldData, target: Single) -> dict[str, Any]:
    column = next(known for known in data.targets if known.name == target.name)
    rows = data.known(column, data.validation)
    if target.kind != "class" or len(rows) == 0:
        return {"items": len(rows)}
    counts = np.bincount(data.columns[target.name][rows])
    return {"items": len(rows), "largest_class": float(counts.max() / len(rows))}


def _told_apart(target: Single) -> str:
    """ "label: 12 classes (a91c03)"; of other classes the number in brackets is another one."""
    if not target.classes:
        return f"{target.name}: a number"
    short = hashlib.sha256("\n".join(target.classes).encode()).hexdigest()[:6]
    word = "classes" if target.kind == "class" else "labels"
    return f"{target.name}: {len(target.classes)} {word} ({short})"


def _schedule(stages: tuple[PlannedStage, ...]) -> str:
    """ "one-cycle", "sgdr 4+8+16"; of several stages each with its epochs."""
    words = []
    for stage in stages:
        word: str = stage.recipe.schedule
        if word == "sgdr":
            word += f" {'+'.join(map(str, stage.recipe.cycle_lengths))}"
        words.append(word if len(stages) == 1 else f"{word} for {stage.epochs}")
    return ", ".join(words)


def _cycle_ends(stage: PlannedStage) -> list[int]:
    """Epochs that are over, over all stages, at the end of each cycle."""
    begun = stage.first_epoch + int(stage.recipe.warmup_epochs)
    return [begun + end for end in accumulate(stage.recipe.cycle_lengths)]
