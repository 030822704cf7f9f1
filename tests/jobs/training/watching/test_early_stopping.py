from __future__ import annotations

import math

import pytest

pytest.importorskip("pytorch_lightning")

from jobs.training.objective.monitor import Monitor
from jobs.training.watching.early_stopping import epochs_since_best

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("values", "larger", "min_delta", "found"),
    [
        ([0.5, 0.6, 0.7], True, 0.0, (2, 0)),
        ([0.7, 0.6, 0.5], True, 0.0, (0, 2)),
        ([0.7, 0.6, 0.5], False, 0.0, (2, 0)),
        ([0.5, 0.5, 0.5], True, 0.0, (0, 2)),  # the same is not better
        ([0.5, 0.55, 0.6, 0.65], True, 0.08, (2, 1)),  # slow gains add up to a better one
        ([math.nan, 0.5, math.nan], True, 0.0, (1, 1)),
        ([math.nan, math.inf], False, 0.0, (0, 1)),
    ],
)
def test_the_best_epoch_and_how_many_came_after_it(
    values: list[float], larger: bool, min_delta: float, found: tuple[int, int]
) -> None:
    rows = [{"val_x": value} for value in values]
    assert epochs_since_best(rows, Monitor("val_x", larger), min_delta) == found
