"""Hashing a file in blocks while it is still being written, so that it need not be read twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

READ_BYTES = 256 * 1024
"""At a time: what was read is still in the core's cache when it is hashed."""


class BlockHasher:
    """SHA-256 of each block of one file, as far as its bytes are final."""

    def __init__(self, path: Path, block_bytes: int) -> None:
        self.path = path
        self.block_bytes = block_bytes
        self._hashes: list[str] = []

    def settled(self, final_bytes: int) -> None:
        """The first `final_bytes` bytes will not change any more: hash the whole ones of them."""
        if final_bytes // self.block_bytes > len(self._hashes):
            self._read(final_bytes // self.block_bytes)

    def finish(self) -> tuple[str, ...]:
        """The rest of the file, and all hashes."""
        self._read(None)
        return tuple(self._hashes)

    def _read(self, blocks: int | None) -> None:
        """Up to that many blocks; None is all, the last one shorter."""
        view = memoryview(bytearray(min(READ_BYTES, self.block_bytes)))
        with self.path.open("rb", buffering=0) as file:
            file.seek(len(self._hashes) * self.block_bytes)
            while blocks is None or len(self._hashes) < blocks:
                block, left = hashlib.sha256(), self.block_bytes
                while left and (count := file.readinto(view[:left])):
                    block.update(view[:count])
                    left -= count
                if left == self.block_bytes:
                    return
                self._hashes.append(block.hexdigest())
