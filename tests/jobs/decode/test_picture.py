from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from jobs.decode import Mode, Wanted, canvas_px, examine, glance, pictures
from jobs.decode.photo import flattened
from jobs.decode.unreadable import Unreadable

ROOT = Path(__file__).resolve().parents[3]
ODD = ROOT / "tests" / "data" / "pictures"
PHOTOS = sorted((ROOT / "examples" / "photos" / "data" / "shoes").iterdir())
TILE = ROOT / "examples" / "satellite" / "data" / "Forest" / "Forest_1.tif"


def one(content: bytes, size: int | None, mode: Mode, **more: Any) -> NDArray[Any]:
    (picture,) = pictures(content, Wanted((size,), mode, **more))
    return picture


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def turned(width: int, height: int, orientation: int, kind: str = "JPEG") -> bytes:
    """Its upright left half is red, the right one blue."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 1: None}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image if back is None else image.transpose(back)
    return encoded(stored, kind, exif=exif)


@pytest.mark.parametrize("mode", ["crop", "stretch", "pad"])
def test_each_step_of_a_ladder_is_what_it_would_be_alone_or_better(mode: Mode) -> None:
    content = PHOTOS[0].read_bytes()
    ladder = pictures(content, Wanted((32, 64, 128), mode))
    assert [step.shape for step in ladder] == [(32, 32, 3), (64, 64, 3), (128, 128, 3)]
    assert np.array_equal(ladder[2], one(content, 128, mode))
    for step, size in zip(ladder, (32, 64, 128), strict=True):
        assert decibels(step, one(content, size, mode)) > 42


def test_padding_keeps_the_proportion_and_fills_the_rest() -> None:
    packed = one(encoded(Image.new("RGB", (60, 30), "white"), "PNG"), 20, "pad", fill=7)
    assert packed.shape == (20, 20, 3)
    assert (packed[:5] == 7).all() and (packed[15:] == 7).all()
    assert (packed[5:15] == 255).all()


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_padded_picture_is_upright_and_centred(orientation: int, kind: str) -> None:
    packed = one(turned(64, 32, orientation, kind), 33, "pad")
    plain = one(turned(64, 32, 1, kind), 33, "pad")
    assert decibels(packed, plain) > 30
    assert (packed[:8] == 0).all() and packed[16, 5, 0] > 200 and packed[16, 28, 2] > 200


def test_kept_pictures_keep_their_size_unless_they_are_longer_than_the_limit() -> None:
    content = encoded(Image.new("RGB", (60, 30), "white"), "PNG")
    assert one(content, None, "keep").shape == (30, 60, 3)
    assert one(content, 100, "keep").shape == (30, 60, 3)
    assert one(content, 20, "keep").shape == (10, 20, 3)
    assert canvas_px(60, 30, "keep", 20) == (20, 10)


def test_a_kept_picture_that_was_turned_is_upright() -> None:
    content = turned(64, 32, 6)
    assert one(content, None, "keep").shape == (32, 64, 3)
    assert one(content, 16, "keep").shape == (8, 16, 3)
    assert one(content, None, "keep")[16, 5, 0] > 200


def test_a_kept_picture_is_what_the_decoder_gives() -> None:
    content = encoded(Image.effect_noise((40, 30), 80).convert("RGB"), "PNG")
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(one(content, None, "keep"), np.asarray(image))


def test_a_line_of_pixels_is_not_lost_in_padding() -> None:
    content = encoded(Image.new("RGB", (900, 1), "white"), "PNG")
    assert one(content, 30, "pad")[14].min() == 255
    assert one(content, 30, "keep").shape == (1, 30, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_gray_is_one_channel_or_the_same_three_times(kind: str) -> None:
    with Image.open(PHOTOS[1]) as image:
        content = encoded(image.convert("RGB"), kind)
    gray = one(content, 48, "crop", colour="gray")
    three = one(content, 48, "crop", colour="gray3")
    assert gray.shape == (48, 48, 1) and three.shape == (48, 48, 3)
    assert np.array_equal(np.repeat(gray, 3, axis=2), three)
    rgb = one(content, 48, "crop").astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(rgb - gray[:, :, 0]).mean() < 1


def test_a_gray_jpeg_becomes_three_channels_of_the_same() -> None:
    with Image.open(PHOTOS[1]) as image:
        content = encoded(image.convert("L"), "JPEG")
    packed = one(content, 48, "crop")
    assert packed.shape == (48, 48, 3)
    assert np.array_equal(packed[..., 0], packed[..., 2])


@pytest.mark.parametrize("mode", ["crop", "stretch", "pad", "keep"])
def test_bands_know_every_mode(mode: Mode) -> None:
    pixels = np.arange(40 * 20 * 5, dtype=np.uint16).reshape(40, 20, 5)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack", planarconfig="contig")
    large, small = pictures(buffer.getvalue(), Wanted((16, 8), mode))
    assert large.dtype == np.uint16
    assert large.shape == ((16, 8, 5) if mode == "keep" else (16, 16, 5))
    assert small.shape == ((8, 4, 5) if mode == "keep" else (8, 8, 5))
    assert np.array_equal(one(buffer.getvalue(), None, "keep"), pixels)


def test_pages_are_pictures_of_their_own() -> None:
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    wanted = Wanted((8,), "stretch")
    assert pictures(content, wanted, page=0)[0][0, 0].tolist() == [255, 0, 0]
    assert pictures(content, wanted, page=1)[0][0, 0].tolist() == [0, 255, 0]
    with pytest.raises(Unreadable, match="page 2"):
        pictures(content, wanted, page=2)


def test_pages_of_bands_are_pictures_of_their_own() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for value in (1, 2):
            pixels = np.full((8, 8, 6), value, dtype=np.float32)
            writer.write(pixels, photometric="minisblack", planarconfig="contig")
    assert pictures(buffer.getvalue(), Wanted((4,), "crop"), page=1)[0].max() == 2


def test_a_jpeg_with_a_harmless_flaw_is_read_and_one_that_is_cut_is_not() -> None:
    content = PHOTOS[2].read_bytes()
    odd = content[:2] + b"\xff\xfe\x00\x06junk" + b"stray" + content[2:]
    assert decibels(one(odd, 64, "crop"), one(content, 64, "crop")) > 50
    with pytest.raises(Unreadable):
        one(content[: len(content) // 2], 64, "crop")


@pytest.mark.parametrize("mode", ["crop", "pad", "keep"])
def test_a_large_jpeg_is_read_in_another_way_to_the_same_pixels(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = PHOTOS[3].read_bytes()
    plain = one(content, 300, mode)
    monkeypatch.setattr("jobs.decode.jpeg.MAPPED_BYTES", 1000)
    assert np.array_equal(one(content, 300, mode), plain)
    assert one(content, None if mode == "keep" else 400, mode).shape[2] == 3


@pytest.mark.parametrize("size", [48, 64, 80, 96, 112, 128])
def test_a_jpeg_is_decoded_fine_enough_for_every_size(size: int) -> None:
    """Of 400 pixels: 96 of them is a scale that is barely more than twice the target."""
    for file in PHOTOS[:8]:
        with Image.open(file) as image:
            width, height = image.size
            part = image.convert("RGB").resize((400 * width // min(width, height) // 1, 400))
            content = encoded(part, "JPEG", quality=92)
        with Image.open(io.BytesIO(content)) as image:
            whole = image.convert("RGB")
        left = (whole.width - 400) / 2
        box = (left, 0, left + 400, 400)
        exact = whole.resize((size, size), Image.Resampling.LANCZOS, box=box)
        assert decibels(one(content, size, "crop"), np.asarray(exact)) >= 48


PEAK = """
import io
from PIL import Image
from jobs.decode import Wanted, glance, pictures
content = io.BytesIO()
Image.new("RGBA", (6400, 6250), (10, 20, 30, 40)).save(content, "PNG", compress_level=1)
glance(content.getvalue(), 32)
pictures(content.getvalue(), Wanted((64,), "crop"))
# Not ru_maxrss, which counts what the parent had.
line = next(x for x in open("/proc/self/status") if x.startswith("VmHWM"))
print(int(line.split()[1]) // 1024)
"""


def test_transparency_is_laid_on_white_without_further_copies_of_the_whole() -> None:
    made = subprocess.run(
        [sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    copy_mib = 6400 * 6250 * 4 / 2**20
    assert int(made.stdout) < 1.6 * copy_mib + 80


def test_what_is_flattened_in_strips_is_the_same_as_at_once() -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (1500, 1000, 4), dtype=np.uint8)
    image = Image.fromarray(noisy)
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    assert np.array_equal(np.asarray(flattened(image)), np.asarray(white))


def test_a_glance_is_the_whole_picture_in_gray_upright() -> None:
    facts, small = glance(turned(640, 320, 6), 8)
    assert (facts.width, facts.height) == (640, 320)
    assert small.shape == (8, 8) and small.dtype == np.uint8
    assert small[:, 0].mean() > small[:, 7].mean()  # red is brighter than blue
    assert facts == examine(turned(640, 320, 6))


def test_a_glance_at_bands_shows_their_contrast() -> None:
    facts, small = glance(TILE.read_bytes(), 16)
    assert facts.channels == 13
    assert small.max() > 150 and small.min() < 100
