"""Weights handed on by name: what fits is copied, the rest is named."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from jobs.fit.handing import HandOnError, hand_on

pytestmark = pytest.mark.torch


def module(width: int, outputs: int) -> nn.Module:
    torch.manual_seed(width)
    parts = {"body": nn.Linear(3, width), "norm": nn.BatchNorm1d(width)}
    return nn.ModuleDict({**parts, "head": nn.Linear(width, outputs)})


def test_what_has_the_same_name_and_shape_is_copied() -> None:
    source, target = module(4, 2), module(4, 5)
    source["norm"].running_mean += 3.0  # type: ignore[operator, index]
    untouched = target["head"].weight.clone()  # type: ignore[union-attr, operator, index]
    handed = hand_on(source.state_dict(), target, ("body.", "norm.", "head."), "first")
    copied = source.state_dict()
    for name in handed.copied:
        assert torch.equal(target.state_dict()[name], copied[name])
    assert "norm.running_mean" in handed.copied
    assert torch.equal(target.state_dict()["head.weight"], untouched)
    assert handed.sentence("first") == (
        "7 tensors (33 values) handed on from first; "
        "not head.weight (shapes 2×4 and 5×4), head.bias (shapes 2 and 5)"
    )


def test_of_many_that_do_not_fit_some_are_named() -> None:
    handed = hand_on(
        {f"a.{n}": torch.zeros(1) for n in range(5)} | {"body.bias": torch.zeros(4)},
        module(4, 2),
        ("a.", "body."),
        "first",
    )
    assert handed.sentence("first").endswith("a.2 (the next module has none) and 2 more")


def test_a_prefix_that_nothing_has_is_an_error_with_names() -> None:
    with pytest.raises(HandOnError) as caught:
        hand_on(module(4, 2).state_dict(), module(4, 2), ("encoder.",), "first")
    assert "body.weight" in str(caught.value)
