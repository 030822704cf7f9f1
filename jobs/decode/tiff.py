"""Reads a TIFF of measurements: all its bands, in the dtype they were stored in.

Every compression, tiles, strips, separate planes and BigTIFF are read. Values that are not finite
stay: `pca` and `bands` leave such pixels out, training refuses them. What a float TIFF declares to
be "no data" (the tag GDAL_NODATA) becomes NaN, so that it never counts as a measurement.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jobs.decode.unreadable import Unreadable

Pages = Literal["first", "bands"] | int
"""`first` page; `bands`: the channels of all pages together; or one page by its number, from 0."""

SixteenBits = Literal["auto", "photos", "bands"]
"""What pictures of 16 bits in gray or colour are: photos of 8 bits, or bands; `auto`: bands where
a TIFF has a place on a map, since that is a measurement."""

_PNG = b"\x89PNG\r\n\x1a\n"
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GRAY_OR_RGB = {0: 1, 1: 1, 2: 3}
"""Samples of a pixel without the extra ones, by the tag PhotometricInterpretation."""
_ALPHA = (1, 2)
_GDAL_NODATA = 42113
_GEOGRAPHIC = (33550, 33922, 34264, 34735)
"""Tags that say where on Earth a picture lies."""
_REDUCED, _MASK = 1, 4
"""Bits of the tag NewSubfileType."""
_MOST_PAGES = 10_000


def is_tiff(content: bytes) -> bool:
    return content[:4] in _MAGIC


def is_deep_png(content: bytes) -> bool:
    """A PNG of 16 bits a value."""
    return content.startswith(_PNG) and content[24:25] == b"\x10"


def page_numbers(content: bytes) -> tuple[int, ...]:
    """The pages of a TIFF that are pictures of their own: no smaller copies, no masks of others.

    The numbers count all pages from 0, as Pillow's `seek` does. A file that is no TIFF, or none
    that can be parsed, has the page 0. Raises Unreadable where a later page is damaged or there are
    too many.
    """
    with _opened(content) as file:
        return (0,) if file is None else _own_pages(file)


def read_bands(
    content: bytes, max_pixels: int, pages: Pages = "first", sixteen_bits: SixteenBits = "auto"
) -> NDArray[Any] | None:
    """(H, W, C) in native byte order; None where the file is a photo or no picture of bands.

    With `bands` every TIFF of gray or colour holds bands, in the order of its pages. Raises
    Unreadable where the pixels are too many or the pages do not fit each other, and whatever
    tifffile raises where they cannot be decoded.
    """
    if sixteen_bits == "bands" and is_deep_png(content):
        return _deep_png(content, max_pixels)
    with _opened(content) as file:
        if file is None:
            return None
        if pages == "bands":
            return _stacked(file, max_pixels)
        try:
            page = file.pages[0 if pages == "first" else pages]
            holds_bands = _holds_bands(page, sixteen_bits)
        except Exception:
            return None
        if not holds_bands:
            return None
        _refuse_size(page, page.nbytes, max_pixels)
        return _pixels(page)


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    """The parsed file, or None: Pillow may know better what tifffile cannot parse."""
    if not is_tiff(content):
        yield None
        return
    import tifffile

    try:
        file = tifffile.TiffFile(io.BytesIO(content))
        file.pages[0]
    except Exception:
        yield None
        return
    with file:
        yield file


def _deep_png(content: bytes, max_pixels: int) -> NDArray[Any]:
    import imagecodecs

    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    if not 0 < width * height <= max_pixels:
        raise Unreadable(f"announces {width} × {height} pixels; the most is {max_pixels:,}")
    pixels: NDArray[Any] = imagecodecs.png_decode(content)
    return np.ascontiguousarray(pixels.reshape(height, width, -1))


def _own_pages(file: Any) -> tuple[int, ...]:
    count = len(file.pages)
    if count > _MOST_PAGES:
        raise Unreadable(f"has {count:,} pages; the most is {_MOST_PAGES:,}")
    own = [n for n in range(count) if not _page(file, n).subfiletype & (_REDUCED | _MASK)]
    return tuple(own) or (0,)


def _page(file: Any, number: int) -> Any:
    try:
        return file.pages[number]
    except Exception as error:
        raise Unreadable(f"is damaged at page {number}") from error


def _stacked(file: Any, max_pixels: int) -> NDArray[Any]:
    numbers = _own_pages(file)
    pages = [file.pages[number] for number in numbers]
    first = pages[0]
    shape = (first.imagelength, first.imagewidth)
    for number, page in zip(numbers, pages, strict=True):
        if int(page.photometric) not in _GRAY_OR_RGB or not _is_number(page):
            kind = f"{page.photometric.name}, {page.bitspersample} bits"
            raise Unreadable(f"has no bands on page {number} ({kind})")
        if (page.imagelength, page.imagewidth) != shape or page.dtype != first.dtype:
            raise Unreadable(
                f"has pages that are not bands of one picture: page {numbers[0]} is "
                f"{_size(first)} {first.dtype}, page {number} is {_size(page)} {page.dtype}"
            )
    _refuse_size(first, sum(page.nbytes for page in pages), max_pixels)
    ends = np.cumsum([page.samplesperpixel for page in pages]).tolist()
    out = np.empty((*shape, ends[-1]), dtype=first.dtype.newbyteorder("="))
    for end, page in zip(ends, pages, strict=True):
        out[:, :, end - page.samplesperpixel : end] = _pixels(page)
    return out


def _pixels(page: Any) -> NDArray[Any]:
    """(H, W, C)."""
    pixels: NDArray[Any] = page.asarray(maxworkers=1)
    if page.axes == "YX":
        pixels = pixels[:, :, np.newaxis]
    elif page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    elif page.axes != "YXS":
        raise Unreadable(f"has the axes {page.axes}, which are not read")
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))
    nodata = _declared_nodata(page)
    if nodata is not None and pixels.dtype.kind == "f":
        # Compared in the pixels' own precision: -3.4e38 stands in the tag with fewer digits.
        with np.errstate(over="ignore"):
            pixels[pixels == pixels.dtype.type(nodata)] = np.nan
    return pixels


def _declared_nodata(page: Any) -> float | None:
    tag = page.tags.get(_GDAL_NODATA)
    try:
        return float(str(tag.value).strip("\0 ")) if tag is not None else None
    except ValueError:
        return None


def _refuse_size(page: Any, size_bytes: int, max_pixels: int) -> None:
    if page.imagewidth * page.imagelength > max_pixels or size_bytes > 8 * max_pixels:
        raise Unreadable(
            f"announces {_size(page)} pixels of {page.samplesperpixel} bands, {size_bytes:,} bytes"
        )


def _size(page: Any) -> str:
    return f"{page.imagewidth} × {page.imagelength}"


def _is_number(page: Any) -> bool:
    return page.dtype is not None and page.dtype.kind in "uif" and page.bitspersample >= 8


def _holds_bands(page: Any, sixteen_bits: SixteenBits) -> bool:
    dtype = page.dtype
    colours = _GRAY_OR_RGB.get(int(page.photometric))
    if colours is None or not _is_number(page):
        return False
    if dtype.kind == "f" or dtype.kind == "i":
        return True
    if dtype.itemsize > 2:
        return colours == 1  # 32 bits of red mean nothing: left to Pillow, which refuses them
    if dtype.itemsize == 2:
        on_a_map = any(tag in page.tags for tag in _GEOGRAPHIC)
        if sixteen_bits == "bands" or (sixteen_bits == "auto" and on_a_map):
            return True
    extra = page.samplesperpixel - colours
    if extra == 1:
        return not page.extrasamples or int(page.extrasamples[0]) not in _ALPHA
    return bool(extra > 1)
