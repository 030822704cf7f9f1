"""Pictures a second of the loader, by number of worker processes. Needs no device."""

from __future__ import annotations

import time

import skint
from jobs.training.data.fold import FoldData
from jobs.training.fitting.prepared import make_loaders
from jobs.training.recipe.recipe import Recipe

ENOUGH = 0.95
"""Of the best rate: fewer processes that give it are better."""
BATCHES = 20
LEAST_S, MOST_S = 0.5, 5.0
"""For each number of processes: so many batches, and so long at least and at most."""
AHEAD = 4
"""Batches that were made, or begun, before the processes were there."""
START_S, LOOK_S = 60.0, 0.05
"""How long processes may take to start, and how often it is looked."""


def worker_counts(cpus: int) -> tuple[int, ...]:
    """0, 1, 2, 4 ... up to the cores that there are."""
    counts = [0, 1]
    while counts[-1] * 2 <= cpus:
        counts.append(counts[-1] * 2)
    return tuple(count for count in counts if count <= max(1, cpus))


def loader_rates(recipe: Recipe, data: FoldData, ctx: skint.Context) -> dict[int, float]:
    """Pictures a second, by number of processes; without those that did not start in time."""
    rates = {count: _rate(recipe, data, count, ctx) for count in worker_counts(ctx.cpus)}
    return {count: rate for count, rate in rates.items() if rate is not None}


def fewest(rates: dict[int, float]) -> int:
    """The smallest number of processes whose rate is within 5 % of the best."""
    best = max(rates.values())
    return min(count for count, rate in rates.items() if rate >= ENOUGH * best)


def _rate(recipe: Recipe, data: FoldData, workers: int, ctx: skint.Context) -> float | None:
    own = recipe.model_copy(update={"workers": workers})
    train, _ = make_loaders(own, data, data.train, data.validation, recipe.batch_size, trains=True)
    started = begun = time.perf_counter()
    seen, batches, epoch, early = 0, 0, 0, AHEAD if workers else 1
    try:
        while True:
            train.set_epoch(epoch)
            for batch in train:
                ctx.check()
                now = time.perf_counter()
                if not train.ready:
                    if now - started > START_S:
                        return None
                    time.sleep(LOOK_S)
                elif early:
                    early, begun = early - 1, now
                else:
                    seen, batches = seen + len(batch.rows), batches + 1
                    lasted_s = now - begun
                    if lasted_s > MOST_S or (batches >= BATCHES and lasted_s > LEAST_S):
                        return seen / lasted_s
            epoch += 1
    finally:
        train.close()
