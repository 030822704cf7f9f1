from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jobs.training.fitting.totals import epoch_steps, totals
from jobs.training.recipe.planned import planned
from jobs.training.recipe.recipe import Recipe


def recipe(**fields: Any) -> Recipe:
    return Recipe(**{"model": "net:Net", "batch_size": 10, **fields})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"epochs": 14}, None),
        (
            {"schedule": "sgdr", "cycle_len": 2, "cycle_mult": 2, "epochs": 14},
            "sgdr: 3 cycles of 2, 4, 8 epochs = 14 epochs, 1,400 steps",
        ),
        (
            {"schedule": "sgdr", "cycle_len": 3, "epochs": 7, "warmup_epochs": 1, "accumulate": 2},
            "sgdr: 1 of warm-up and 2 cycles of 3 epochs = 7 epochs, 350 steps",
        ),
        (
            {"fine_tune": 1, "epochs": 3},
            "stage head: 1 epoch; stage all: 3 epochs = 4 epochs, 400 steps",
        ),
        (
            {"stages": [{"epochs": 1, "batch_size": 100}, {"epochs": 2, "schedule": "sgdr"}]},
            "stage 0: 1 epoch; stage 1: 2 epochs (sgdr: 2 cycles of 1 epoch) = 3 epochs, 210 steps",
        ),
    ],
)
def test_the_total_is_told_where_it_is_not_plain(
    fields: dict[str, Any], sentence: str | None
) -> None:
    assert totals(planned(recipe(**fields)), rows=1000) == sentence


@pytest.mark.torch
@pytest.mark.parametrize("rows", [1, 2, 9, 10, 11, 12, 20, 21])
def test_steps_are_those_that_the_loader_gives_batches_for(rows: int) -> None:
    pytest.importorskip("torch")
    from skint.loader import ShuffledLoader

    pixels = np.zeros((rows, 4, 4, 3), np.uint8)
    loader = ShuffledLoader(pixels, None, np.arange(rows), batch_size=10, seed=0)
    assert epoch_steps(rows, recipe()) == len(loader) == len(list(loader))
    assert epoch_steps(rows, recipe(accumulate=2)) == -(-len(loader) // 2)
    if rows >= 4:
        half = ShuffledLoader(pixels, None, np.arange(rows), batch_size=10, seed=0, part=(0, 2))
        assert epoch_steps(rows, recipe(), devices=2) == len(half) == len(list(half))
