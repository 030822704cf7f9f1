"""Brings any mode of Pillow's to 8 bits of gray or RGB, on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from jobs.decode.tiff import is_deep_png
from jobs.decode.unreadable import Unreadable

_BITS_PER_SAMPLE = 258
_STRIP_PIXELS = 2**20
_WIDE_GRAY = ("I;16", "I;16B", "I;16L", "I;16N")
_CONVERTIBLE = frozenset(
    ("1", "L", "P", "RGB", "RGBX", "RGBA", "RGBa", "LA", "La", "PA", "CMYK", "YCbCr", "LAB", "HSV")
).union(_WIDE_GRAY)


def refuse_mode(image: Image.Image) -> None:
    """Raises Unreadable where a picture is of a mode that is no photo."""
    if image.mode not in _CONVERTIBLE:
        raise Unreadable(f"pictures of the mode {image.mode} are not read")


def has_sixteen_bits(content: bytes, image: Image.Image) -> bool:
    """More than 8 bits a value in the file, whatever Pillow made of them."""
    if is_deep_png(content):
        return True
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
    return image.mode in _WIDE_GRAY or max(bits) > 8


def flattened(image: Image.Image) -> Image.Image:
    """8 bits without transparency: of the mode L where there is no colour, else RGB.

    RGBA is laid on white in place and stays RGBA, opaque: a copy of the largest would take half a
    gigabyte.
    """
    if image.mode == "RGBA":
        for box in _strips(image):
            image.paste(_on_white(image.crop(box)), box)
        return image
    if image.mode in _WIDE_GRAY:
        # Pillow's own conversion clips: everything above 255 turns white.
        top = 2 ** _bits(image) - 1
        narrow = np.empty((image.height, image.width), dtype=np.uint8)
        for box in _strips(image):
            values = np.asarray(image.crop(box)).astype(np.uint32)
            narrow[box[1] : box[3]] = ((values * 255 + top // 2) // top).clip(0, 255)
        return Image.fromarray(narrow)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted: Any = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # only an in-place conversion gives None
        return converted  # type: ignore[no-any-return]
    if image.has_transparency_data:
        flat = Image.new("RGB", image.size)
        for box in _strips(image):
            flat.paste(_on_white(image.crop(box)), box)
        return flat
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    straight = image.convert("LA") if image.mode == "La" else image
    layer = straight.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    white.alpha_composite(layer)
    return white


def _strips(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes that are done one after the other, so that no further copy is made of the whole."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _bits(image: Image.Image) -> int:
    """Bits of a wide gray picture: a TIFF of 12 bits is stored in 16."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return bits if 8 < bits <= 16 else 16
