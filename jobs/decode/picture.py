"""A picture as it is packed: decoded once, and resized to each of the sizes that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.decode.jpeg import decode, read_header
from jobs.decode.lanczos import resized_exactly
from jobs.decode.opening import (
    ALL_PAGES,
    MAX_PIXELS,
    is_sideways,
    open_image,
    orientation_of,
    reading,
    turned,
)
from jobs.decode.photo import flattened, refuse_mode
from jobs.decode.resizing import resized, resized_image
from jobs.decode.shape import Colour, Mode, canvas_px, content_px, taken
from jobs.decode.tiff import Pages, SixteenBits, read_bands

SMALL_PIXELS = 2**19
OVERSAMPLE_HALVES = {True: 9, False: 6}
"""JPEGs are decoded at the smallest scale of at least so many halves of the target, by whether they
are small. What a scale loses are fine stripes and letters: a photo full of them has 40 dB at two
and a half times the target, and 43 at three, where others have more than 50. Small pictures have
more of them to a pixel, and cost little.
"""


@dataclass(frozen=True)
class Wanted:
    """What is to become of every picture."""

    sizes: tuple[int | None, ...]
    """Sides in pixels; None is the picture's own size, with `keep` only."""
    mode: Mode
    colour: Colour = "rgb"
    fill: int = 0
    """What `pad` puts beside a picture, in stored units."""
    sixteen_bits: SixteenBits = "auto"


def pictures(content: bytes, wanted: Wanted, page: int = 0) -> list[NDArray[Any]]:
    """(H, W, C) for each of `wanted.sizes`, upright: uint8, or bands in their own dtype.

    Filter: LANCZOS over the true extent. Raises Unreadable.
    """
    made = _of_jpeg(content, wanted) if not page else None
    if made is not None:
        return made
    with reading(content):
        pages: Pages = "bands" if page == ALL_PAGES else page
        bands = read_bands(content, MAX_PIXELS, pages, wanted.sixteen_bits)
        if bands is not None:
            return _of_bands(bands, wanted)
        with open_image(content, page) as image:
            return _of_image(image, wanted)
    raise AssertionError("unreachable")


def _of_jpeg(content: bytes, wanted: Wanted) -> list[NDArray[Any]] | None:
    """None where Pillow shall read it."""
    header = read_header(content)
    if header is None:
        return None
    upright = _swapped((header.width, header.height), header.orientation)
    decoded = decode(
        content,
        header,
        gray=header.gray or wanted.colour != "rgb",
        least_px=_swapped(_least_px(*upright, wanted), header.orientation),
    )
    if decoded is None:
        return None
    box = taken(*decoded.extent, wanted.mode)
    return [
        _finished(
            resized(decoded.pixels, box, _swapped(target, header.orientation)),
            header.orientation,
            wanted,
            canvas_px(*upright, wanted.mode, size),
        )
        for size, target in _targets(*upright, wanted)
    ]


def _of_image(image: Image.Image, wanted: Wanted) -> list[NDArray[Any]]:
    stored = image.size
    # A TIFF turns itself upright while it loads, and no other kind is drafted but a JPEG.
    drafts = image.format in ("JPEG", "MPO")
    if drafts:
        before = orientation_of(image)
        least = _least_px(*_swapped(stored, before), wanted)
        image.draft(image.mode, _swapped(least, before))
    eighths = round(8 * max(image.size) / max(stored))
    image.load()
    refuse_mode(image)
    extent = (stored[0] * eighths / 8, stored[1] * eighths / 8) if drafts else image.size
    if not drafts:
        stored = image.size
    orientation = orientation_of(image)
    upright = _swapped(stored, orientation)
    # What has no colour gets its three channels when it is small.
    flat = flattened(image)
    if wanted.colour != "rgb" and flat.mode != "L":
        flat = flat.convert("L")
    box = taken(float(extent[0]), float(extent[1]), wanted.mode)
    return [
        _finished(
            resized_image(flat, box, _swapped(target, orientation))[:, :, :3],
            orientation,
            wanted,
            canvas_px(*upright, wanted.mode, size),
        )
        for size, target in _targets(*upright, wanted)
    ]


def _of_bands(bands: NDArray[Any], wanted: Wanted) -> list[NDArray[Any]]:
    height, width, channels = bands.shape
    box = taken(float(width), float(height), wanted.mode)
    made = []
    for size, target in _targets(width, height, wanted):
        if target == (width, height) and box == (0.0, 0.0, width, height):
            out = bands
        else:
            out = np.empty((target[1], target[0], channels), dtype=bands.dtype)
            for channel in range(channels):
                out[:, :, channel] = _plane(bands[:, :, channel], box, target)
        made.append(_padded(out, wanted, canvas_px(width, height, wanted.mode, size)))
    return made


def _plane(plane: NDArray[Any], box: tuple[float, ...], size: tuple[int, int]) -> NDArray[Any]:
    left, top, right, bottom = box
    if plane.dtype.itemsize > 2 and plane.dtype != np.float32:
        return resized_exactly(plane, (left, top, right, bottom), size)
    single = np.ascontiguousarray(plane, dtype=np.float32)[:, :, np.newaxis]
    values = resized(single, (left, top, right, bottom), size)[:, :, 0]
    if plane.dtype.kind in "ui":
        limits = np.iinfo(plane.dtype)
        return np.rint(values.astype(np.float64)).clip(limits.min, limits.max)
    return values


def _targets(width: int, height: int, wanted: Wanted) -> list[tuple[int | None, tuple[int, int]]]:
    """Each size with the width and height that the upright picture itself gets in it."""
    return [(size, content_px(width, height, wanted.mode, size)) for size in wanted.sizes]


def _least_px(width: int, height: int, wanted: Wanted) -> tuple[int, int]:
    """The least width and height to decode an upright picture at, for the largest of the sizes."""
    sizes = [target for _size, target in _targets(width, height, wanted)]
    across, down = max(w for w, _ in sizes), max(h for _, h in sizes)
    if wanted.mode == "crop":
        # The square is a part only of the longer side.
        side = min(width, height)
        across, down = -(-across * width // side), -(-down * height // side)
    halves = OVERSAMPLE_HALVES[width * height <= SMALL_PIXELS]
    least_across, least_down = (-(-halves * side // 2) for side in (across, down))
    return min(least_across, width), min(least_down, height)


def _finished(
    pixels: NDArray[Any], orientation: int, wanted: Wanted, canvas: tuple[int, int]
) -> NDArray[Any]:
    """Turned, with the channels that are wanted, on its square."""
    if orientation != 1:
        flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
        pixels = np.asarray(turned(Image.fromarray(flat), orientation))
        pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 1 and wanted.colour != "gray":
        pixels = np.repeat(pixels, 3, axis=2)
    return _padded(pixels, wanted, canvas)


def _padded(pixels: NDArray[Any], wanted: Wanted, canvas: tuple[int, int]) -> NDArray[Any]:
    height, width, channels = pixels.shape
    if (width, height) == canvas:
        return pixels
    out = np.full((canvas[1], canvas[0], channels), wanted.fill, dtype=pixels.dtype)
    left, top = (canvas[0] - width) // 2, (canvas[1] - height) // 2
    out[top : top + height, left : left + width] = pixels
    return out


def _swapped(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return (size[1], size[0]) if is_sideways(orientation) else size
