from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pytorch_lightning")

from jobs.training.data.fold import read_fold
from jobs.training.fitting.prepared import make_loaders, make_module
from jobs.training.recipe.recipe import Recipe
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("fold", [0, 2])
def test_pixels_are_normalised_by_the_pictures_that_train(tmp_path: Path, fold: int) -> None:
    packed = small_set(tmp_path / "packed", dtype="uint16", channels=5)
    ctx = context(tmp_path / "attempt", packed, fold=fold)
    data = read_fold(ctx)
    normalise = make_module(Recipe(model="resnet18"), data, ctx).normalise
    pixels = np.asarray(data.packed.images())[data.train].reshape(-1, 5).astype(np.float64)
    assert np.allclose(normalise.mean.numpy().ravel(), pixels.mean(0), rtol=1e-6)
    assert np.allclose(normalise.std.numpy().ravel(), pixels.std(0), rtol=1e-6)
    assert not np.allclose(normalise.mean.numpy().ravel(), data.packed.meta.mean, rtol=1e-6)


def test_batches_are_on_the_device_that_trains(tmp_path: Path) -> None:
    data = read_fold(context(tmp_path / "attempt", small_set(tmp_path / "packed")))
    for loader in make_loaders(Recipe(), data, data.train, data.validation, 8, "meta"):
        assert next(iter(loader)).images.device.type == "meta"
