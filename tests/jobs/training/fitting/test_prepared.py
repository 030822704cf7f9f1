from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pytorch_lightning")

from jobs.training.data.fold import read_fold
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import make_loaders, make_module, make_parts
from jobs.training.recipe.planned import planned
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


def test_each_stage_has_its_own_dropout_before_the_last_layer(tmp_path: Path) -> None:
    net = "tests.jobs.training.small_net:Net"  # has one of 0.3, but not beside its last layer
    stages = [{"epochs": 1, "drop_rate": 0.5}, {"epochs": 1}]
    recipe = Recipe.model_validate({"model": net, "drop_rate": 0.25, "stages": stages})
    ctx = context(tmp_path / "attempt", small_set(tmp_path / "packed"))
    data = read_fold(ctx)
    parts = make_parts(recipe, data, ctx)
    rates = []
    for stage in planned(recipe):
        module = Classifier(
            parts.network,
            parts.normalise,
            stage.recipe,
            objective=parts.objective,
            epoch_steps=1,
        )
        (hook,) = module.network.head._forward_pre_hooks.values()
        rates.append(hook.rate)
    assert rates == [0.5, 0.25]
