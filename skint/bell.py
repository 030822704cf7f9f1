"""The bell of a scheduler: whoever has something for it rings, so that it need not look all day.

A FIFO. It outlives the scheduler that made it, is found by its path, and rings on this machine
only: on another machine that shares the disk, or where a disk has no FIFOs, nobody hears it, and
the scheduler looks now and then as it always does. A ring says that there is something to see,
never what: one that is lost or doubled changes nothing. Standard library only.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

NAME = "bell"
"""Its name in SKINT_HOME."""
VARIABLE = "SKINT_BELL"
"""Environment variable of a shim with the path of the bell that it rings at the end."""


class Bell:
    """The end that hears. Raises OSError where there can be no bell."""

    def __init__(self, path: Path) -> None:
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not stat.S_ISFIFO(os.fstat(self.descriptor).st_mode):
                raise FileExistsError(f"{path} is there and is no bell")
            # With nobody at the other end it would be at its end of file, which is always ready.
            self._held = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            os.close(self.descriptor)
            raise

    def silence(self) -> None:
        """Forget what was rung so far."""
        drain(self.descriptor)

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self._held)


def ring(path: Path) -> None:
    """Ring the bell at `path`. Nothing happens where there is none, or nobody hears it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            with suppress(BlockingIOError, BrokenPipeError):  # full: it is heard anyway
                os.write(descriptor, b"\n")
    finally:
        os.close(descriptor)


def drain(descriptor: int) -> None:
    """Read a descriptor that does not block until it has no more."""
    with suppress(BlockingIOError):
        while os.read(descriptor, 512):
            pass
