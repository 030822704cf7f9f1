"""The rows of unfinished arrays of a packed set, written in any order from any process."""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import (
    dtype_to_descr,
    read_array_header_1_0,
    read_magic,
    write_array_header_1_0,
)
from numpy.typing import NDArray

AT_ONCE = 16
"""Files that are open at most: rows come nearly in order, and a process may have 1,024."""


@dataclass(frozen=True)
class Canvas:
    """Writable rows over one or several `.npy` files. Pickled, it carries their names only."""

    files: tuple[Path, ...]
    rows_per_file: int
    """All files but the last have so many."""
    shape: tuple[int, ...]
    """(N, ...)."""
    dtype: str
    _maps: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)
    _open: dict[int, tuple[FileIO, int]] = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.files, self.rows_per_file, self.shape, self.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, row: int) -> NDArray[Any]:
        """One row, writable; IndexError outside 0..N-1."""
        number, inner = self._place(row)
        if number not in self._maps:
            while len(self._maps) >= AT_ONCE:
                self._maps.pop(next(iter(self._maps)))
            self._maps[number] = np.load(self.files[number], mmap_mode="r+")
        return self._maps[number][inner]  # type: ignore[no-any-return]

    def __setitem__(self, rows: int | slice, values: Any) -> None:
        """`values` are broadcast to a row, or to the rows of a slice."""
        if not isinstance(rows, slice):
            self[rows][...] = values
            return
        chosen = range(len(self))[rows]
        for row, value in zip(
            chosen, np.broadcast_to(values, (len(chosen), *self.shape[1:])), strict=True
        ):
            self[row][...] = value

    def put(self, row: int, values: NDArray[Any]) -> None:
        """Write one row, of just its shape and dtype, to the file.

        Cheaper than `canvas[row] = values`: no page of a memory map has to be made first. Do not
        mix the two on one row.
        """
        if values.shape != self.shape[1:] or values.dtype != self.dtype:
            raise ValueError(
                f"a row is {self.dtype} {self.shape[1:]}, not {values.dtype} {values.shape}"
            )
        number, inner = self._place(row)
        if number not in self._open:
            while len(self._open) >= AT_ONCE:
                self._open.pop(next(iter(self._open)))[0].close()
            file = self.files[number].open("r+b", buffering=0)
            read_magic(file)
            read_array_header_1_0(file)
            self._open[number] = file, file.tell()
        opened, begin = self._open[number]
        write_fully(opened, np.ascontiguousarray(values), begin + inner * values.nbytes)

    @property
    def bytes(self) -> int:
        """Of all rows."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def settled_bytes(self, rows: int) -> tuple[int, int]:
        """The first file that is not whole once the first `rows` rows are final, and how many bytes
        of it are."""
        number, inner = divmod(rows, self.rows_per_file)
        row_bytes = math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize
        # A header is written first and has at least 64 bytes; counting no more is safe.
        return number, 64 + inner * row_bytes if inner else 0

    def close(self) -> None:
        for file, _begin in self._open.values():
            file.close()
        self._open.clear()
        self._maps.clear()

    def _place(self, row: int) -> tuple[int, int]:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} rows")
        return divmod(row, self.rows_per_file)


def create(canvas: Canvas) -> None:
    """Make its files, with their space taken; what is there already, of the same form, is kept.

    Raises OSError (ENOSPC) where the disk is full.
    """
    for number, path in enumerate(canvas.files):
        begin = number * canvas.rows_per_file
        rows = min(len(canvas) - begin, canvas.rows_per_file)
        shape = (rows, *canvas.shape[1:])
        with path.open("r+b" if path.exists() else "w+b") as file:
            header = {
                "descr": dtype_to_descr(np.dtype(canvas.dtype)),
                "fortran_order": False,
                "shape": shape,
            }
            write_array_header_1_0(file, header)
            size = file.tell() + math.prod(shape) * np.dtype(canvas.dtype).itemsize
            file.flush()
            take_space(file.fileno(), size)


def has_room(canvases: Sequence[Canvas], more_bytes: int = 0) -> tuple[bool, int]:
    """Whether the disk has room for all their files, and how many bytes they take together.

    Asked before any of it is taken: a disk that is full for a moment fails whoever else uses it.
    """
    wanted = more_bytes + sum(canvas.bytes for canvas in canvases)
    files = [path for canvas in canvases for path in canvas.files if path.exists()]
    taken = sum(path.stat().st_size for path in files)
    return wanted - taken <= shutil.disk_usage(canvases[0].files[0].parent).free, wanted


def take_space(descriptor: int, size: int) -> None:
    """Make a file that large now: a disk that fills up under a memory map kills the process."""
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(descriptor, 0, size)
    os.ftruncate(descriptor, size)


def write_fully(file: FileIO, values: NDArray[Any], offset: int) -> None:
    """Write an array in C order to a place of a file."""
    view: Any = values.reshape(-1).view(np.uint8).data
    while len(view):
        count = os.pwrite(file.fileno(), view, offset)
        view, offset = view[count:], offset + count


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def flush(files: Sequence[Path]) -> None:
    """Wait until what was written to these files by any process is on the disk."""
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
