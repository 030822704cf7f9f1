"""From bytes to an open picture, or to a sentence that says why not."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from jobs.decode.tiff import is_tiff
from jobs.decode.unreadable import Unreadable

MAX_PIXELS = 120_000_000
"""Larger pictures are refused: half a gigabyte once decoded, in each process."""
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
ALL_PAGES = -1
"""As the number of a page: all pages of a TIFF, as the bands of one picture."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"

_ORIENTATION = 0x0112
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


def open_image(content: bytes, page: int = 0) -> Image.Image:
    """Pillow's picture, header read, pixels not yet. Raises Unreadable where it is too large."""
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    if page == ALL_PAGES:
        raise Unreadable("has pages that are not gray or colour: they are no bands")
    if page:
        try:
            image.seek(page)
        except EOFError as error:
            raise Unreadable(f"has no page {page}") from error
    refuse_size(*image.size)
    return image


def refuse_size(width: int, height: int) -> None:
    """Raises Unreadable where a picture has no pixels or too many."""
    if width * height > MAX_PIXELS:
        raise Unreadable(f"announces {width} × {height} pixels; the most is {MAX_PIXELS:,}")
    if width * height == 0:
        raise Unreadable("has no pixels")


def orientation_of(image: Image.Image) -> int:
    """1 to 8, by EXIF or XMP; 1 where it says nothing sensible.

    A TIFF turns itself upright while Pillow loads it: ask after loading.
    """
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def is_sideways(orientation: int) -> bool:
    return orientation in _SIDEWAYS


def turned(image: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


@contextmanager
def reading(content: bytes) -> Iterator[None]:
    """Whatever a decoder raises inside comes out as Unreadable, with a sentence for a person."""
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
