from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from jobs.training.network.freezing import Freezing, group_count  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.high = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.bare = nn.BatchNorm2d(4, affine=False)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 2)

    def groups(self) -> list[list[nn.Parameter]]:
        return [list(part.parameters()) for part in (self.low, self.high, self.head)]


def learning(network: Net) -> set[str]:
    return {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    ("epoch", "learns"),
    [
        (0, {"head"}),
        (1, {"head"}),
        (2, {"head", "high"}),
        (4, {"head", "high"}),
        (5, {"head", "high", "low"}),
        (9, {"head", "high", "low"}),
    ],
)
def test_what_learns_follows_from_the_epoch_alone(epoch: int, learns: set[str]) -> None:
    network = Net()
    freezing = Freezing(network, network.groups(), unfreeze=(2, 5))
    freezing.apply(9 - epoch)  # whatever was before
    freezing.apply(epoch)
    assert learning(network) == learns


def test_frozen_layers_stay_in_evaluation_mode_and_the_dropout_of_the_head_does_not() -> None:
    network = Net().train()
    freezing = Freezing(network, network.groups(), unfreeze=(1,))
    freezing.apply(0)
    modes = {name: part.training for name, part in network.named_modules()}
    assert modes["drop"] and modes["head"] and modes[""]
    assert not any(modes[name] for name in ("low", "low.1", "low.2", "high.1", "bare"))
    freezing.apply(1)
    modes = {name: part.training for name, part in network.named_modules()}
    assert modes["high.1"] and not modes["low.1"] and not modes["bare"]


def test_a_network_that_evaluates_is_left_evaluating() -> None:
    network = Net().eval()
    Freezing(network, network.groups(), unfreeze=(1,)).apply(0)
    assert not any(part.training for part in network.modules())


def test_nothing_is_frozen_where_nobody_says_so() -> None:
    network = Net()
    Freezing(network, network.groups(), unfreeze=None).apply(0)
    assert learning(network) == {"head", "high", "low"}
    assert network.low.training and network.bare.training


def test_what_the_author_of_the_network_has_frozen_stays_frozen() -> None:
    network = Net()
    network.low.requires_grad_(False)
    freezing = Freezing(network, network.groups(), unfreeze=())
    freezing.apply(0)
    assert learning(network) == {"head"}
    freezing.thaw()
    assert learning(network) == {"head", "high"}


@pytest.mark.parametrize(
    ("fields", "groups"),
    [
        ({}, 1),
        ({"freeze": "backbone"}, 2),
        ({"lr_groups": (0.1, 0.3, 1)}, 3),
        ({"freeze": "backbone", "unfreeze": (1, 2, 3)}, 4),
        ({"freeze": "backbone", "unfreeze": (1,), "lr_groups": (0.1, 0.3, 1)}, 3),
    ],
)
def test_a_recipe_speaks_of_so_many_groups(fields: dict[str, object], groups: int) -> None:
    assert group_count(Recipe(model="net:Net", **fields)) == groups  # type: ignore[arg-type]
