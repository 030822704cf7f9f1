"""JPEG by libjpeg-turbo (`simplejpeg`): decodes faster than Pillow, at a smaller scale on demand.

Whatever it does not take (CMYK, a decoder's warning, bytes that are no JPEG) is left to Pillow:
the functions answer None. See docs/decisions/0013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from jobs.decode.opening import open_image, orientation_of, reading, refuse_size

MAPPED_BYTES = 32 * 2**20
_START = b"\xff\xd8\xff"
_APP1, _START_OF_SCAN, _END = 0xE1, 0xDA, 0xD9
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length."""


@dataclass(frozen=True)
class Header:
    """A JPEG as it is stored, not yet turned upright."""

    width: int
    height: int
    gray: bool
    orientation: int


@dataclass(frozen=True)
class Decoded:
    pixels: NDArray[np.uint8]
    """(h, w, C): C is 1 or 3, or 4 for RGB with a byte that says nothing, where it is large."""
    extent: tuple[float, float]
    """Width and height that the picture has in it. A scaled size is rounded up; taken as the extent
    it would shift and stretch the picture."""


def read_header(content: bytes) -> Header | None:
    """None where Pillow shall read it. Raises Unreadable."""
    if not content.startswith(_START):
        return None
    try:
        height, width, colours, _subsampling = simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return None
    if colours not in ("Gray", "YCbCr", "RGB"):
        return None
    refuse_size(width, height)
    # Pillow knows all the ways to be turned, but opening is a tenth of decoding a small picture.
    orientation = 1
    if _may_be_turned(content):
        with reading(content):
            orientation = orientation_of(open_image(content))
    return Header(width, height, colours == "Gray", orientation)


def decode(
    content: bytes, header: Header, *, gray: bool, least_px: tuple[int, int]
) -> Decoded | None:
    """The whole picture at the smallest scale n/8 that gives at least `least_px` (width, height).

    Scales between 1/2 and 1 are not used: they take longer than 1. None where the decoder found
    anything wrong: what is harmless and what is cut short is Pillow's to say.
    """
    width, height = least_px
    halves = width <= -(-header.width // 2) and height <= -(-header.height // 2)
    # Three bytes a pixel are copied twice to be resized. A fourth byte costs more than that, up to
    # where malloc maps every buffer anew.
    large = 3 * header.width * header.height // (4 if halves else 1) > MAPPED_BYTES
    try:
        pixels: NDArray[Any] = simplejpeg.decode_jpeg(
            content,
            "GRAY" if gray else "RGBX" if large else "RGB",
            min_width=width if halves else header.width,
            min_height=height if halves else header.height,
            min_factor=1,
        )
    except ValueError:
        return None
    eighths = round(8 * max(pixels.shape[:2]) / max(header.width, header.height))
    return Decoded(pixels, (header.width * eighths / 8, header.height * eighths / 8))


def _may_be_turned(content: bytes) -> bool:
    """Whether there is an APP1 segment (EXIF, XMP) before the pixels, or no telling."""
    position = 2
    while position + 4 <= len(content):
        if content[position] != 0xFF:
            return True
        marker = content[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _BARE:
            position += 2
        elif marker in (_START_OF_SCAN, _END):
            return False
        elif marker == _APP1:
            return True
        else:
            position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return True
