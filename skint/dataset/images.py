"""The pixels of a packed set, however they are stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.error import DatasetError
from skint.dataset.meta import DatasetMeta

BLOCK_ROWS_BYTES = 8 * 2**20
"""Pixels that `blocks` reads at a time unless told otherwise; one picture at the least."""


class Images(ABC):
    """N pictures (H, W, C) on disk. It may be used from several threads, pickled and forked."""

    def __init__(self, folder: Path, meta: DatasetMeta) -> None:
        self.folder = folder
        self.meta = meta

    def __reduce__(self) -> tuple[Any, ...]:
        # Opened again on the other side: a pickled memory map would carry all its pixels.
        return type(self), (self.folder, self.meta)

    def __len__(self) -> int:
        return self.meta.shape[0]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C); H = W = 0 where the pictures have different sizes."""
        return self.meta.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.meta.dtype)

    @abstractmethod
    def __getitem__(self, row: int) -> NDArray[Any]:
        """(H, W, C), not to be written to; IndexError outside 0..N-1."""

    @abstractmethod
    def _gather(self, rows: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Copy the pictures of `rows`, which are within bounds, to `out`."""

    @abstractmethod
    def _read(self, start: int, out: NDArray[Any]) -> None:
        """Fill `out` (n, H, W, C) with the pictures from `start` on, by bounded reads."""

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for row in range(len(self)):
            yield self[row]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """(N, H, W, C): all of it in memory; for pictures of one size."""
        whole = self.take(np.arange(len(self)))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def take(self, rows: NDArray[np.int64], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """(B, H, W, C): the pictures of `rows`, in their order, copied once.

        `out` is filled and returned where it is given: C order, this shape, the set's dtype. A
        buffer that is used again is several times faster than a new one. Raises DatasetError where
        the pictures have different sizes, IndexError where a row is not in the set.
        """
        rows = np.asarray(rows, dtype=np.int64)
        shape = (len(rows), *self._one_size())
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)} pictures")
        if out is None:
            out = np.empty(shape, dtype=self.dtype)
        elif out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous:
            raise ValueError(f"out is {out.dtype} {out.shape}, not {self.dtype} {shape} in C order")
        self._gather(rows, out)
        return out

    def announce(self, rows: NDArray[np.int64]) -> None:
        """Ask the system to read these pictures from the disk; returns at once.

        A picture that is not in the page cache is otherwise waited for by itself. Raises IndexError
        where a row is not in the set.
        """
        for row in rows.tolist():
            self._announce(self._row(row))

    @abstractmethod
    def _announce(self, row: int) -> None:
        """The same for one row, which is within bounds."""

    def read(self, row: int) -> NDArray[Any]:
        """(H, W, C) in memory, read and not mapped: see `blocks`. For pictures of any size."""
        row = self._row(row)
        out = np.empty((1, *self._size(row), self.shape[3]), dtype=self.dtype)
        self._read(row, out)
        return out[0]  # type: ignore[no-any-return]

    def blocks(self, rows_per_block: int | None = None) -> Iterator[NDArray[Any]]:
        """All pictures in order, as (n, H, W, C) with n = `rows_per_block` but for the last.

        They are read, not mapped: memory stays at one block, where mapped pages would count as
        the process's own. **The block is overwritten by the next one.** Raises DatasetError where
        the pictures have different sizes.
        """
        size = self._one_size()
        if rows_per_block is None:
            picture_bytes = int(np.prod(size)) * self.dtype.itemsize
            rows_per_block = max(1, BLOCK_ROWS_BYTES // max(1, picture_bytes))
        if rows_per_block < 1:
            raise ValueError("a block has at least one picture")
        buffer = np.empty((min(rows_per_block, len(self)), *size), dtype=self.dtype)
        for start in range(0, len(self), rows_per_block):
            block = buffer[: len(self) - start]
            self._read(start, block)
            yield block

    def _size(self, row: int) -> tuple[int, int]:
        """Height and width of one picture."""
        return self.shape[1], self.shape[2]

    def _one_size(self) -> tuple[int, int, int]:
        _, height, width, channels = self.shape
        if len(self) and not (height and width):
            raise DatasetError(
                "these pictures have different sizes",
                where=str(self.folder),
                wanted="pictures of one size",
                next="take them one by one, or pack them with another mode than `keep`",
            )
        return height, width, channels

    def _row(self, row: int) -> int:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} pictures")
        return int(row) % len(self)
