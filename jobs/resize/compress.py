"""Packed pictures kept as JPEG or WebP: smaller, and not quite the same. How much is measured."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from skint.dataset.canvas import Canvas
from skint.dataset.codec import COLOURS, decode
from skint.moments import channel_sums

Format = Literal["jpeg", "webp"]


@dataclass(frozen=True)
class Compressor:
    """Compresses the pictures of one size. It may be pickled to other processes."""

    format: Format
    quality: int
    sums: Canvas
    """(N, 2, C), of the pixels that a reader will see."""
    errors: Canvas
    """(N,) uint64: the sum of the squared differences to the uncompressed pixels."""
    masks: Mapping[str, Canvas] = field(default_factory=dict)

    def compressed(
        self, row: int, picture: NDArray[np.uint8], masks: Mapping[str, NDArray[np.generic]]
    ) -> bytes:
        """The bytes of (H, W, C), C 1 or 3; what is known of them is put into the row."""
        content = encode(picture, self.format, self.quality)
        seen = decode(
            np.frombuffer(content, dtype=np.uint8), self.format, picture.shape, f"picture {row}"
        )
        self.sums.put(row, channel_sums(seen))
        difference = seen.astype(np.int32) - picture
        total = np.square(difference, out=difference).sum(dtype=np.uint64)
        self.errors.put(row, np.asarray(total))
        for target, mask in masks.items():
            canvas = self.masks[target]
            canvas.put(row, mask.astype(canvas.dtype, copy=False))
        return content


def encode(picture: NDArray[np.uint8], format: Format, quality: int) -> bytes:
    """One (H, W, C) uint8, C 1 or 3. Colours at half the size (4:2:0), as WebP has them too."""
    channels = picture.shape[2]
    if format == "jpeg":
        pixels = np.ascontiguousarray(picture)
        return bytes(simplejpeg.encode_jpeg(pixels, quality, COLOURS[channels], "420"))
    buffer = io.BytesIO()
    image = Image.fromarray(picture if channels == 3 else picture[:, :, 0])
    image.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def psnr_db(squared_error: int, values: int) -> float:
    """Peak signal to noise ratio of 8-bit values, in decibels; infinite where nothing differs."""
    if not squared_error:
        return math.inf
    return 10 * math.log10(255**2 * values / squared_error)
