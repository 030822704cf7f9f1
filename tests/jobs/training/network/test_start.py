from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("timm")

from timm.layers import DropPath

from jobs.training.network.start import starting_network
from jobs.training.recipe.recipe import Recipe
from skint import Context

pytestmark = pytest.mark.torch


def started(folder: Path, **fields: Any) -> Any:
    ctx = Context.for_test(folder)
    recipe = Recipe(**{"model": "resnet10t", **fields})
    return starting_network(recipe, ctx, outputs=2, channels=3, classes={}).network


def test_the_dropout_of_a_recipe_is_that_of_its_network(tmp_path: Path) -> None:
    network = started(tmp_path / "a", drop_rate=0.4, drop_path_rate=0.2)
    rates = [layer.drop_prob for layer in network.module.modules() if isinstance(layer, DropPath)]
    assert max(rates) == pytest.approx(0.2)
    (hook,) = network.head._forward_pre_hooks.values()
    assert hook.rate == 0.4
    plain = started(tmp_path / "b")
    assert not any(isinstance(layer, DropPath) for layer in plain.module.modules())
    assert not plain.head._forward_pre_hooks


def test_weights_lie_in_memory_as_the_recipe_says(tmp_path: Path) -> None:
    for last in (True, False):
        network = started(tmp_path / str(last), channels_last=last)
        weight = network.module.layer1[0].conv1.weight
        assert weight.permute(0, 2, 3, 1).is_contiguous() == last
