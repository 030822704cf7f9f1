from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from jobs.training.network.model import IMAGENET, LITE, ModelError, build  # noqa: E402

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


@pytest.mark.parametrize("name", ["torchvision/resnet18", "efficientnet-lite0"])
def test_a_network_of_three_channels_refuses_thirteen(name: str) -> None:
    with pytest.raises(ModelError, match="3 channels") as caught:
        build(name, classes=2, channels=13, base=BASE)
    assert "pca" in str(caught.value)


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
