from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.decode import MaskFacts, Mode, Wanted, examine_mask, mask_pictures, pictures
from jobs.decode.unreadable import Unreadable


def encoded(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("size", [16, 33, 100])
def test_a_mask_lies_on_its_picture_and_holds_no_new_values(mode: Mode, size: int) -> None:
    values = np.zeros((40, 60), dtype=np.uint8)
    values[8:24, 20:44] = 200
    wanted = Wanted((size,), mode)
    (mask,) = mask_pictures(encoded(values), wanted, of_px=(60, 40))
    (photo,) = pictures(encoded(values), wanted)
    assert mask.shape == (size, size) and mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 200}
    differs = (photo[:, :, 0] > 100) != (mask == 200)
    assert differs.mean() < 0.03


def test_a_palette_is_read_as_numbers() -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 3)
    image = image.convert("P")
    image.putdata([n % 3 for n in range(64)])
    image.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    (mask,) = mask_pictures(buffer.getvalue(), Wanted((8,), "stretch"), of_px=(8, 8))
    assert mask.ravel().tolist() == [n % 3 for n in range(64)]


def test_sixteen_bits_stay_sixteen_bits() -> None:
    values = np.full((4, 4), 40_000, dtype=np.uint16)
    assert examine_mask(encoded(values), (4, 4)) == MaskFacts("uint16", turned=False)
    (mask,) = mask_pictures(encoded(values), Wanted((2,), "crop"), of_px=(4, 4))
    assert mask.dtype == np.uint16 and (mask == 40_000).all()
    assert examine_mask(encoded(values.astype(np.uint8)), (4, 4)).dtype == "uint8"


def test_a_mask_in_colours_is_refused() -> None:
    with pytest.raises(Unreadable, match="mode RGB"):
        mask_pictures(encoded(np.zeros((4, 4, 3), np.uint8)), Wanted((2,), "crop"), of_px=(4, 4))


def test_a_mask_of_another_size_than_its_picture_is_refused() -> None:
    with pytest.raises(Unreadable, match="4 × 6 pixels for a picture of 6 × 4"):
        mask_pictures(encoded(np.zeros((6, 4), np.uint8)), Wanted((2,), "crop"), of_px=(6, 4))
