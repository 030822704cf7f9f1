"""Decodes pictures into the rows of a packed set. Runs in the processes of `resize`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.decode import Mode, square
from jobs.unreadable import Unreadable


@dataclass(frozen=True)
class Source:
    """A picture and the row it goes to."""

    row: int
    path: str
    sha256: str


@dataclass(frozen=True)
class Packing:
    """Where pictures come from, where they go, and how."""

    root: str
    array: str
    """The unfinished `images.npy`."""
    size: int
    mode: Mode


def pack(packing: Packing, sources: Sequence[Source]) -> list[str]:
    """Write each picture to its row; an empty string for each, or why it could not be."""
    images = np.load(packing.array, mmap_mode="r+")
    return [_pack(packing, images, source) for source in sources]


def lost(source: Source) -> str:
    """What is said of a picture that killed the process that decoded it."""
    return "crashes the decoder"


def _pack(
    packing: Packing, images: np.memmap[tuple[int, ...], np.dtype[np.generic]], source: Source
) -> str:
    try:
        content = (Path(packing.root) / source.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != source.sha256:
            return "is not the file that was scanned: its bytes have changed"
        picture = square(content, packing.size, packing.mode)
    except Unreadable as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if picture.shape != images.shape[1:] or picture.dtype != images.dtype:
        return f"is {picture.dtype} {picture.shape}, not what the scan found"
    images[source.row] = picture
    return ""
