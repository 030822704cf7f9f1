"""Batches of a packed set as NumPy arrays: one gather each, into buffers that are used again.

    for pixels, rows in batches(packed.images(), order, batch_size=64):
        ...                       # (B, H, W, C) in the set's dtype; rows (B,) int64

`skint.loader` gives the same to torch, shuffled and resumable.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skint.errors import SkintError
from skint.prefetch import AHEAD, HELD, Ring, filled

Rows = NDArray[np.int64]


class BatchError(SkintError):
    """The rows or the pictures make no batches."""


class Pictures(Protocol):
    """`skint.dataset.images.Images`, or anything that gathers like it."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def take(self, rows: Any, out: Any) -> Any: ...
    def announce(self, rows: Any) -> None: ...


class ArrayPictures:
    """Pictures in memory, (N, H, W, C), gathered like those on disk."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        self.pixels = pixels
        self.shape = pixels.shape
        self.dtype = pixels.dtype

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: Rows, out: NDArray[Any]) -> NDArray[Any]:
        # mode="clip" lets NumPy write into `out` directly; the default mode buffers it.
        return np.take(self.pixels, rows, axis=0, out=out, mode="clip")

    def announce(self, rows: Rows) -> None:
        """They are in memory."""


def pictures_of(images: Pictures | NDArray[Any]) -> Pictures:
    return ArrayPictures(images) if isinstance(images, np.ndarray) else images


def as_rows(rows: Any) -> Rows:
    """`rows` as int64; raises BatchError for a mask of true and false, which is no list of rows."""
    array = np.asarray(rows)
    if array.dtype == np.bool_:
        raise BatchError(
            "rows are wanted, not a mask",
            got=f"{len(array)} times true or false",
            next="np.flatnonzero(mask) has the rows",
        )
    return np.ascontiguousarray(array, dtype=np.int64)


def check_rows(images: Pictures, rows: Rows, batch_size: int) -> None:
    """Raise BatchError, before the first batch, where a gather could not be right."""
    if batch_size < 1:
        raise BatchError("a batch has at least one sample", got=batch_size)
    if len(images) and 0 in images.shape[1:]:
        raise BatchError(
            "pictures of different sizes make no batch",
            wanted="pictures of one size",
            next="pack them with another mode than `keep`",
        )
    if len(rows) and (rows.min() < 0 or rows.max() >= len(images)):
        raise BatchError(
            "a row lies outside the packed set",
            got=f"rows {rows.min()} to {rows.max()}",
            wanted=f"0 to {len(images) - 1}",
        )


def split(rows: Rows, batch_size: int) -> Iterator[Rows]:
    """`rows` in order, `batch_size` at a time; the last part may be smaller."""
    return (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))


LEAST = 2
"""Samples that batch normalisation can train on."""


def batch_count(rows: int, batch_size: int, ranks: int = 1) -> int:
    """Batches of an epoch: the last one needs `LEAST` samples for each process, or to be the only
    one."""
    whole, rest = divmod(rows, batch_size)
    return whole + int(rest >= LEAST * ranks or (rest > 0 and whole == 0))


def share(rows: Rows, part: int, parts: int) -> Rows:
    """What one of `parts` processes takes of a batch: no two sizes differ by more than one.

    Of fewer rows than processes, the last one more than once: none is left with nothing.
    """
    return rows[part::parts] if part < len(rows) else rows[-1:]


class FirstPass:
    """Announces each part while the one before is gathered, so that a cold disk is not waited for.

    Until as many rows have gone by as there are: then they should be in the page cache, and to
    announce them would cost a tenth of the gather for nothing. Rows that are more than the
    machine's memory holds are announced always.
    """

    def __init__(self, images: Pictures, count: int) -> None:
        self.images = images
        picture_bytes = int(np.prod(images.shape[1:])) * images.dtype.itemsize
        memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.left = float(count) if count * picture_bytes < memory_bytes else math.inf

    def ahead(self, plan: Iterator[Rows]) -> Iterator[Rows]:
        """The parts of `plan`."""
        before: Rows | None = None
        for rows in plan:
            if self.left > 0:
                self.images.announce(rows)
                self.left -= len(rows)
            if before is not None:
                yield before
            before = rows
        if before is not None:
            yield before


def batches(
    images: Pictures | NDArray[Any], rows: Rows, *, batch_size: int, prefetch: bool = True
) -> Iterator[tuple[NDArray[Any], Rows]]:
    """(pixels (B, H, W, C), rows (B,)) over `rows` in their order.

    `pixels` stay valid until the next batch but one is asked for. With `prefetch`, a thread gathers
    the next batches meanwhile. Raises BatchError where a row is not in the set.
    """
    source, rows = pictures_of(images), as_rows(rows)
    check_rows(source, rows, batch_size)
    ring = Ring(HELD + AHEAD if prefetch else HELD)
    shape = (ring.slots, min(batch_size, len(rows)), *source.shape[1:])
    buffers = np.empty(shape, dtype=source.dtype)

    def fill(slot: int, part: Rows) -> None:
        source.take(part, buffers[slot, : len(part)])

    def give() -> Iterator[tuple[NDArray[Any], Rows]]:
        plan = FirstPass(source, len(rows)).ahead(split(rows, batch_size))
        for slot, part in filled(ring, fill, plan, thread=prefetch):
            yield buffers[slot, : len(part)], part

    return give()
