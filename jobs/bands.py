"""Reads a TIFF of measurements: all its bands, in the dtype they were stored in."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.unreadable import Unreadable

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GRAY_OR_RGB = {0: 1, 1: 1, 2: 3}
"""Samples of a pixel without the extra ones, by the tag PhotometricInterpretation."""
_ALPHA = (1, 2)


def is_tiff(content: bytes) -> bool:
    return content[:4] in _MAGIC


def read_bands(content: bytes, max_pixels: int, page: int = 0) -> NDArray[Any] | None:
    """(H, W, C) of one page in native byte order; None where the file is a photo or no TIFF.

    Raises Unreadable where the pixels are too many or not all finite, and whatever tifffile raises
    where they cannot be decoded.
    """
    if not is_tiff(content):
        return None
    import tifffile

    try:
        # Pillow gets what tifffile cannot parse: it may know better, or else says why not.
        file = tifffile.TiffFile(io.BytesIO(content))
        leaf = file.pages[page]
        holds_bands = _holds_bands(leaf)
    except Exception:
        return None
    with file:
        if not holds_bands:
            return None
        if leaf.imagewidth * leaf.imagelength > max_pixels or leaf.nbytes > 8 * max_pixels:
            raise Unreadable(
                f"announces {leaf.imagewidth} × {leaf.imagelength} pixels of "
                f"{leaf.samplesperpixel} bands, {leaf.nbytes:,} bytes"
            )
        pixels: NDArray[Any] = leaf.asarray(maxworkers=1)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    elif leaf.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim != 3:
        raise Unreadable(f"has the axes {leaf.axes}, which are not read")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise Unreadable("holds values that are not finite (NaN or infinity)")
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def _holds_bands(page: Any) -> bool:
    dtype = page.dtype
    colours = _GRAY_OR_RGB.get(int(page.photometric))
    if dtype is None or colours is None:
        return False
    if dtype.kind not in "uif" or page.bitspersample < 8:
        return False
    if dtype.kind == "f" or dtype.kind == "i":
        return True
    if dtype.itemsize > 2:
        return colours == 1  # 32 bits of red mean nothing: left to Pillow, which refuses them
    extra = page.samplesperpixel - colours
    if extra == 1:
        return not page.extrasamples or int(page.extrasamples[0]) not in _ALPHA
    return bool(extra > 1)
