from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pytorch_lightning")

from jobs.training.data.fold import FoldError, read_fold
from jobs.training.data.sampling import Balanced, order_of
from jobs.training.fitting.prepared import make_loaders
from jobs.training.recipe.recipe import Recipe
from skint.dataset import Target
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 90), st.integers(0, 2**32)
)
def test_every_class_comes_equally_often_and_its_pictures_too(
    labels: list[int], count: int, seed: int
) -> None:
    given = np.array(labels)
    rows = np.arange(len(given)) * 3 + 1
    drawn = Balanced(rows, given, count)(np.random.default_rng(seed))
    assert len(drawn) == count and set(drawn) <= set(rows)
    counts = [(given[(drawn - 1) // 3] == label).sum() for label in set(labels)]
    assert max(counts) - min(counts) <= 1
    for label in set(labels):
        often = [(drawn == row).sum() for row in rows[given == label]]
        assert max(often) - min(often) <= 1
    again = Balanced(rows, given, count)(np.random.default_rng(seed))
    assert np.array_equal(again, drawn)


def test_a_rare_class_is_seen_as_often_and_each_time_in_another_way(tmp_path: Path) -> None:
    data = read_fold(context(tmp_path / "attempt", small_set(tmp_path / "packed", size=32)))
    few = np.concatenate([data.train[data.columns["label"][data.train] == 0][:2],
                          data.train[data.columns["label"][data.train] == 1]])  # fmt: skip
    recipe = Recipe(model="resnet18", sampler="balanced", augment="light")
    train, _ = make_loaders(recipe, data, few, data.validation, 20, trains=True)
    train.set_epoch(1)
    (batch,) = train
    assert batch.labels.bincount().tolist() == [5, 5]
    first = batch.rows == few[0]
    assert first.sum() > 1
    ways = {picture.numpy().tobytes() for picture in batch.images[first]}
    assert len(ways) == first.sum()


def test_balancing_needs_classes(tmp_path: Path) -> None:
    data = read_fold(context(tmp_path / "attempt", small_set(tmp_path / "packed")))
    assert order_of(Recipe(model="resnet18"), data, data.train) is None
    numbers = data.__class__(
        data.packed, (Target("weight", "value"),), {"weight": np.zeros(len(data.packed))},
        data.train, data.validation, 0, 3,
    )  # fmt: skip
    with pytest.raises(FoldError, match="balanced needs a target with classes") as caught:
        order_of(Recipe(model="resnet18", sampler="balanced"), numbers, data.train)
    assert caught.value.got == "weight (value)"
