"""What the pixels of a set are like: histograms, a mean picture a class, the strangest pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset import SUMS, PackedSet
from skint.dataset.array import map_any
from skint.dataset.blobs import BlobImages

SIDE = 64
"""Pixels of a mean picture at most: a thousand classes still fit into memory."""
BINS = 64
REACH = 4.0
"""Histograms of what is not 8 bit reach from mean - 4 to mean + 4 standard deviations."""


@dataclass(frozen=True)
class Look:
    """One pass over the pixels."""

    mean: NDArray[np.float64]
    """(C,) over the finite pixels, in stored units."""
    std: NDArray[np.float64]
    histograms: NDArray[np.int64]
    """(C, BINS) finite pixels."""
    edges: NDArray[np.float64]
    """(C, BINS + 1) in stored units."""
    means: NDArray[np.float64]
    """(classes, h, w, C) in stored units, h and w at most `SIDE`; zero without a picture."""


def look(
    data: PackedSet, labels: NDArray[np.int64], classes: int, seen: Callable[[int], None]
) -> Look:
    """All pictures once, in order; `labels` (N,) with -1 for none. `seen(n)` after n pictures."""
    n, height, width, channels = data.meta.shape
    images = data.images()
    mean, std = finite_moments(data)
    if data.meta.dtype == "uint8":
        edges = np.tile(np.linspace(0, 256, BINS + 1), (channels, 1))
    else:
        reach = REACH * np.where(std > 0, std, 1)
        low = mean - reach if images.dtype.kind != "u" else np.maximum(mean - reach, 0)
        edges = np.linspace(low, mean + reach, BINS + 1, axis=1)
    side = (min(height or SIDE, SIDE), min(width or SIDE, SIDE))
    totals = np.zeros((classes, *side, channels))
    histograms = np.zeros((channels, BINS), dtype=np.int64)
    for row in range(n):
        picture = images[row]
        for channel in range(channels):
            histograms[channel] += _histogram(picture[:, :, channel], edges[channel])
        if labels[row] >= 0:
            totals[labels[row]] += reduce(np.where(np.isfinite(picture), picture, mean), side)
        seen(row + 1)
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    return Look(mean, std, histograms, edges, totals / np.maximum(counts, 1)[:, None, None, None])


def finite_moments(data: PackedSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(C,) mean and deviation; where the set's own are NaN, over the pixels that are finite."""
    mean, std = np.array(data.meta.mean), np.array(data.meta.std)
    if np.isfinite(mean).all():
        return mean, std
    count, total, squares = (np.zeros(len(mean)) for _ in range(3))
    for picture in data.images():
        values = picture.astype(np.float64)
        count += np.isfinite(values).sum(axis=(0, 1))
        values[~np.isfinite(values)] = 0
        total += values.sum(axis=(0, 1))
        squares += np.square(values).sum(axis=(0, 1))
    mean = total / np.maximum(count, 1)
    return mean, np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))


def reduce(picture: NDArray[Any], side: tuple[int, int]) -> NDArray[np.float64]:
    """(h, w, C) means of the blocks of a picture; a smaller picture is repeated."""
    for axis, wanted in enumerate(side):
        size = picture.shape[axis]
        starts = np.arange(wanted) * size // wanted
        if size < wanted:
            picture = np.take(picture, starts, axis=axis)
            continue
        lengths = np.diff(np.append(starts, size))
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        picture = np.add.reduceat(picture, starts, axis=axis, dtype=np.float64)
        picture = picture / lengths.reshape(shape)
    return picture.astype(np.float64)


def _histogram(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=256).reshape(BINS, -1)
        return np.asarray(counts.sum(axis=1))
    finite = values[np.isfinite(values)].astype(np.float64)
    places = (finite - edges[0]) * (BINS / (edges[-1] - edges[0]))
    places = places.clip(0, BINS - 1).astype(np.int64)
    return np.bincount(places, minlength=BINS)


def strangest(data: PackedSet, pixels: Look, count: int) -> dict[str, list[int]]:
    """Ids of the darkest, the brightest and the flattest pictures, the strangest first.

    Pictures with pixels that are not finite come last.
    """
    mean, std = picture_moments(data)
    # Channels may have units of their own: each counts by its deviation over the set.
    scale = np.where(pixels.std > 0, pixels.std, 1.0)
    bright = ((mean - pixels.mean) / scale).mean(axis=1)
    rough = (std / scale).mean(axis=1)
    return {
        "darkest": np.argsort(bright, kind="stable")[:count].tolist(),
        "brightest": np.argsort(-bright, kind="stable")[:count].tolist(),
        "flattest": np.argsort(rough, kind="stable")[:count].tolist(),
    }


def picture_moments(data: PackedSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, C) mean and deviation of each picture, in stored units, from the sums that are kept."""
    sums = np.asarray(map_any(data.folder / SUMS), dtype=np.float64)
    _, height, width, _ = data.meta.shape
    images = data.images()
    pixels = images.sizes.prod(axis=1) if isinstance(images, BlobImages) else height * width
    per_channel = np.broadcast_to(pixels, (len(data),))[:, None]
    mean = sums[:, 0] / per_channel
    with np.errstate(invalid="ignore"):  # infinity less infinity: NaN says it well
        return mean, np.sqrt(np.maximum(sums[:, 1] / per_channel - mean**2, 0))
