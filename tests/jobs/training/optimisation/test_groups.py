from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from jobs.training.optimisation.optimizer import make_optimizer  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402


def layers() -> list[list[Any]]:
    return [list(torch.nn.Linear(2, 2).parameters()) for _ in range(3)]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_matrices_decay_and_vectors_do_not(optimizer: Any) -> None:
    groups = layers()
    made = make_optimizer(
        groups, Recipe(model="net:Net", optimizer=optimizer, weight_decay=0.3, lr=0.1)
    )
    decay = {id(p): group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert decay == {
        id(parameter): 0.3 if parameter.ndim > 1 else 0.0 for group in groups for parameter in group
    }


def test_each_group_of_layers_has_its_rate() -> None:
    groups = layers()
    made = make_optimizer(groups, Recipe(model="net:Net", lr=0.2, lr_groups=(0.01, 0.1, 1)))
    rates = {id(p): group["lr"] for group in made.param_groups for p in group["params"]}
    for group, rate in zip(groups, (0.002, 0.02, 0.2), strict=True):
        assert [rates[id(parameter)] for parameter in group] == pytest.approx([rate, rate])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_frozen_parameters_are_in_it_and_neither_move_nor_decay(optimizer: Any) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    network[0].requires_grad_(False)
    made = make_optimizer(
        [list(layer.parameters()) for layer in network],
        Recipe(model="net:Net", optimizer=optimizer, weight_decay=0.5, lr=0.1),
    )
    before = [parameter.clone() for parameter in network.parameters()]
    for _ in range(3):
        made.zero_grad()
        network(torch.ones(4, 2)).square().sum().backward()
        made.step()
    same = [torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]
    assert same == [True, True, False, False]
    # They join in at once when they are thawed.
    network.requires_grad_(True)
    network(torch.ones(4, 2)).square().sum().backward()
    made.step()
    assert not torch.equal(before[0], network[0].weight)
