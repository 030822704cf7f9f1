from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.pca.components import fit
from jobs.pca.valid import Validity


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
    assert np.allclose(found.variances, values[::-1], rtol=1e-10)
    assert np.allclose(found.shares.sum(), 1, rtol=1e-12)
    assert np.allclose(found.deviation, np.sqrt(values[::-1][:3]), rtol=1e-10)
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
    assert np.allclose(parts.variances, whole.variances, rtol=1e-9)
    assert np.allclose(parts.directions, whole.directions, atol=1e-6)


def test_the_largest_entry_of_each_component_is_positive() -> None:
    pixels = pixels_like_a_satellite(2000)
    for flipped in (pixels, 65535 - pixels):
        directions = fit([flipped], bands=13, k=5).directions
        assert (directions[np.arange(5), np.abs(directions).argmax(1)] > 0).all()


def test_the_subspace_is_that_of_float64_to_a_millionth_of_a_degree() -> None:
    pixels = pixels_like_a_satellite(60_000)
    found = fit([pixels], bands=13, k=3).directions
    values = pixels - pixels.mean(0, dtype=np.float64)
    exact = np.linalg.svd(values, full_matrices=False)[2][:3]
    # The sine of the angle: the cosine cannot tell angles below 1e-6 degrees from none.
    sine = np.linalg.norm(found - found @ exact.T @ exact, 2)
    assert np.degrees(np.arcsin(sine)) < 1e-6


def test_small_numbers_are_as_good_as_large_ones() -> None:
    pixels = pixels_like_a_satellite(2000)
    found = fit([(pixels / 10_000).astype(np.float32)], bands=13, k=3)
    whole = fit([pixels], bands=13, k=3)
    assert np.allclose(found.directions, whole.directions, atol=1e-4)
    assert np.allclose(found.deviation * 10_000, whole.deviation, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_pixels_without_data_do_not_count(dtype: str) -> None:
    pixels = pixels_like_a_satellite(2000).astype(dtype)
    holed = pixels.copy()
    holed[::3, 4] = -9999 if dtype != "uint16" else 0
    holed[:5] = holed[0, 4]  # the first pixels too, which the sums are shifted by
    gone = (holed == holed[0, 4]).any(1)
    valid = Validity.of(holed.dtype, float(holed[0, 4]))
    found = fit(np.array_split(holed, 9), bands=13, k=3, valid=valid)
    kept = fit([pixels[~gone]], bands=13, k=3)
    assert (found.pixels, found.masked) == (kept.pixels, gone.sum())
    assert np.allclose(found.variances, kept.variances, rtol=1e-6)
    assert np.allclose(np.abs(found.directions), np.abs(kept.directions), atol=1e-6)


def test_pixels_that_are_not_finite_do_not_count() -> None:
    pixels = pixels_like_a_satellite(2000).astype(np.float32)
    pixels[7, 3], pixels[8, 5], pixels[9, 0] = np.nan, np.inf, -np.inf
    found = fit([pixels], bands=13, k=3, valid=Validity.of(pixels.dtype, None))
    assert found.masked == 3
    kept = fit([np.delete(pixels, [7, 8, 9], axis=0)], bands=13, k=3)
    assert np.allclose(found.variances, kept.variances, rtol=1e-6)


def test_bands_that_depend_on_each_other_have_no_variance_of_their_own() -> None:
    pixels = pixels_like_a_satellite(2000)[:, :4]
    doubled = np.concatenate([pixels, pixels[:, :2]], axis=1)
    variances = fit([doubled], bands=6, k=6).variances
    assert (variances[:4] > 0).all() and (variances[4:] == 0).all()


def test_nothing_valid_has_no_variance() -> None:
    zeros = np.zeros((50, 3), dtype=np.uint8)
    found = fit([zeros], bands=3, k=2, valid=Validity.of(zeros.dtype, 0))
    assert (found.pixels, found.masked, found.variances.sum()) == (0, 50, 0)


def test_too_few_pixels_have_no_variance() -> None:
    assert fit([np.ones((1, 3))], bands=3, k=2).variances.sum() == 0
    assert fit([], bands=3, k=2).pixels == 0
    assert fit([], bands=3, k=2).shares.tolist() == [0, 0, 0]
