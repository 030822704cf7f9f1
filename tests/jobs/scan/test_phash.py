from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.decode import glance
from jobs.scan.params import NEAR_BITS
from jobs.scan.phash import SIDE_PX, phash

PHOTOS = sorted((Path(__file__).resolve().parents[3] / "examples/photos/data").glob("*/*.jpg"))


def hashed(content: bytes) -> str:
    return phash(glance(content, SIDE_PX)[1])


def apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def saved(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("photo", PHOTOS[::40], ids=lambda photo: photo.name)
def test_a_photo_saved_anew_is_near(photo: Path) -> None:
    original = hashed(photo.read_bytes())
    with Image.open(photo) as image:
        image.load()
        half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
        copies = {
            "quality 50": saved(image, "JPEG", quality=50),
            "half": saved(half, "JPEG", quality=90),
            "PNG": saved(image, "PNG"),
            "WebP": saved(image, "WEBP", quality=80),
            "brighter": saved(image.point(lambda v: min(255, v * 1.1)), "PNG"),
        }
    distances = {name: apart(original, hashed(copy)) for name, copy in copies.items()}
    assert max(distances.values()) <= NEAR_BITS, distances


def test_different_photos_are_not_near() -> None:
    hashes = np.array([int(hashed(photo.read_bytes()), 16) for photo in PHOTOS], dtype=np.uint64)
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    assert len(PHOTOS) > 100
    assert distance[np.triu_indices(len(hashes), 1)].min() > NEAR_BITS


def test_a_picture_turned_by_its_exif_is_near_the_upright_one() -> None:
    with Image.open(PHOTOS[0]) as image:
        exif = Image.Exif()
        exif[0x0112] = 6
        buffer = io.BytesIO()
        image.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", exif=exif, quality=90)
    assert apart(hashed(PHOTOS[0].read_bytes()), hashed(buffer.getvalue())) <= NEAR_BITS


def test_surfaces_and_gradients_have_no_hash() -> None:
    ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    assert phash(np.full((32, 32), 200, dtype=np.uint8)) == ""
    assert phash(ramp) == phash(ramp.T.copy()) == ""


def test_half_of_the_bits_are_set() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    assert len(phash(noise)) == 16
    assert int(phash(noise), 16).bit_count() == 32


def test_the_bits_are_the_signs_of_the_cosine_transform_about_its_median() -> None:
    from scipy.fft import dctn

    noise = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8)
    low = dctn(noise.astype(float))[1:9, 1:9].ravel()
    bits = "".join("1" if value > np.median(low) else "0" for value in low)
    assert phash(noise) == f"{int(bits, 2):016x}"


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 pixels"):
        phash(np.zeros((16, 16), dtype=np.uint8))
