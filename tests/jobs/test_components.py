from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.components import fit, scaler, valid_pixels


def pixels_like_a_satellite(offset: int, count: int = 20_000, bands: int = 13) -> np.ndarray:
    draw = np.random.default_rng(1)
    factors = draw.normal(size=(count, 5)) * [20, 14, 10, 7, 5]
    mixing = np.linalg.qr(draw.normal(size=(bands, 5)))[0].T
    values: np.ndarray = offset + factors @ mixing + draw.normal(size=(count, bands))
    pixels: np.ndarray = np.rint(values).astype(np.uint16)
    return pixels


@pytest.mark.parametrize("offset", [2000, 30_000, 60_000])
def test_components_are_those_of_the_exact_covariance(offset: int) -> None:
    pixels = pixels_like_a_satellite(offset)
    found = fit(np.array_split(pixels, 7), bands=13, k=3)
    values, vectors = np.linalg.eigh(np.cov(pixels.T.astype(np.float64)))
    assert np.allclose(found.variance, values[::-1][:3], rtol=1e-10)
    assert np.allclose(found.total_variance, values.sum(), rtol=1e-10)
    assert np.allclose(found.mean, pixels.mean(0), rtol=1e-12)
    exact = vectors[:, ::-1][:, :3].T
    assert np.allclose(np.abs((found.directions * exact).sum(1)), 1, atol=1e-10)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_the_result_does_not_depend_on_how_pixels_are_cut_into_chunks(
    cuts: list[int], seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 4000, (500, 4)).astype(np.uint16)
    whole = fit([pixels], bands=4, k=2)
    parts = fit(np.split(pixels, sorted(set(cuts))), bands=4, k=2)
    assert np.allclose(parts.mean, whole.mean, rtol=1e-12)
    assert np.allclose(parts.variance, whole.variance, rtol=1e-9)
    assert np.allclose(parts.directions, whole.directions, atol=1e-6)


def test_the_largest_entry_of_each_component_is_positive() -> None:
    pixels = pixels_like_a_satellite(2000)
    for flipped in (pixels, 65535 - pixels):
        directions = fit([flipped], bands=13, k=5).directions
        assert (directions[np.arange(5), np.abs(directions).argmax(1)] > 0).all()


def test_scaling_puts_the_mean_in_the_middle_and_clips_at_the_ends() -> None:
    pixels = pixels_like_a_satellite(2000)
    found = fit([pixels], bands=13, k=2)
    scaled = scaler(found, deviations=3)(pixels)
    assert scaled.dtype == np.uint8
    assert abs(scaled.mean() - 127.5) < 1
    assert abs(scaled[:, 0].std() - 127.5 / 3) < 1
    far = found.mean + 10 * np.sqrt(found.variance[0]) * found.directions[0]
    high, middle = scaler(found, deviations=3)(np.array([far]))[0].tolist()
    assert high == 255 and middle in (127, 128)


def test_pixels_without_data_do_not_count() -> None:
    image = np.full((2, 3, 2), 7, dtype=np.uint16)
    image[0, 0, 1] = 0
    assert len(next(valid_pixels([image], 0))) == 5
    assert len(next(valid_pixels([image], None))) == 6


def test_too_few_pixels_have_no_variance() -> None:
    assert fit([np.ones((1, 3))], bands=3, k=2).total_variance == 0
    assert fit([], bands=3, k=2).pixels == 0
