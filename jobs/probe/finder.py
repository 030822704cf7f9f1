"""The learning-rate finder: the rate climbs step by step until the loss explodes."""

from __future__ import annotations

import math
from typing import Any

import skint
from jobs.probe.requests import Request
from jobs.probe.workload import Workload
from jobs.training.recipe.recipe import Recipe

LOWEST, HIGHEST = 1e-7, 10.0
SMOOTHING = 0.98
EXPLODED = 4.0
"""Times the lowest loss: nothing is to be learnt of what comes after."""


def find_rate(recipe: Recipe, request: Request, ctx: skint.Context) -> dict[str, Any]:
    """`rates` and the smoothed `losses` at them, as far as it came.

    Smoothed by an exponential average without the bias of its start. On other batches each step;
    on a fresh network that is thrown away.
    """
    work = Workload.of(recipe, request, ctx)
    factor = (HIGHEST / LOWEST) ** (1 / (request.steps - 1))
    scales = [group["lr"] / recipe.lr for group in work.optimizer.param_groups]
    rates: list[float] = []
    losses: list[float] = []
    average, lowest = 0.0, math.inf
    for number, batch in enumerate(work.batches(recipe, request.batch, request.steps)):
        rate = LOWEST * factor**number
        for group, scale in zip(work.optimizer.param_groups, scales, strict=True):
            group["lr"] = rate * scale
        loss = float(work.step(batch, number))
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        smoothed = average / (1 - SMOOTHING ** (number + 1))
        if not math.isfinite(smoothed) or smoothed > EXPLODED * lowest:
            break
        lowest = min(lowest, smoothed)
        rates.append(rate)
        losses.append(smoothed)
    return {"rates": rates, "losses": losses}
