"""The log of an attempt on the disk: its beginning and its end are kept, whatever a job prints.

What lies between is given back to the disk as a hole, so that no place in the file moves: a writer
appends and a reader goes on as before. Linux only; elsewhere a log grows, and a job that fills the
disk with it is ended. Standard library only: the shim looks at it at each of its beats.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from skint.attempt import AttemptDir
from skint.process import LINUX

MIB = 1 << 20
BLOCK_BYTES = 1 << 16
"""Holes begin and end at multiples of it. Of a block that is cut in part, a disk keeps NULs."""
PIECE_BYTES = 1 << 20
KEEP_SIZE, PUNCH_HOLE = 1, 2
"""`FALLOC_FL_KEEP_SIZE` and `FALLOC_FL_PUNCH_HOLE` of linux/falloc.h."""


@dataclass(frozen=True)
class Bounds:
    """How much of a log is kept."""

    first_bytes: int = 16 * MIB
    last_bytes: int = 64 * MIB
    room_bytes: int = 500 * MIB
    """With less than this free, a job whose log cannot be kept within its bounds is ended."""
    holes: bool = LINUX
    """Whether the system can cut holes into files."""

    @property
    def whole_bytes(self) -> int:
        return self.first_bytes + self.last_bytes

    def parts(self) -> Bounds:
        """Of `log.streams`: a line of it stands for many bytes of the log, or for few."""
        return Bounds(self.first_bytes // 4, self.last_bytes // 4, self.room_bytes, self.holes)


BOUNDS = Bounds()


@dataclass
class Bounded:
    """One file that is kept within its bounds."""

    path: Path
    bounds: Bounds
    size: int = 0
    """In bytes, when it was looked at last; with its hole."""
    _cut: int = 0
    """Where the hole ends; 0 without one."""

    def trim(self) -> int:
        """Cut what is too much; how many bytes of the disk it has beyond its bounds even so."""
        try:
            self.size = self.path.stat().st_size
        except FileNotFoundError:
            return 0
        if self.size < self._cut:  # somebody has emptied it
            self._cut = 0
        if self.size <= self.bounds.whole_bytes + 2 * BLOCK_BYTES:
            return 0
        begin = max(self._cut, -(-self.bounds.first_bytes // BLOCK_BYTES) * BLOCK_BYTES)
        end = (self.size - self.bounds.last_bytes) // BLOCK_BYTES * BLOCK_BYTES
        if self.bounds.holes and end > begin and _punch(self.path, begin, end - begin):
            self._cut = end
        used = self.path.stat().st_blocks * 512
        return max(0, used - self.bounds.whole_bytes - 2 * BLOCK_BYTES)

    @property
    def has_hole(self) -> bool:
        return self._cut > 0


@dataclass
class Keeper:
    """Keeps the log of one attempt, and what says which stream its bytes came from."""

    directory: AttemptDir
    bounds: Bounds = BOUNDS
    _files: tuple[Bounded, Bounded] = field(init=False)
    _said: bool = False

    def __post_init__(self) -> None:
        parts = Bounded(self.directory.streams, self.bounds.parts())
        self._files = (Bounded(self.directory.log, self.bounds), parts)

    def trim(self) -> str:
        """Why the job has to be ended: it fills the disk with its words; empty where it does not.

        Raises OSError.
        """
        beyond = sum([file.trim() for file in self._files])
        if beyond == 0:
            return ""
        disk = os.statvfs(self.directory.path)
        free = disk.f_bavail * disk.f_frsize
        if free >= self.bounds.room_bytes:
            return ""
        used = _mb(beyond + self.bounds.whole_bytes)
        return f"its log has {used} of the disk, and {_mb(free)} are left there"

    def said(self) -> str:
        """That not all of it is kept: once. Empty before, after, and where all is kept."""
        log, bounds = self._files[0], self.bounds
        if self._said or not log.has_hole:
            return ""
        self._said = True
        return (
            f"its log is longer than {_mb(bounds.whole_bytes)}: of {_mb(log.size)} so far the first"
            f" {_mb(bounds.first_bytes)} and always the last {_mb(bounds.last_bytes)} are kept"
        )


def kept(descriptor: int, start: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """What an open file has from `start` to `end`, or to its present end, without holes.

    Pieces of at most a MiB, each with the place where it begins.
    """
    stop = os.fstat(descriptor).st_size if end is None else end
    while start < stop:
        begin, after = _data(descriptor, start)
        if begin >= stop or begin >= after:
            return
        piece = os.pread(descriptor, min(PIECE_BYTES, after - begin, stop - begin), begin)
        if not piece:
            return
        still = _data(descriptor, begin)
        if still[0] == begin and still[1] >= begin + len(piece):  # it was not cut meanwhile
            yield begin, piece
            start = begin + len(piece)


def last_line(log: Path) -> str | None:
    """The last line of a log that is not empty, or None."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def _data(descriptor: int, start: int) -> tuple[int, int]:
    """Where the next bytes that are no hole begin and end; both the size where there are none."""
    size = os.fstat(descriptor).st_size
    with suppress(OSError, AttributeError):  # nothing behind it; a system without holes
        begin = os.lseek(descriptor, start, os.SEEK_DATA)
        return begin, os.lseek(descriptor, begin, os.SEEK_HOLE)
    return (size, size) if hasattr(os, "SEEK_DATA") else (start, size)


def _punch(path: Path, start: int, length: int) -> bool:
    """Give the bytes back to the disk; False where disk or system cannot. Raises OSError."""
    libc = ctypes.CDLL(None)
    fallocate = libc.fallocate64 if hasattr(libc, "fallocate64") else libc.fallocate  # musl
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        return bool(fallocate(descriptor, KEEP_SIZE | PUNCH_HOLE, start, length) == 0)
    finally:
        os.close(descriptor)


def _mb(count: int) -> str:
    return f"{count / MIB:,.1f} MiB" if count < 10 * MIB else f"{count // MIB:,} MiB"
