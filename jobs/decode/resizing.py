"""Resizing by LANCZOS (`cykooz_resizer`): Pillow's filter to 54 dB, in a fifth of its time.

Pillow does it where that library is not installed: it has no wheel for Linux on ARM. See
docs/decisions/0013. The plain classes of its Rust module are used: those around them add nothing
that is needed here.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.decode.shape import Box

try:
    from cykooz_resizer import rust_lib as rust_lib
except ImportError:
    rust_lib = None

LOBES = 3
"""The filter reaches so many pixels of the larger of the two pictures to either side."""
_CONVOLUTION, _LANCZOS = 2, 5
_FLOAT, _UINT8 = 10, {1: 1, 3: 3}
"""Numbers of the library's `Algorithm`, `FilterType` and `PixelType` (F32; U8, U8x3)."""


def resized(pixels: NDArray[Any], box: Box, size: tuple[int, int]) -> NDArray[Any]:
    """(h, w, C) of the part `box` of (H, W, C) uint8, C 1 or 3, or of (H, W, 1) float32.

    `size` is width and height. The box may lie between pixels. With four channels of uint8 the last
    one says nothing, and is left out of the result.
    """
    height, width, channels = pixels.shape
    if channels == 4:
        mode = "RGBX" if rust_lib is None else "RGBA"  # the other one is not known to it
        image = Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
        return resized_image(image, box, size)[:, :, :3]
    if box == (0.0, 0.0, float(width), float(height)) and size == (width, height):
        return pixels
    if rust_lib is None:
        image = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
        return resized_image(image, box, size)
    # Two copies, a tenth of what the resizing takes: of no more than what the filter looks at.
    left, right = _seen(box[0], box[2], size[0], width)
    top, bottom = _seen(box[1], box[3], size[1], height)
    part = pixels[top:bottom, left:right]
    kind = _FLOAT if pixels.dtype == np.float32 else _UINT8[channels]
    source = rust_lib.Image(part.shape[1], part.shape[0], kind, part.tobytes())
    target = rust_lib.Image(*size, kind, None)
    moved = box[0] - left, box[1] - top, box[2] - left, box[3] - top
    rust_lib.RustResizer().resize(source, target, _options(moved))
    flat = np.frombuffer(target.buffer(), dtype=pixels.dtype)
    return flat.reshape(size[1], size[0], channels)


def resized_image(image: Image.Image, box: Box, size: tuple[int, int]) -> NDArray[Any]:
    """The same of a Pillow picture of the mode L or RGB, without copying it."""
    width, height = image.size
    if box != (0.0, 0.0, float(width), float(height)) or size != (width, height):
        if rust_lib is None:
            image = image.resize(size, Image.Resampling.LANCZOS, box=box)
        else:
            small = Image.new(image.mode, size)
            views = rust_lib.PilImageWrapper(image), rust_lib.PilImageWrapper(small)
            rust_lib.RustResizer().resize_pil(*views, _options(box))
            image = small
    return np.asarray(image).reshape(size[1], size[0], -1)


def _seen(begin: float, end: float, count: int, limit: int) -> tuple[int, int]:
    """The pixels that LANCZOS looks at to make `count` of those from `begin` to `end`."""
    reach = ceil(LOBES * max(1.0, (end - begin) / count)) + 1
    return max(0, int(begin) - reach), min(limit, ceil(end) + reach)


def _options(box: Box) -> Any:
    left, top, right, bottom = box
    options = rust_lib.RustResizeOptions().set_resize_alg(_CONVOLUTION, _LANCZOS, 2)
    return options.set_use_alpha(False).set_crop_box(left, top, right - left, bottom - top)
