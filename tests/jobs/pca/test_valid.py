from __future__ import annotations

import numpy as np
import pytest

from jobs.pca.valid import Validity


@pytest.mark.parametrize("nodata", [None, 0.5, -1, 70_000, 1e30])
def test_whole_numbers_are_all_valid_without_a_value_that_they_can_have(
    nodata: float | None,
) -> None:
    assert Validity.of(np.dtype("uint16"), nodata) is None


def test_one_band_without_data_makes_the_pixel_invalid() -> None:
    valid = Validity.of(np.dtype("uint8"), 0)
    assert valid is not None
    pixels = np.array([[1, 2], [0, 2], [3, 0], [0, 0]], dtype=np.uint8)
    assert valid(pixels).tolist() == [True, False, False, False]
    assert valid.only(pixels).tolist() == [[1, 2]]


def test_a_decimal_means_the_float_that_it_stands_for() -> None:
    pixels = np.array([[-3.4028235e38, 1], [2, np.nan], [np.inf, 3], [4, 5]], dtype=np.float32)
    valid = Validity.of(pixels.dtype, -3.40282346639e38)
    assert valid is not None
    assert valid(pixels).tolist() == [False, False, False, True]


def test_where_all_are_valid_nothing_is_copied() -> None:
    pixels = np.ones((4, 2), dtype=np.float32)
    valid = Validity.of(pixels.dtype, None)
    assert valid is not None and valid.only(pixels) is pixels
