"""What a picture is, found by decoding the whole of it, so that one cut short is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.decode.jpeg import decode, read_header
from jobs.decode.opening import (
    ALL_PAGES,
    MAX_PIXELS,
    is_sideways,
    open_image,
    orientation_of,
    reading,
    turned,
)
from jobs.decode.photo import flattened, has_sixteen_bits, refuse_mode
from jobs.decode.tiff import Pages, SixteenBits, read_bands


@dataclass(frozen=True)
class Facts:
    """What a picture is, upright."""

    width: int
    height: int
    channels: int
    """Once packed: 3 for every photo, else the number of bands."""
    dtype: str
    """Once packed: `uint8` for every photo, else the dtype of the bands."""
    orientation: int = 1
    """1 to 8, as EXIF counts: how the stored picture was turned to be upright."""
    levels: int | None = None
    """Of a photo of 16 bits: how many of the 255 levels of its 8 bits are used, up to the level
    that one value of a thousand exceeds."""


def examine(content: bytes) -> Facts:
    """Of its first page. Raises Unreadable."""
    return _seen(content, 0, 1, "auto")[0]


def glance(
    content: bytes, side_px: int, page: int = 0, sixteen_bits: SixteenBits = "auto"
) -> tuple[Facts, NDArray[np.uint8]]:
    """The facts, and the whole picture in gray on (side_px, side_px) uint8, from one decoding.

    Bands are shown by their mean, from their least to their greatest value. Raises Unreadable.
    """
    # At less than twice the side, what the small picture shows depends on the scale it comes from.
    facts, gray = _seen(content, page, 2 * side_px, sixteen_bits)
    with reading(content):
        small = gray.resize((side_px, side_px), Image.Resampling.BILINEAR)
        return facts, np.asarray(small)
    raise AssertionError("unreachable")


def _seen(
    content: bytes, page: int, least_px: int, sixteen_bits: SixteenBits
) -> tuple[Facts, Image.Image]:
    """The facts and a gray picture, upright; it may be smaller, yet no side below `least_px`."""
    with reading(content):
        header = read_header(content) if not page else None
        if header is not None:
            # The scale 1/8 reads every byte of a JPEG and skips most of the arithmetic.
            decoded = decode(content, header, gray=True, least_px=(least_px, least_px))
            if decoded is not None:
                image = Image.fromarray(decoded.pixels[:, :, 0])
                return _photo(header.width, header.height, image, header.orientation)
        pages: Pages = "bands" if page == ALL_PAGES else page
        bands = read_bands(content, MAX_PIXELS, pages, sixteen_bits)
        if bands is not None:
            height, width, channels = bands.shape
            return Facts(width, height, channels, bands.dtype.name), _visible(bands)
        with open_image(content, page) as image:
            width, height = image.size
            before = orientation_of(image)
            image.draft(image.mode, (least_px, least_px))
            drafted = image.size != (width, height)
            image.load()
            refuse_mode(image)
            if not drafted:
                width, height = image.size  # a TIFF turns itself upright while it loads
            orientation = orientation_of(image)
            flat = flattened(image)
            levels = _levels(flat) if has_sixteen_bits(content, image) else None
            facts, upright = _photo(width, height, flat.convert("L"), orientation)
            return replace(facts, orientation=before, levels=levels), upright
    raise AssertionError("unreachable")


def _photo(
    width: int, height: int, image: Image.Image, orientation: int
) -> tuple[Facts, Image.Image]:
    if is_sideways(orientation):
        width, height = height, width
    return Facts(width, height, 3, "uint8", orientation), turned(image, orientation)


def _levels(image: Image.Image) -> int:
    counts = np.array(image.histogram()).reshape(-1, 256)[:3].sum(0)  # without transparency
    below = np.cumsum(counts)
    return int(np.searchsorted(below, below[-1] - below[-1] // 1000))


def _visible(bands: NDArray[Any]) -> Image.Image:
    mean = np.nan_to_num(bands.mean(axis=2, dtype=np.float64), posinf=0, neginf=0)
    least, greatest = float(mean.min()), float(mean.max())
    scaled = (mean - least) * (255 / max(greatest - least, 1e-12))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))
