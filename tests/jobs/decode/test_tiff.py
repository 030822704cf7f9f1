from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from jobs.decode.tiff import page_numbers, read_bands
from jobs.decode.unreadable import Unreadable

TILE = Path(__file__).resolve().parents[3] / "examples/satellite/data/Forest/Forest_1.tif"
MOST = 10_000_000


def scene(dtype: str = "uint16", channels: int = 5) -> NDArray[Any]:
    values = np.random.default_rng(3).integers(0, 200, (48, 64, channels))
    return values.astype(dtype)


def tiff(*pages: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    chosen = {"photometric": "minisblack", "metadata": None, **options}
    with tifffile.TiffWriter(buffer, **chosen.pop("file", {})) as writer:
        for page in pages:
            writer.write(page, **chosen)
    return buffer.getvalue()


@pytest.mark.parametrize("layout", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "packbits", "lzma"])
def test_every_layout_and_compression_gives_the_same_bands(
    layout: str, tile: Any, compression: Any
) -> None:
    pixels = scene()
    stored = pixels if layout == "contig" else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    content = tiff(stored, planarconfig=layout, tile=tile, compression=compression)
    read = read_bands(content, MOST)
    assert read is not None and read.flags.c_contiguous
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32", "float64"])
@pytest.mark.parametrize("file", [{"bigtiff": True}, {"byteorder": ">"}])
def test_big_files_and_either_byte_order_keep_the_dtype(dtype: str, file: dict[str, Any]) -> None:
    pixels = scene(dtype)
    read = read_bands(tiff(pixels, planarconfig="contig", file=file), MOST)
    assert read is not None and read.dtype == np.dtype(dtype)  # in native byte order
    assert np.array_equal(read, pixels)


def test_a_predictor_for_floats_is_undone() -> None:
    pixels = scene("float32") / 7
    content = tiff(pixels, planarconfig="contig", compression="zstd", predictor=3)
    assert np.array_equal(read_bands(content, MOST), pixels)  # type: ignore[arg-type]


def test_values_that_are_not_finite_stay() -> None:
    pixels = scene("float32")
    pixels[3, 4, 1], pixels[5, 6, 0] = np.nan, np.inf
    read = read_bands(tiff(pixels, planarconfig="contig"), MOST)
    assert np.array_equal(read, pixels, equal_nan=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", ["-9999", "-3.4e+38", "nan", "not a number"])
def test_what_a_file_of_floats_declares_as_no_data_becomes_nan(declared: str) -> None:
    pixels = scene("float32")
    is_number = declared.startswith("-")
    if is_number:
        pixels[3, 4, 1] = float(declared)
    tag = (42113, 2, 0, declared, True)
    read = read_bands(tiff(pixels, planarconfig="contig", extratags=[tag]), MOST)
    assert read is not None
    assert np.isnan(read).sum() == is_number
    assert not is_number or np.isnan(read[3, 4, 1])


def test_no_data_of_whole_numbers_stays_as_it_is() -> None:
    tag = (42113, 2, 0, "0", True)
    pixels = scene()
    read = read_bands(tiff(pixels, planarconfig="contig", extratags=[tag]), MOST)
    assert np.array_equal(read, pixels)  # type: ignore[arg-type]


def test_one_band_a_page_is_one_picture_of_bands() -> None:
    pixels = scene("uint8", 4)
    content = tiff(*np.moveaxis(pixels, -1, 0))
    assert read_bands(content, MOST) is None  # the first page alone is a gray photo
    assert np.array_equal(read_bands(content, MOST, "bands"), pixels)  # type: ignore[arg-type]


def test_pages_of_several_bands_are_put_one_after_the_other() -> None:
    pixels = scene(channels=6)
    content = tiff(pixels[:, :, :4], pixels[:, :, 4:], planarconfig="contig")
    assert np.array_equal(read_bands(content, MOST, "bands"), pixels)  # type: ignore[arg-type]
    assert np.array_equal(read_bands(content, MOST, 0), pixels[:, :, :4])  # type: ignore[arg-type]


def test_one_page_is_read_by_its_number() -> None:
    pixels = scene("float32", 3)
    content = tiff(*np.moveaxis(pixels, -1, 0))
    read = read_bands(content, MOST, 2)
    assert np.array_equal(read, pixels[:, :, 2:])  # type: ignore[arg-type]
    assert read_bands(content, MOST, 3) is None


def test_pages_that_differ_are_not_the_bands_of_one_picture() -> None:
    with pytest.raises(Unreadable, match="page 1 is 20 × 10 uint8"):
        read_bands(tiff(np.zeros((8, 8), np.uint8), np.zeros((10, 20), np.uint8)), MOST, "bands")
    with pytest.raises(Unreadable, match="page 1 is 8 × 8 uint16"):
        read_bands(tiff(np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint16)), MOST, "bands")


def test_a_page_of_a_palette_has_no_bands() -> None:
    content = tiff(
        np.zeros((8, 8), np.uint8),
        photometric="palette",
        colormap=np.zeros((3, 256), np.uint16),
    )
    with pytest.raises(Unreadable, match=r"no bands on page 0 \(PALETTE, 8 bits"):
        read_bands(content, MOST, "bands")


def test_smaller_copies_and_masks_are_no_pages_of_their_own() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for size, kind, dtype in [(64, 0, "u1"), (32, 1, "u1"), (64, 4, "?"), (64, 0, "u1")]:
            pixels = np.full((size, size), kind + 1, dtype=dtype)
            writer.write(pixels, photometric="minisblack", metadata=None, subfiletype=kind)
    assert page_numbers(buffer.getvalue()) == (0, 3)
    stacked = read_bands(buffer.getvalue(), MOST, "bands")
    assert stacked is not None and stacked.shape == (64, 64, 2)
    assert stacked.max() == 1


def test_what_is_no_tiff_has_one_page_and_no_bands() -> None:
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"II*\0", b"II*\0" + b"\xff" * 40):
        assert page_numbers(content) == (0,)
        assert read_bands(content, MOST, "bands") is None


def test_a_tile_of_thirteen_bands_has_one_page() -> None:
    content = TILE.read_bytes()
    assert page_numbers(content) == (0,)
    for pages in ("first", "bands", 0):
        read = read_bands(content, MOST, pages)
        assert np.array_equal(read, tifffile.imread(TILE))  # type: ignore[arg-type]


def test_a_size_that_would_not_fit_is_refused_before_it_is_read() -> None:
    content = tiff(scene(), planarconfig="contig")
    with pytest.raises(Unreadable, match="64 × 48 pixels of 5 bands, 30,720 bytes"):
        read_bands(content, 3000)
    pages = tiff(*np.moveaxis(scene("float64", 9), -1, 0))
    with pytest.raises(Unreadable, match="221,184 bytes"):
        read_bands(pages, 64 * 48 + 1, "bands")


def test_a_stack_in_depth_is_not_taken_for_bands() -> None:
    content = tiff(np.zeros((16, 16, 32), np.float32), tile=(16, 16, 16), volumetric=True)
    with pytest.raises(Unreadable, match="axes ZYX"):
        read_bands(content, MOST)
