from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.decode import resizing
from jobs.decode.resizing import resized, resized_image

ROOT = Path(__file__).resolve().parents[3]
PHOTO = min((ROOT / "examples" / "photos" / "data" / "hat").iterdir())
LANCZOS = Image.Resampling.LANCZOS


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture(params=["as it is installed", "by Pillow alone"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "by Pillow alone":
        monkeypatch.setattr(resizing, "rust_lib", None)
    else:
        assert resizing.rust_lib is not None or platform.machine() == "aarch64"


def test_the_numbers_are_those_of_the_library() -> None:
    library = pytest.importorskip("cykooz_resizer")
    assert library.Algorithm.convolution.value == resizing._CONVOLUTION
    assert library.FilterType.lanczos3.value == resizing._LANCZOS
    assert library.PixelType.F32.value == resizing._FLOAT
    assert library.PixelType.U8.value == resizing._UINT8[1]
    assert library.PixelType.U8x3.value == resizing._UINT8[3]


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(64, 64), (50, 131), (700, 640)])
def test_it_is_pillows_lanczos_smaller_and_larger(mode: str, size: tuple[int, int]) -> None:
    with Image.open(PHOTO) as image:
        photo = image.convert(mode)
    box = (10.25, 3.5, photo.width - 7.125, photo.height - 2.0)
    plain = np.asarray(photo.resize(size, LANCZOS, box=box)).reshape(size[1], size[0], -1)
    pixels = np.asarray(photo).reshape(photo.height, photo.width, -1)
    assert decibels(resized(pixels, box, size), plain) > 50
    assert np.array_equal(resized(pixels, box, size), resized_image(photo, box, size))


def test_a_fourth_byte_changes_nothing() -> None:
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB"))
    four = np.dstack(
        [pixels, np.random.default_rng(0).integers(0, 256, pixels.shape[:2], np.uint8)]
    )
    box = (10.25, 3.5, pixels.shape[1] - 7.125, pixels.shape[0] - 2.0)
    whole = (0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0]))
    same = (pixels.shape[1], pixels.shape[0])
    assert np.array_equal(resized(four, box, (64, 50)), resized(pixels, box, (64, 50)))
    assert np.array_equal(resized(four, whole, same), pixels)


def test_planes_of_floats_keep_their_range_and_precision() -> None:
    plane = np.random.default_rng(0).normal(1e4, 3e3, (40, 60)).astype(np.float32)
    plain = np.asarray(Image.fromarray(plane).resize((20, 10), LANCZOS, box=(0, 0, 60, 40)))
    made = resized(plane[:, :, np.newaxis], (0.0, 0.0, 60.0, 40.0), (20, 10))
    assert np.allclose(made[:, :, 0], plain, rtol=1e-5)


def test_nothing_is_resampled_where_nothing_changes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    assert np.array_equal(resized(pixels, (0.0, 0.0, 9.0, 7.0), (9, 7)), pixels)
    image = Image.fromarray(pixels)
    assert np.array_equal(resized_image(image, (0.0, 0.0, 9.0, 7.0), (9, 7)), pixels)
