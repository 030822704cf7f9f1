"""Opens any picture on purpose: orientation, palettes, alpha, CMYK, 16 bits, many bands.

Two kinds come out. A *photo* (gray, colour, palette, CMYK, with or without alpha, 8 or 16 bits)
becomes upright RGB in uint8. *Bands* (a TIFF with measurements: more than three channels without
alpha, floats, 32 bits) keep their channels, their values and their dtype.

Importing this module imports NumPy and Pillow: jobs import it inside their function.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from jobs.bands import is_tiff, read_bands
from jobs.unreadable import Unreadable

Mode = Literal["crop", "stretch"]

MAX_PIXELS = 120_000_000
"""Larger pictures are refused: half a gigabyte once decoded, in each process."""
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
OVERSAMPLE = 2
"""JPEGs are decoded at the smallest scale of at least twice the target: 51 dB against full size.
At once the target it is 40 dB."""

_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 258
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_WIDE_GRAY = ("I;16", "I;16B", "I;16L", "I;16N")
_CONVERTIBLE = frozenset(
    ("1", "L", "P", "RGB", "RGBX", "RGBA", "RGBa", "LA", "La", "PA", "CMYK", "YCbCr", "LAB", "HSV")
).union(_WIDE_GRAY)


@dataclass(frozen=True)
class Facts:
    """What a picture is, upright."""

    width: int
    height: int
    channels: int
    """Once packed: 3 for every photo, else the number of bands."""
    dtype: str
    """Once packed: `uint8` for every photo, else the dtype of the bands."""


def examine(content: bytes) -> Facts:
    """Decode the whole picture, so that a file cut short is found. Raises Unreadable."""
    with _reading(content):
        bands = read_bands(content, MAX_PIXELS)
        if bands is not None:
            height, width, channels = bands.shape
            return Facts(width, height, channels, bands.dtype.name)
        with _open(content) as image:
            width, height = image.size
            # The scale 1/8 reads every byte of a JPEG and skips most of the arithmetic.
            image.draft(image.mode, (1, 1))
            drafted = image.size != (width, height)
            image.load()
            if image.mode not in _CONVERTIBLE:
                raise Unreadable(f"pictures of the mode {image.mode} are not read")
            if not drafted:
                width, height = image.size  # a TIFF turns itself upright while it loads
            if _orientation(image) in _SIDEWAYS:
                width, height = height, width
            return Facts(width, height, 3, "uint8")
    raise AssertionError("unreachable")


def square(content: bytes, size: int, mode: Mode) -> NDArray[Any]:
    """(size, size, C): the picture as it is packed; uint8 RGB, or its bands in their dtype.

    `crop` keeps the middle square of the picture, `stretch` the whole of it. Filter: LANCZOS over
    the true extent. Raises Unreadable.
    """
    with _reading(content):
        bands = read_bands(content, MAX_PIXELS)
        if bands is not None:
            return _square_bands(bands, size, mode)
        with _open(content) as image:
            return _square_photo(image, size, mode)
    raise AssertionError("unreachable")


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB with 8 bits of any photo: 16 bits by their range, transparency on white."""
    if image.mode in _WIDE_GRAY:
        # Pillow's own conversion clips: everything above 255 turns white.
        top = 2 ** _bits(image) - 1
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values * 255 + top // 2) // top).clip(0, 255).astype(np.uint8))
    elif image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # only an in-place conversion gives None
        image = converted
    elif image.has_transparency_data:
        straight = image.convert("LA") if image.mode == "La" else image
        layer = straight.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return image if image.mode == "RGB" else image.convert("RGB")


def _square_photo(image: Image.Image, size: int, mode: Mode) -> NDArray[np.uint8]:
    full_width, full_height = image.size
    scale = size / min(full_width, full_height)
    wanted = (size, size)
    if mode == "crop":
        wanted = (round(full_width * scale), round(full_height * scale))
    image.draft(image.mode, (wanted[0] * OVERSAMPLE, wanted[1] * OVERSAMPLE))
    drafted = image.size != (full_width, full_height)
    # A scaled size is rounded up; taken as the extent it would shift and stretch the picture.
    eighths = round(8 * max(image.size) / max(full_width, full_height))
    image.load()
    width, height = map(float, image.size)
    if drafted:
        width, height = full_width * eighths / 8, full_height * eighths / 8
    orientation = _orientation(image)
    small = to_rgb(image).resize(
        (size, size), Image.Resampling.LANCZOS, box=_box(width, height, mode)
    )
    # The box is symmetric, so the small picture can be turned instead of the large one.
    turn = _UPRIGHT.get(orientation)
    return np.asarray(small if turn is None else small.transpose(turn))


def _square_bands(bands: NDArray[Any], size: int, mode: Mode) -> NDArray[Any]:
    height, width, channels = bands.shape
    if height == width == size:
        return bands
    box = _box(float(width), float(height), mode)
    out = np.empty((size, size, channels), dtype=bands.dtype)
    for channel in range(channels):
        plane = Image.fromarray(np.ascontiguousarray(bands[:, :, channel], dtype=np.float32))
        values = np.asarray(plane.resize((size, size), Image.Resampling.LANCZOS, box=box))
        if bands.dtype.kind in "ui":
            limits = np.iinfo(bands.dtype)
            values = np.rint(values.astype(np.float64)).clip(limits.min, limits.max)
        out[:, :, channel] = values
    return out


def _box(width: float, height: float, mode: Mode) -> tuple[float, float, float, float]:
    if mode == "stretch":
        return 0.0, 0.0, width, height
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _open(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"announces {width} × {height} pixels; the most is {MAX_PIXELS:,}")
    if width * height == 0:
        raise Unreadable("has no pixels")
    return image


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _bits(image: Image.Image) -> int:
    """Bits of a wide gray picture: a TIFF of 12 bits is stored in 16."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return bits if 8 < bits <= 16 else 16


@contextmanager
def _reading(content: bytes) -> Iterator[None]:
    if not content:
        raise Unreadable("is empty (0 bytes)")
    if content.startswith(LFS_POINTER):
        raise Unreadable("is a Git LFS pointer, not the picture: run `git lfs pull` first")
    try:
        with warnings.catch_warnings():
            # Decoders warn about broken metadata on stderr, without the name of the file.
            warnings.simplefilter("ignore")
            yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # hostile bytes make decoders raise nearly everything there is
        raise Unreadable(_sentence(error, content)) from error


def _sentence(error: Exception, content: bytes) -> str:
    if isinstance(error, UnidentifiedImageError):
        kind = "TIFF" if is_tiff(content) else "JPEG, PNG, TIFF, WebP, BMP or GIF"
        return f"is not a {kind} that can be read"
    if isinstance(error, Image.DecompressionBombError):
        return f"announces more than {MAX_PIXELS:,} pixels in {len(content):,} bytes"
    # Without addresses of objects: the same file must give the same bytes in every run.
    text = re.sub(r"<[^>]* at 0x[0-9a-f]+>", "it", " ".join(str(error).split()))
    if "truncated" in text:
        return f"is cut short ({text})"
    return f"cannot be decoded ({type(error).__name__}: {text})"
