"""Folders of tiny pictures, as people bring them."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image


def picture(path: Path, size: tuple[int, int] = (20, 16)) -> None:
    """A photo that is like no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(str(path).encode()))
    Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)


def pictures(root: Path, names: Iterable[str], size: tuple[int, int] = (20, 16)) -> None:
    for name in names:
        picture(root / name, size)


def bands(path: Path, dtype: str = "uint16", count: int = 5, gap: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(str(path).encode()))
    pixels = rng.integers(0, 3000, (16, 16, count)).astype(dtype)
    if gap:
        pixels[0, 0] = np.nan
    tifffile.imwrite(path, pixels, planarconfig="contig", photometric="minisblack")


def table(
    path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ","
) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(heads)
        writer.writerows(rows)
