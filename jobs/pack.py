"""Decodes pictures into the rows of a packed set. Runs in the processes of `resize`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.decode import Mode, Wanted, pictures
from jobs.unreadable import Unreadable
from skint.dataset.canvas import Canvas


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
    canvas: Canvas
    """The unfinished rows of the packed set."""
    size: int
    mode: Mode


def pack(packing: Packing, sources: Sequence[Source]) -> list[str]:
    """Write each picture to its row; an empty string for each, or why it could not be."""
    return [_pack(packing, source) for source in sources]


def lost(source: Source) -> str:
    """What is said of a picture that killed the process that decoded it."""
    return "crashes the decoder"


def _pack(packing: Packing, source: Source) -> str:
    try:
        content = (Path(packing.root) / source.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != source.sha256:
            return "is not the file that was scanned: its bytes have changed"
        (picture,) = pictures(content, Wanted((packing.size,), packing.mode))
    except Unreadable as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    canvas = packing.canvas
    if picture.shape != canvas.shape[1:] or picture.dtype != canvas.dtype:
        return f"is {picture.dtype} {picture.shape}, not what the scan found"
    canvas[source.row] = picture
    return ""
