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
MOST_S = 5.0
"""For each number of processes."""


def worker_counts(cpus: int) -> tuple[int, ...]:
    """0, 1, 2, 4 ... up to the cores that there are."""
    counts = [0, 1]
    while counts[-1] * 2 <= cpus:
        counts.append(counts[-1] * 2)
    return tuple(count for count in counts if count <= max(1, cpus))


def loader_rates(recipe: Recipe, data: FoldData, ctx: skint.Context) -> dict[int, float]:
    """Pictures a second, from the second batch on: the first waits for processes to start."""
    return {count: _rate(recipe, data, count, ctx) for count in worker_counts(ctx.cpus)}


def fewest(rates: dict[int, float]) -> int:
    """The smallest number of processes whose rate is within 5 % of the best."""
    best = max(rates.values())
    return min(count for count, rate in rates.items() if rate >= ENOUGH * best)


def _rate(recipe: Recipe, data: FoldData, workers: int, ctx: skint.Context) -> float:
    own = recipe.model_copy(update={"workers": workers})
    train, _ = make_loaders(own, data, data.train, data.validation, recipe.batch_size)
    seen, batches, begun, epoch = 0, 0, None, 0
    try:
        while True:
            train.set_epoch(epoch)
            for batch in train:
                ctx.check()
                now = time.perf_counter()
                if begun is None:
                    begun = now
                    continue
                seen, batches = seen + len(batch.rows), batches + 1
                if batches >= BATCHES or now - begun > MOST_S:
                    return seen / (now - begun)
            epoch += 1
    finally:
        train.close()
