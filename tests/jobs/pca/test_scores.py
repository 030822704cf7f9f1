from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.pca.components import Components, fit
from jobs.pca.scores import Kind, Projection, Scaling, scaling_of
from jobs.pca.valid import Validity
from jobs.rewriting.float16 import TooLarge


def pixels_of_five_bands(dtype: str = "uint16") -> NDArray[Any]:
    draw = np.random.default_rng(1)
    factors = draw.normal(size=(20_000, 3)) * [300, 100, 40]
    mixing = np.linalg.qr(draw.normal(size=(5, 3)))[0].T
    values: NDArray[Any] = np.rint(3000 + factors @ mixing + draw.normal(size=(20_000, 5)))
    return values.astype(dtype)


def stored(
    pixels: NDArray[Any], dtype: Kind, k: int = 2, nodata: float | None = None, **how: Any
) -> tuple[NDArray[Any], Components, Scaling]:
    valid = Validity.of(pixels.dtype, nodata)
    components = fit([pixels], bands=5, k=k, valid=valid)
    chosen = {"whiten": True, "deviations": 3.0, **how}
    scaling = scaling_of(components, dtype, masked=valid is not None, **chosen)
    return Projection(components, scaling, valid)(pixels), components, scaling


def test_scaling_puts_the_mean_in_the_middle_and_clips_at_the_ends() -> None:
    pixels = pixels_of_five_bands()
    values, found, scaling = stored(pixels, "uint8")
    assert values.dtype == np.uint8
    assert abs(values.mean() - 127.5) < 1
    assert np.allclose(values.std(0), 127.5 / 3, atol=1)
    far = np.array([found.mean + 10 * found.deviation[0] * found.directions[0]])
    high, middle = Projection(found, scaling, None)(far)[0].tolist()
    assert high == 255 and middle in (127, 128)


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_what_is_stored_can_be_undone_to_half_a_step(dtype: Kind, whiten: bool) -> None:
    pixels = pixels_of_five_bands()
    values, found, scaling = stored(pixels, dtype, whiten=whiten, deviations=6.0)
    scores = (values.astype(np.float64) - scaling.middle) * scaling.step
    exact = (pixels - found.mean) @ found.directions.T
    off = {"uint8": 0.5, "float16": 0.5, "float32": 1e-4}[dtype]
    assert (np.abs(scores - exact) <= off * scaling.step + 1e-9).all()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_whitened_components_vary_alike_and_others_as_the_bands_do(dtype: Kind) -> None:
    values, _found, _ = stored(pixels_of_five_bands(), dtype)
    assert np.allclose(values.astype(np.float64).std(0), 1, atol=2e-3)
    values, found, _ = stored(pixels_of_five_bands(), dtype, whiten=False)
    assert np.allclose(values.astype(np.float64).std(0), found.deviation, rtol=2e-3)


def test_without_whitening_uint8_keeps_the_proportions_of_the_components() -> None:
    values, found, _ = stored(pixels_of_five_bands(), "uint8", whiten=False)
    spread = values.std(0)
    assert np.allclose(spread[1] / spread[0], found.deviation[1] / found.deviation[0], rtol=0.05)


def test_a_pixel_without_data_is_zero_and_no_other_is() -> None:
    pixels = pixels_of_five_bands()
    pixels[::7, 2] = 0
    pixels[1::7] += 30_000  # far below or above the others in some component
    values, _, _ = stored(pixels, "uint8", nodata=0)
    assert (values[::7] == 0).all()
    assert (np.delete(values, slice(None, None, 7), axis=0) > 0).all()


def test_a_pixel_that_is_not_finite_is_the_mean_in_floats() -> None:
    pixels = pixels_of_five_bands("float32")
    pixels[5, 1], pixels[6, 0] = np.nan, np.inf
    values, _, _ = stored(pixels, "float32")
    assert np.isfinite(values).all()
    assert (values[5:7] == 0).all() and (values[7] != 0).all()


def test_a_component_without_variance_is_stored_as_the_middle() -> None:
    pixels = pixels_of_five_bands()
    pixels[:, 3:] = pixels[:, :2]
    values, _, scaling = stored(pixels, "float32", k=5)
    assert scaling.step[3:].tolist() == [0, 0]
    assert (values[:, 3:] == 0).all() and values[:, :3].std() > 0.9


def test_float16_says_where_it_ends() -> None:
    pixels = pixels_of_five_bands("float32") * 1000
    with pytest.raises(TooLarge):
        stored(pixels, "float16", whiten=False)
    assert np.isfinite(stored(pixels, "float16")[0]).all()
