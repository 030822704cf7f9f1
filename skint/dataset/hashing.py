"""Hashing a file in blocks while it is still being written, so that it need not be read twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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


class PartHasher:
    """The same of the parts of a set, which become final one after the other.

    A part is hashed to its end as soon as the next one is begun: read later, it would have to come
    from the disk again.
    """

    def __init__(self, paths: Iterable[Path], block_bytes: int) -> None:
        self.block_bytes = block_bytes
        self._parts = [BlockHasher(path, block_bytes) for path in paths]
        self._whole = 0
        """So many parts are hashed to their end."""

    def append(self, path: Path) -> None:
        self._parts.append(BlockHasher(path, self.block_bytes))

    def settled(self, part: int, final_bytes: int) -> None:
        """All parts before `part` are final, and of that one the first `final_bytes` bytes."""
        for whole in range(self._whole, part):
            self._parts[whole].finish()
        self._whole = max(self._whole, part)
        if final_bytes:
            self._parts[part].settled(final_bytes)

    def finish(self) -> list[tuple[str, ...]]:
        """The hashes of each part."""
        return [part.finish() for part in self._parts]
