"""Compressed pictures of a packed set: one JPEG or WebP to pixels."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.error import DatasetError
from skint.dataset.meta import Codec

COLOURS = {1: "GRAY", 3: "RGB"}
"""What can be compressed, by the number of channels."""


def decode(
    content: NDArray[np.uint8], codec: Codec, shape: tuple[int, int, int], where: str
) -> NDArray[np.uint8]:
    """(H, W, C) uint8 of the bytes `content`; raises DatasetError unless they hold that shape."""
    if shape[2] not in COLOURS:
        raise DatasetError(
            "compressed pictures have 1 or 3 channels", where=where, got=f"{shape[2]} channels"
        )
    try:
        pixels = _jpeg(content, shape[2]) if codec == "jpeg" else _webp(content, shape[2])
    except (ValueError, OSError) as error:
        raise DatasetError("a picture is damaged", where=where, got=error) from error
    if pixels.shape != shape:
        raise DatasetError(
            "a picture is not the one that the index describes",
            where=where,
            got=str(pixels.shape),
            wanted=str(shape),
        )
    return pixels


def _jpeg(content: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    import simplejpeg

    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(content, colorspace=COLOURS[channels])
    return pixels


def _webp(content: NDArray[np.uint8], channels: int) -> NDArray[Any]:
    from PIL import Image

    with Image.open(BytesIO(content.data), formats=["WEBP"]) as image:
        pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return pixels.reshape(*pixels.shape[:2], channels)
