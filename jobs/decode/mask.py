"""Masks: pictures whose values are class numbers, so none is ever mixed from two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.decode.opening import open_image, orientation_of, reading, turned
from jobs.decode.picture import Wanted
from jobs.decode.shape import canvas_px, content_px, taken
from jobs.decode.unreadable import Unreadable

_NARROW = ("1", "L", "P")
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I")


@dataclass(frozen=True)
class MaskFacts:
    """What a mask is."""

    dtype: str
    """`uint8` or `uint16`: what its values need."""
    turned: bool
    """It says itself how it is to be turned upright."""


def examine_mask(content: bytes, of_px: tuple[int, int]) -> MaskFacts:
    """Raises Unreadable unless it is a mask of an upright picture of `of_px` (width, height)."""
    with reading(content), open_image(content) as image:
        return MaskFacts(_values(image, of_px).dtype.name, orientation_of(image) != 1)
    raise AssertionError("unreachable")


def mask_pictures(content: bytes, wanted: Wanted, of_px: tuple[int, int]) -> list[NDArray[Any]]:
    """(H, W) uint8 or uint16 for each of `wanted.sizes`, as its picture is cut and resized.

    `of_px` is the upright width and height of the picture it belongs to. Palettes are read as
    numbers. Beside a padded picture the mask is 0. Raises Unreadable.
    """
    with reading(content), open_image(content) as image:
        values = _values(image, of_px)
        return [_nearest(values, wanted, size) for size in wanted.sizes]
    raise AssertionError("unreachable")


def _values(image: Image.Image, of_px: tuple[int, int]) -> NDArray[Any]:
    """(H, W) uint8 or uint16, upright."""
    image.load()
    if image.mode not in _NARROW + _WIDE:
        raise Unreadable(f"is a mask of the mode {image.mode}: one number a pixel is wanted")
    values = np.asarray(turned(image, orientation_of(image)))
    if values.shape != (of_px[1], of_px[0]):
        raise Unreadable(
            f"is a mask of {values.shape[1]} × {values.shape[0]} pixels for a picture of "
            f"{of_px[0]} × {of_px[1]}"
        )
    if not 0 <= values.min() <= values.max() < 2**16:
        raise Unreadable("is a mask with values outside of 0..65535")
    return values.astype(np.uint8 if image.mode in _NARROW else np.uint16, copy=False)


def _nearest(values: NDArray[Any], wanted: Wanted, size: int | None) -> NDArray[Any]:
    height, width = values.shape
    across, down = content_px(width, height, wanted.mode, size)
    left, top, right, bottom = taken(float(width), float(height), wanted.mode)
    columns = left + (np.arange(across) + 0.5) * ((right - left) / across)
    rows = top + (np.arange(down) + 0.5) * ((bottom - top) / down)
    picked = values[rows.astype(np.intp)][:, columns.astype(np.intp)]
    canvas = canvas_px(width, height, wanted.mode, size)
    out = np.zeros((canvas[1], canvas[0]), dtype=values.dtype)
    x, y = (canvas[0] - across) // 2, (canvas[1] - down) // 2
    out[y : y + down, x : x + across] = picked
    return out
