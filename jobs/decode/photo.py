"""Brings any mode of Pillow's to 8 bits of gray or RGB, on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageCms

from jobs.decode.unreadable import Unreadable

_BITS_PER_SAMPLE = 258
_WIDE_GRAY = ("I;16", "I;16B", "I;16L", "I;16N")
_CONVERTIBLE = frozenset(
    ("1", "L", "P", "RGB", "RGBX", "RGBA", "RGBa", "LA", "La", "PA", "CMYK", "YCbCr", "LAB", "HSV")
).union(_WIDE_GRAY)


def refuse_mode(image: Image.Image) -> None:
    """Raises Unreadable where a picture is of a mode that is no photo."""
    if image.mode not in _CONVERTIBLE:
        raise Unreadable(f"pictures of the mode {image.mode} are not read")


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB with 8 bits of any photo: 16 bits by their range, transparency on white."""
    flat = flattened(image)
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def to_gray(image: Image.Image) -> Image.Image:
    """The same as brightness (ITU-R 601, as in a JPEG), in the mode L."""
    flat = flattened(image)
    return flat if flat.mode == "L" else flat.convert("L")


def flattened(image: Image.Image) -> Image.Image:
    """8 bits without transparency, of the mode L where there is no colour, else RGB."""
    if image.mode in _WIDE_GRAY:
        # Pillow's own conversion clips: everything above 255 turns white.
        top = 2 ** _bits(image) - 1
        values = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((values * 255 + top // 2) // top).clip(0, 255).astype(np.uint8))
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted: Any = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # only an in-place conversion gives None
        return converted  # type: ignore[no-any-return]
    if image.has_transparency_data:
        straight = image.convert("LA") if image.mode == "La" else image
        layer = straight.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
        return image.convert("RGB")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image if image.mode == "RGB" else image.convert("RGB")


def _bits(image: Image.Image) -> int:
    """Bits of a wide gray picture: a TIFF of 12 bits is stored in 16."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return bits if 8 < bits <= 16 else 16
