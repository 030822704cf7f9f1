from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from jobs.decode import Facts, Mode, Wanted, examine, pictures
from jobs.decode.unreadable import Unreadable

ROOT = Path(__file__).resolve().parents[3]
ODD = ROOT / "tests" / "data" / "pictures"
PHOTO = next((ROOT / "examples" / "photos" / "data" / "hat").iterdir())
TILE = ROOT / "examples" / "satellite" / "data" / "Forest" / "Forest_1.tif"


def odd(name: str) -> bytes:
    return (ODD / name).read_bytes()


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, metadata=None, **options)
    return buffer.getvalue()


def square(content: bytes, size: int, mode: Mode) -> NDArray[Any]:
    (picture,) = pictures(content, Wanted((size,), mode))
    return picture


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize(
    "name",
    [f"hopper_orientation_{n}.jpg" for n in (2, 4, 5, 7)] + ["hopper_orientation_6.webp"],
)
def test_a_turned_picture_is_packed_upright(name: str) -> None:
    upright = square(odd("hopper_lzw.tif"), 64, "crop")
    assert decibels(square(odd(name), 64, "crop"), upright) > 25


def test_width_and_height_are_those_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.new("RGB", (40, 24)), "JPEG", exif=exif)
    assert examine(content) == Facts(24, 40, channels=3, dtype="uint8", orientation=6)


def test_sixteen_bits_of_gray_are_scaled_by_their_range() -> None:
    with Image.open(ODD / "basi0g16.png") as image:
        values = np.asarray(image).astype(float)
    packed = square(odd("basi0g16.png"), 32, "stretch")
    assert np.array_equal(packed[:, :, 0], np.rint(values * 255 / 65535))
    assert np.array_equal(packed[:, :, 0], packed[:, :, 2])


def test_a_dark_sixteen_bit_picture_does_not_turn_white() -> None:
    assert square(odd("16bit.MM.cropped.tif"), 64, "stretch").mean() < 3


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 4, 8))
    packed = square(encoded(image, "PNG"), 8, "stretch")
    assert packed[4, 1].tolist() == [0, 0, 255]
    assert packed[4, 6].tolist() == [255, 255, 255]


def test_a_transparent_palette_colour_is_laid_on_white() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([10, 20, 30, 200, 100, 0])
    packed = square(encoded(image, "GIF", transparency=1), 8, "stretch")
    assert (packed == 255).all()


def test_cmyk_and_lab_look_like_the_same_picture_in_rgb() -> None:
    with Image.open(ODD / "pil_sample_cmyk.jpg") as image:
        rgb = np.asarray(image.convert("RGB").resize((50, 50), Image.Resampling.LANCZOS))
    assert decibels(square(odd("pil_sample_cmyk.jpg"), 50, "crop"), rgb) > 30
    hopper = square(odd("hopper_lzw.tif"), 64, "crop")
    assert decibels(square(odd("hopper.Lab.tif"), 64, "crop"), hopper) > 20


def test_thirteen_bands_of_the_right_size_are_kept_as_they_are() -> None:
    packed = square(TILE.read_bytes(), 64, "crop")
    assert packed.dtype == np.uint16
    assert np.array_equal(packed, tifffile.imread(TILE))


def test_thirteen_bands_are_resized_band_by_band_in_their_range() -> None:
    whole = tifffile.imread(TILE)
    packed = square(TILE.read_bytes(), 32, "stretch")
    assert packed.shape == (32, 32, 13) and packed.dtype == np.uint16
    assert np.allclose(packed.mean((0, 1)), whole.mean((0, 1)), rtol=0.02, atol=1)


def test_the_overshoot_of_the_filter_stays_in_the_range_of_the_dtype() -> None:
    edge = np.zeros((40, 40, 5), dtype=np.uint16)
    edge[:, 20:] = 65535
    packed = square(tiff(edge, photometric="minisblack", planarconfig="contig"), 16, "stretch")
    assert packed[0, 0, 0] == 0 and packed[0, -1, 0] == 65535
    assert (np.diff(packed[8, :, 0].astype(int)) >= -3000).all()


def test_band_after_band_is_the_same_as_pixel_after_pixel() -> None:
    pixels = tifffile.imread(TILE)
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    content = tiff(planes, photometric="minisblack", planarconfig="separate")
    assert np.array_equal(square(content, 64, "crop"), pixels)


def test_floats_are_kept_as_floats() -> None:
    packed = square(odd("rgb32f_color.tiff"), 32, "crop")
    assert packed.dtype == np.float32 and packed.shape == (32, 32, 3)
    assert 0 < packed.mean() < 1


def test_values_that_are_not_finite_stay_in_bands() -> None:
    pixels = np.ones((8, 8, 5), dtype=np.float32)
    pixels[3, 3, 1] = np.nan
    content = tiff(pixels, photometric="minisblack", planarconfig="contig")
    assert examine(content) == Facts(8, 8, 5, "float32")
    assert np.array_equal(square(content, 8, "crop"), pixels, equal_nan=True)


def test_red_green_blue_and_infrared_are_four_bands() -> None:
    pixels = np.full((8, 8, 4), 1000, dtype=np.uint16)
    content = tiff(pixels, photometric="rgb", extrasamples=["unspecified"])
    assert examine(content) == Facts(8, 8, 4, "uint16")


def test_red_green_blue_and_alpha_are_a_photo() -> None:
    pixels = np.full((8, 8, 4), 255, dtype=np.uint8)
    content = tiff(pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert examine(content) == Facts(8, 8, 3, "uint8")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated_jpeg.jpg", "is cut short"),
        ("lfs_pointer.jpg", "git lfs pull"),
        ("decompression_bomb.gif", "more than 120,000,000 pixels"),
        ("png_decompression_dos.png", "cannot be decoded"),
        ("seek_too_large.tif", "cannot be decoded"),
        ("LICENSE.md", "is not a JPEG, PNG, TIFF, WebP, BMP or GIF"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        examine(odd(name))
    with pytest.raises(Unreadable, match=reason):
        square(odd(name), 32, "crop")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Unreadable, match="0 bytes"):
        examine(b"")


def test_a_jpeg_cut_anywhere_in_its_pixels_is_refused() -> None:
    content = PHOTO.read_bytes()
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(Unreadable):
            examine(content[: int(len(content) * share)])


def test_a_reason_does_not_depend_on_the_run() -> None:
    reasons = set()
    for _attempt in range(3):
        with pytest.raises(Unreadable) as error:
            examine(b"\xff\xd8\xff" + bytes(40))
        reasons.add(str(error.value))
    assert len(reasons) == 1 and "0x" not in reasons.pop()


def test_a_chain_of_pages_that_loops_ends() -> None:
    assert examine(odd("multipage_multiple_frame_loop.tiff")) == Facts(10, 10, 3, "uint8")


@pytest.mark.parametrize("size", [(1501, 1127), (1127, 1501), (999, 999), (403, 2001)])
@pytest.mark.parametrize("mode", ["crop", "stretch"])
def test_decoding_a_jpeg_at_a_smaller_scale_does_not_move_it(
    size: tuple[int, int], mode: Any
) -> None:
    with Image.open(PHOTO) as image:
        large = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    content = encoded(large, "JPEG", quality=92)
    with Image.open(io.BytesIO(content)) as image:
        side = min(size)
        left, top = (size[0] - side) / 2, (size[1] - side) / 2
        box = (left, top, left + side, top + side) if mode == "crop" else None
        full = np.asarray(image.resize((96, 96), Image.Resampling.LANCZOS, box=box))
    assert decibels(square(content, 96, mode), full) > 42
