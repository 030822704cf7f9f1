"""A taste of files: enough to tell two data sets apart, and too little to take time."""

from __future__ import annotations

import hashlib
import stat as mode
from collections.abc import Sequence
from pathlib import Path

SMALL_BYTES = 1 << 20
"""A file up to this size is read whole: a table that was merely touched is the same table."""
MOST_FILES = 16
ENDS_BYTES = 1 << 15
"""Of a larger file so much is read at each end."""


def samples_of(folder: Path, listing: Sequence[tuple[str, int, int]]) -> str:
    """SHA-256 over a taste of a few files of a listing, evenly spread over it.

    Two folders of raw images may agree in all names, sizes and times, and not in a pixel.
    """
    files = [(name, size) for name, size, _ in listing if size > 0]
    step = max(1, len(files) // MOST_FILES)
    total = hashlib.sha256()
    for name, size in files[::step][:MOST_FILES]:
        taste = sample_of(folder / name, size, whole_bytes=2 * ENDS_BYTES)
        total.update(f"{taste}\n".encode())
    return total.hexdigest()


def sample_of(path: Path, size: int, *, whole_bytes: int = SMALL_BYTES) -> str:
    """SHA-256 of a file up to `whole_bytes`, or of the ends of a larger one; empty of what cannot
    be read."""
    try:
        if not mode.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            if size <= whole_bytes:
                return hashlib.file_digest(file, "sha256").hexdigest()
            taste = hashlib.sha256(file.read(ENDS_BYTES))
            file.seek(-ENDS_BYTES, 2)
            taste.update(file.read(ENDS_BYTES))
            return taste.hexdigest()
    except OSError:
        return ""
