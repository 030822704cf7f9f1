from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import skint
from jobs.resize.job import Params as ResizeParams
from jobs.resize.job import resize
from jobs.scan.job import Params, scan
from skint.dataset import PackedSet

ON_A_MAP = (33550, "d", 3, (10.0, 10.0, 0.0), True)


def values(seed: int, channels: int, most: int = 3000) -> NDArray[np.uint16]:
    pixels = np.random.default_rng(seed).integers(0, most, (24, 24, channels))
    return pixels.astype(np.uint16)


def source_of(folder: Path, channels: int, kind: str, most: int = 3000, **options: Any) -> Path:
    for number in range(4):
        file = folder / "ab"[number % 2] / f"{number}.{kind}"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = values(number, channels, most)
        if kind == "png":
            file.write_bytes(imagecodecs.png_encode(pixels[:, :, 0] if channels == 1 else pixels))
        else:
            colour = "rgb" if channels == 3 else "minisblack"
            plane = {"planarconfig": "contig"} if channels > 1 else {}
            stored = pixels if channels > 1 else pixels[:, :, 0]
            tifffile.imwrite(file, stored, photometric=colour, **plane, **options)
    return folder


def packed(folder: Path, source: Path, **params: Any) -> tuple[PackedSet, list[str]]:
    scanning = skint.Context.for_test(folder / "scan")
    scan(Params(source=source, **params), scanning)
    ctx = skint.Context.for_test(folder / "pack", inputs={"scan": scanning.out})
    resize(ResizeParams(size=(24,)), ctx)
    lines = scanning.attempt.events.read_text().splitlines()
    told = [event["text"] for event in map(json.loads, lines) if event["kind"] == "note"]
    return PackedSet.open(ctx.out), told


@pytest.mark.parametrize("kind", ["tif", "png"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_sixteen_bits_of_few_channels_can_stay_what_they_are(
    tmp_path: Path, kind: str, channels: int
) -> None:
    source = source_of(tmp_path / "source", channels, kind)
    data, told = packed(tmp_path, source, sixteen_bits="bands")
    assert data.images().dtype == np.uint16 and data.images().shape == (4, 24, 24, channels)
    assert np.array_equal(data.images()[0], values(0, channels))
    assert np.array_equal(data.images()[3], values(3, channels))
    assert not any("16 bits" in note for note in told)


def test_a_tiff_with_a_place_on_a_map_is_bands_unless_photos_are_wanted(tmp_path: Path) -> None:
    source = source_of(tmp_path / "source", 3, "tif", extratags=[ON_A_MAP])
    data, _told = packed(tmp_path / "auto", source)
    assert data.images().dtype == np.uint16
    assert np.array_equal(data.images()[0], values(0, 3))
    data, _told = packed(tmp_path / "photos", source, sixteen_bits="photos")
    assert data.images().dtype == np.uint8


@pytest.mark.parametrize(("kind", "channels"), [("tif", 3), ("tif", 1), ("png", 3), ("png", 1)])
def test_photos_that_use_few_of_their_levels_are_told(
    tmp_path: Path, kind: str, channels: int
) -> None:
    data, told = packed(tmp_path, source_of(tmp_path / "source", channels, kind))
    assert data.images().dtype == np.uint8
    (note,) = [note for note in told if "16 bits" in note]
    most = int(np.asarray(data.images()).max())
    assert most in (11, 12)
    assert note.startswith("the 4 pictures of 16 bits become 8 bits")
    assert f"use {most} or fewer" in note and "`sixteen_bits: bands`" in note


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_photos_that_use_their_range_are_not_told(tmp_path: Path, kind: str) -> None:
    data, told = packed(tmp_path, source_of(tmp_path / "source", 3, kind, most=65_536))
    assert data.images().dtype == np.uint8
    assert not any("16 bits" in note for note in told)
