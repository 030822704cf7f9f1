from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from jobs.pages.thumbnails import SIDE, data_uri


def opened(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def test_a_small_colour_picture_is_shown_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(opened(data_uri(pixels, [0] * 3, [1] * 3))), pixels)


def test_a_large_picture_is_reduced() -> None:
    assert opened(data_uri(np.zeros((300, 300, 3), np.uint8), [0] * 3, [1] * 3)).width == SIDE


def test_a_wide_picture_keeps_its_shape() -> None:
    shown = opened(data_uri(np.zeros((100, 400, 3), np.uint8), [0] * 3, [1] * 3))
    assert shown.size == (SIDE, SIDE // 4)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (13, "RGB")])
def test_bands_are_spread_over_the_visible_range(channels: int, mode: str) -> None:
    pixels = np.random.default_rng(0).normal(2000, 300, (24, 24, channels)).astype(np.uint16)
    image = opened(data_uri(pixels, [2000.0] * channels, [300.0] * channels))
    assert image.mode == mode
    shown = np.asarray(image)
    assert abs(shown.mean() - 127.5) < 6 and 40 < shown.std() < 60
