from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from jobs.training.network.model import (  # noqa: E402
    IMAGENET,
    LITE,
    Drop,
    ModelError,
    build,
    set_drop_rate,
)
from jobs.training.network.plain import FeaturesError  # noqa: E402

BASE = Path()


@pytest.mark.parametrize(
    ("name", "head", "normalisation"),
    [
        ("resnet10t", "fc.", IMAGENET),
        ("torchvision/mobilenet_v3_small", "classifier.3.", IMAGENET),
        ("torchvision/squeezenet1_1", "classifier.1.", IMAGENET),
        ("efficientnet-lite0", "_fc.", LITE),
    ],
)
def test_a_network_by_name_has_our_classes_a_known_head_and_a_normalisation(
    name: str, head: str, normalisation: object
) -> None:
    if name == "efficientnet-lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
    network = build(name, classes=7, channels=3, base=BASE)
    with torch.no_grad():
        assert network.module.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
    assert network.head_prefix == head
    assert network.head is network.module.get_submodule(head.rstrip("."))
    assert network.pretrained == normalisation


@pytest.mark.parametrize("channels", [1, 13])
@pytest.mark.parametrize("name", ["torchvision/mobilenet_v3_small", "efficientnet-lite0"])
def test_networks_for_rgb_take_other_channels(name: str, channels: int) -> None:
    if name == "efficientnet-lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
    network = build(name, classes=2, channels=channels, base=BASE)
    rgb = build(name, classes=2, channels=3, base=BASE)
    with torch.no_grad():
        assert network.module.eval()(torch.zeros(2, channels, 64, 64)).shape == (2, 2)
    stem, usual = (n.module.get_parameter(n.stem) for n in (network, rgb))
    assert stem.shape[1] == channels
    # What comes out is spread as for RGB: the variance of a sum over channels is the same.
    spread = float(stem.detach().std() / usual.detach().std()) * (channels / 3) ** 0.5
    assert spread == pytest.approx(1, abs=0.15)


def test_gray_pictures_have_the_average_normalisation_and_bands_none() -> None:
    gray = build("resnet10t", classes=2, channels=1, base=BASE).pretrained
    assert gray is not None
    assert gray[0] == pytest.approx((sum(IMAGENET[0]) / 3,))
    assert build("resnet10t", classes=2, channels=4, base=BASE).pretrained is None


@pytest.mark.parametrize(("name", "layers"), [("linear", 1), ("mlp", 2)])
def test_features_have_networks_of_their_own(name: str, layers: int) -> None:
    network = build(name, classes=5, channels=40, base=BASE, drop=Drop(rate=0.5))
    assert network.module.eval()(torch.ones(3, 40, 1, 1)).shape == (3, 5)
    linear = [m for m in network.module.modules() if isinstance(m, torch.nn.Linear)]
    assert len(linear) == layers and linear[-1] is network.head
    with pytest.raises(FeaturesError, match="features, not pictures"):
        network.module(torch.ones(3, 40, 8, 8))


@pytest.mark.parametrize(
    "name",
    [
        "resnet10t",
        "torchvision/mobilenet_v3_small",
        "tests.jobs.training.small_net:Net",
        "mlp",
    ],
)
def test_what_goes_into_the_last_layer_is_dropped_in_training_alone(name: str) -> None:
    size = 1 if name == "mlp" else 32
    plain = build(name, classes=2, channels=3, base=BASE)
    network = build(name, classes=2, channels=3, base=BASE, drop=Drop(rate=0.9))
    assert network.module.state_dict().keys() == plain.module.state_dict().keys()
    given: list[Any] = []
    # Before the head works, after dropout has: the last hook sees what the layer gets.
    assert network.head is not None
    network.head.register_forward_pre_hook(lambda _layer, inputs: given.append(inputs[0]))
    for mode in (True, False):
        network.module.train(mode)(torch.randn(4, 3, size, size))
    dropped, whole = (float((x == 0).float().mean()) for x in given)
    assert dropped > 0.8
    assert dropped > whole + 0.3
    set_drop_rate(network, 0.0)
    network.module.train()(torch.randn(4, 3, size, size))
    assert float((given[-1] == 0).float().mean()) < 0.8
    set_drop_rate(network, None)  # the model's own
    network.module.train()(torch.randn(4, 3, size, size))
    kept = float((given[-1] == 0).float().mean())
    assert kept < 0.8 and network.drop_rate == plain.drop_rate


def test_dropout_before_an_unknown_last_layer_is_refused() -> None:
    net = "tests.jobs.training.small_net:Headless"
    with pytest.raises(ModelError, match="needs to know the last layer"):
        build(net, classes=2, channels=3, base=BASE, drop=Drop(rate=0.5))


@pytest.mark.parametrize("name", ["resnet10t", "torchvision/efficientnet_b0", "efficientnet-lite0"])
def test_stochastic_depth_is_passed_on(name: str) -> None:
    if name == "efficientnet-lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
    network = build(name, classes=2, channels=3, base=BASE, drop=Drop(path=0.7))
    rates = [
        float(getattr(part, "drop_prob", 0.0) or getattr(part, "p", 0.0))
        for part in network.module.modules()
        if type(part).__name__ in ("DropPath", "StochasticDepth")
    ]
    if name == "efficientnet-lite0":
        rates = [network.module._global_params.drop_connect_rate]
    assert max(rates) > 0.6  # the deepest block's; those before it have less


@pytest.mark.parametrize(
    "name", ["vgg11", "torchvision/resnet18", "linear", "tests.jobs.training.small_net:Net"]
)
def test_a_model_without_stochastic_depth_says_which_have_it(name: str) -> None:
    with pytest.raises(ModelError, match="has no stochastic depth") as caught:
        build(name, classes=2, channels=3, base=BASE, drop=Drop(path=0.1))
    assert "convnext_tiny" in str(caught.value)


def test_a_tag_that_timm_does_not_know_is_named() -> None:
    with pytest.raises(ModelError, match="timm cannot make"):
        build("resnet18.no_such_tag", classes=2, channels=3, base=BASE)


def test_a_name_that_no_library_has_is_named() -> None:
    with pytest.raises(ModelError, match="nearest: resnet18"):
        build("resnt18", classes=2, channels=3, base=BASE)


def test_a_missing_import_inside_a_users_module_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imports_nothing_real.py").write_text("import no_such_package\n")
    monkeypatch.setattr("sys.path", ["."])
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        build("imports_nothing_real:Net", classes=2, channels=3, base=tmp_path)
