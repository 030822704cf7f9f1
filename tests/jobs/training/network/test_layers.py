from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from jobs.training.network.layers import grouped, layers_of  # noqa: E402
from jobs.training.network.model import ModelError, Network, build  # noqa: E402


def network_of(model: str) -> Network:
    for library in ("timm", "torchvision"):
        if model.startswith(library):
            pytest.importorskip(library)
    with torch.device("meta"):
        return build(model, classes=3, channels=3, base=Path())


@pytest.mark.parametrize(
    "model",
    [
        "timm/resnet18",
        "timm/efficientnet_b0",
        "timm/vit_tiny_patch16_224",
        "timm/convnext_atto",
        "torchvision/resnet18",
        "torchvision/vit_b_16",
        "torchvision/mobilenet_v3_small",
        "tests.jobs.training.small_net:Net",
    ],
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_groups_hold_every_parameter_once_and_the_last_is_the_head(model: str, count: int) -> None:
    network = network_of(model)
    groups = grouped(network, count)
    assert len(groups) == count and all(groups)
    ids = [id(parameter) for group in groups for parameter in group]
    assert sorted(ids) == sorted(map(id, network.module.parameters()))
    if count > 1:
        assert network.head is not None
        assert {id(p) for p in groups[-1]} == {id(p) for p in network.head.parameters()}


@pytest.mark.parametrize(
    ("model", "first", "before_head"),
    [
        ("timm/resnet18", "conv1.weight", "layer4.1.conv1.weight"),
        ("torchvision/resnet18", "conv1.weight", "layer4.1.conv1.weight"),
        ("timm/vit_tiny_patch16_224", "patch_embed.proj.weight", "norm.weight"),
        ("torchvision/vit_b_16", "class_token", "encoder.ln.weight"),
    ],
)
def test_layers_go_from_the_input_to_the_head(model: str, first: str, before_head: str) -> None:
    layers = layers_of(network_of(model))
    assert len(layers) >= 10
    assert first in layers[0] and before_head in layers[-2]


def test_the_layers_before_the_head_are_shared_out_evenly() -> None:
    network = network_of("timm/resnet18")
    sizes = [len(layers_of(network)) - 1]
    names = {id(p): name for name, p in network.module.named_parameters()}
    low, high, _head = grouped(network, 3)
    assert sizes == [9]  # the stem and eight blocks
    assert {names[id(p)].split(".")[0] for p in low} == {"conv1", "bn1", "layer1", "layer2"}
    assert {names[id(p)].split(".")[0] for p in high} == {"layer2", "layer3", "layer4"}


def test_more_groups_than_layers_are_refused() -> None:
    with pytest.raises(ModelError, match="at most 3"):
        grouped(network_of("tests.jobs.training.small_net:Net"), 4)


def test_a_class_that_does_not_name_its_head_has_one_group_only() -> None:
    network = network_of("tests.jobs.training.small_net:Headless")
    assert len(grouped(network, 1)) == 1
    with pytest.raises(ModelError, match="needs to know the last layer"):
        grouped(network, 2)
