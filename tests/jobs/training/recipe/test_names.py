from __future__ import annotations

from importlib.util import find_spec

import pytest

from jobs.training.recipe.names import library_models, library_of, unknown_model

pytestmark = pytest.mark.skipif(
    find_spec("timm") is None or find_spec("torchvision") is None, reason="needs the extra `train`"
)


@pytest.mark.torch
def test_the_names_read_from_the_sources_are_those_that_the_libraries_list() -> None:
    import timm
    from torchvision import models

    assert library_models("timm") == set(timm.list_models())
    classifiers = {name for name in models.list_models(module=models) if "quantized" not in name}
    assert library_models("torchvision") == classifiers


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("resnet18", ("timm", "resnet18")),
        ("resnet18.a1_in1k", ("timm", "resnet18.a1_in1k")),
        ("torchvision/resnet18", ("torchvision", "resnet18")),
        ("shufflenet_v2_x0_5", ("torchvision", "shufflenet_v2_x0_5")),
        ("timm/shufflenet_v2_x0_5", None),
        ("fasterrcnn_resnet50_fpn", None),
        ("jax/resnet18", None),
    ],
)
def test_a_name_stands_for_a_model_of_one_library(name: str, found: tuple[str, str] | None) -> None:
    assert library_of(name) == found


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    assert "efficientnet-lite0" in str(unknown_model("efficientnet-lite"))
    assert unknown_model("my_module:Net") is None
    assert unknown_model("efficientnet-lite0") is None


def test_a_library_that_is_not_installed_has_no_models() -> None:
    assert library_models("no_such_library") == frozenset()
