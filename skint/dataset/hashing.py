"""Hashing a file in blocks while it is still being written, so that it need not be read twice."""

from __future__ import annotations

import hashlib
from pathlib import Path


class BlockHasher:
    """SHA-256 of each block of one file, as far as its bytes are final."""

    def __init__(self, path: Path, block_bytes: int) -> None:
        self.path = path
        self._hashes: list[str] = []
        # One buffer for all blocks: new memory for each would cost a fifth of the hashing.
        self._buffer = bytearray(block_bytes)

    def settled(self, final_bytes: int) -> None:
        """The first `final_bytes` bytes will not change any more: hash the whole ones of them."""
        if final_bytes // len(self._buffer) > len(self._hashes):
            self._read(final_bytes // len(self._buffer))

    def finish(self) -> tuple[str, ...]:
        """The rest of the file, and all hashes."""
        self._read(None)
        return tuple(self._hashes)

    def _read(self, blocks: int | None) -> None:
        """Up to that many blocks; None is all, the last one shorter."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(len(self._hashes) * len(self._buffer))
            view = memoryview(self._buffer)
            while blocks is None or len(self._hashes) < blocks:
                filled = 0
                while filled < len(view) and (count := file.readinto(view[filled:])):
                    filled += count
                if not filled:
                    return
                self._hashes.append(hashlib.sha256(view[:filled]).hexdigest())
