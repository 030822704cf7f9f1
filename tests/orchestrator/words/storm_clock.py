"""A clock that several processes share: faster than the machine's, and it can jump."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

from orchestrator.clock import SystemClock

SCALE = 100
"""Its seconds in one of the machine's."""


class StormClock(SystemClock):
    """Reads a file of two integers: the machine's monotonic time when it began, and the jumps."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 16)

    @classmethod
    def create(cls, file: Path) -> StormClock:
        file.write_bytes(struct.pack("qq", time.monotonic_ns(), 1_700_000_000_000))
        return cls(file)

    def now_ms(self) -> int:
        begun_ns, jumps_ms = struct.unpack("qq", self._shared[:])
        return int(jumps_ms) + (time.monotonic_ns() - int(begun_ns)) * SCALE // 1_000_000

    def jump(self, seconds: float) -> None:
        begun_ns, jumps_ms = struct.unpack("qq", self._shared[:])
        self._shared[:] = struct.pack("qq", begun_ns, jumps_ms + round(seconds * 1000))
