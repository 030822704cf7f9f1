"""Large files are hashed in blocks, so that they can be moved and checked in parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DamagedBlock:
    """A block whose bytes are not those that were written."""

    file: str
    """Relative to the packed set."""
    block: int
    """From 0; it begins at `block` × the set's block size."""


def block_hashes(path: Path, block_bytes: int) -> tuple[str, ...]:
    """SHA-256 of each block of a file, in order; the last block may be shorter."""
    with path.open("rb") as file:
        return tuple(
            hashlib.sha256(block).hexdigest() for block in iter(lambda: file.read(block_bytes), b"")
        )
