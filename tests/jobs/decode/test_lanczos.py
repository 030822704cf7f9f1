from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from jobs.decode import Wanted, pictures
from jobs.decode.lanczos import resized_exactly
from jobs.decode.unreadable import Unreadable


def packed(pixels: NDArray[Any], size: int) -> NDArray[Any]:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack")
    return pictures(buffer.getvalue(), Wanted((size,), "crop"))[0][:, :, 0]


@pytest.mark.parametrize("size", [(20, 13), (64, 48), (90, 31)])
@pytest.mark.parametrize("box", [(0.0, 0.0, 64.0, 48.0), (8.0, 0.0, 56.0, 48.0)])
def test_it_is_the_lanczos_of_pillow(size: tuple[int, int], box: Any) -> None:
    plane = np.random.default_rng(0).normal(size=(48, 64))
    image = Image.fromarray(plane.astype(np.float32))
    pillow = np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=box))
    assert np.abs(resized_exactly(plane, box, size) - pillow).max() < 1e-5


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int32", 16_777_217), ("int32", -(2**31)), ("uint32", 2**32 - 1), ("float64", 1 + 2**-40)],
)
def test_values_that_thirty_two_bit_floats_cannot_hold_survive(dtype: str, value: float) -> None:
    small = packed(np.full((20, 20), value, dtype=dtype), 7)
    assert small.dtype == np.dtype(dtype)
    assert np.abs(small - np.dtype(dtype).type(value)).max() <= (
        2**-50 if dtype == "float64" else 0
    )


@pytest.mark.parametrize(("dtype", "value"), [("int64", 2**63 - 1), ("uint64", 2**53 + 1)])
def test_whole_numbers_that_no_double_holds_are_refused(dtype: str, value: int) -> None:
    plane = np.full((20, 20), value, dtype=dtype)
    with pytest.raises(Unreadable, match=r"beyond 2\*\*53"):
        resized_exactly(plane, (0.0, 0.0, 20.0, 20.0), (7, 7))


def test_a_part_that_is_not_resized_keeps_nan_where_it_is() -> None:
    plane = np.random.default_rng(0).normal(size=(20, 30))
    plane[10, 15] = np.nan
    part = resized_exactly(plane, (5.0, 0.0, 25.0, 20.0), (20, 20))
    assert np.array_equal(part, plane[:, 5:25], equal_nan=True)
