"""Arrays on disk (.npy), opened with errors that name the file."""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from skint.dataset.error import DatasetError


def map_any(path: Path) -> np.memmap[Any, np.dtype[Any]]:
    """A read-only memory map; raises DatasetError unless the file holds an array in C order."""
    try:
        array = open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise DatasetError("a file of the packed set is missing", where=str(path)) from error
    except (ValueError, EOFError, OSError) as error:
        # A file that was cut short is refused by the memory map.
        raise DatasetError("the array is damaged", where=str(path), got=error) from error
    if not array.flags.c_contiguous:
        raise DatasetError("the array is not in C order", where=str(path))
    return array


def map_array(path: Path, shape: tuple[int, ...], dtype: str) -> np.memmap[Any, np.dtype[Any]]:
    """The same; raises DatasetError unless the array has just that shape and dtype."""
    array = map_any(path)
    if array.shape != shape or array.dtype.name != dtype:
        raise DatasetError(
            "the array is not the one that dataset.json describes",
            where=str(path),
            got=f"{array.dtype.name} {array.shape}",
            wanted=f"{dtype} {shape}",
        )
    return array


def announce(mapped: np.memmap[Any, np.dtype[Any]], start: int, length: int) -> None:
    """Ask the system to read `length` bytes of a memory map from `start` on; returns at once."""
    file: object = mapped.base
    if not isinstance(file, mmap.mmap) or not hasattr(mmap, "MADV_WILLNEED"):
        return
    # NumPy maps from the last boundary before the first element.
    begin = mapped.offset % mmap.ALLOCATIONGRANULARITY + start
    page = begin - begin % mmap.PAGESIZE
    with suppress(OSError):  # it is advice: a file system may refuse it
        file.madvise(mmap.MADV_WILLNEED, page, begin + length - page)
