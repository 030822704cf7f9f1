"""Packed sets of a few small pictures, in each form that a set has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset import PackedSet, PackedWriter, Sample
from tests.skint.blob_set import blob_set


def pictures(count: int = 11, channels: int = 3, dtype: str = "uint8") -> NDArray[Any]:
    """(count, 6, 5, channels), each different."""
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    draw = np.random.default_rng(3).random((count, 6, 5, channels))
    return (draw * top).astype(dtype)


def in_parts(folder: Path, pixels: NDArray[Any], rows: int) -> PackedSet:
    """A dense set with `rows` pictures in each file."""
    with PackedWriter(
        folder, shape=pixels.shape, dtype=pixels.dtype.name, part_bytes=rows * pixels[0].nbytes
    ) as writer:
        writer.images()[:] = pixels
        writer.finish(
            [Sample(n, str(n), f"{n}.png") for n in range(len(pixels))],
            [],
            channels=[f"c{n}" for n in range(pixels.shape[3])],
            made_by={},
        )
    return PackedSet.open(folder)


def smooth(count: int) -> list[NDArray[np.uint8]]:
    """Pictures of different sizes that JPEG keeps nearly as they are."""
    ramps = [np.linspace(40, 200, 24 * (18 + n) * 3).reshape(24, 18 + n, 3) for n in range(count)]
    return [ramp.astype(np.uint8) for ramp in ramps]


FORMS: dict[str, Callable[[Path, NDArray[Any]], PackedSet]] = {
    "one file": lambda folder, pixels: in_parts(folder, pixels, 100),
    "four files": lambda folder, pixels: in_parts(folder, pixels, 3),
    "a file a picture": lambda folder, pixels: in_parts(folder, pixels, 1),
    "blobs": lambda folder, pixels: blob_set(folder, list(pixels)),
    "webp": lambda folder, pixels: blob_set(folder, list(pixels), codec="webp"),
}
