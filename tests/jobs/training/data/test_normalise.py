"""Normalised pictures, however they lie in memory."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

MEAN, STD = (120.0, 110.5, 99.9), (50.0, 61.0, 0.0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("channels_last", [True, False])
def test_every_layout_gives_the_same_numbers_and_leaves_the_picture(
    channels: int, dtype: Any, channels_last: bool
) -> None:
    from jobs.training.data.normalise import Normalise

    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, channels, 5, 7), generator=draw).to(dtype)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    given = images.contiguous(memory_format=layout)
    mean = torch.tensor(MEAN[:channels]).reshape(1, -1, 1, 1)
    std = torch.tensor([s or 1.0 for s in STD[:channels]]).reshape(1, -1, 1, 1)
    out = Normalise(MEAN[:channels], STD[:channels])(given)
    assert torch.equal(out, (images.float() - mean) / std)
    assert torch.equal(given, images)
    assert out.is_contiguous(memory_format=layout)


IMAGENET = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)


def test_photographs_are_near_to_what_weights_expect_and_white_pages_far() -> None:
    from jobs.training.data.normalise import apart

    near = apart(((130.0, 120.0, 110.0), (70.0, 70.0, 70.0)), IMAGENET)
    assert not near.far and near.shift < 0.2
    bright = apart(((130.0, 120.0, 230.0), (70.0, 70.0, 70.0)), IMAGENET)
    assert bright.far and bright.shift == pytest.approx((230 - 103.5) / 57.4)
    assert "have mean 130 120 230" in bright.sentence and "2.2 deviations apart" in bright.sentence
    flat = apart(((130.0, 120.0, 110.0), (10.0, 60.0, 60.0)), IMAGENET)
    assert flat.far and "5.8 × narrower" in flat.sentence
    constant = apart(((130.0, 120.0, 110.0), (0.0, 60.0, 60.0)), IMAGENET)
    assert constant.far
