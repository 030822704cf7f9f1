"""One listener for each Slack app on this machine: Slack gives every press to one connection only,
so a second one would swallow presses that are meant for the first."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

FOLDER = Path(".skint", "listeners")
"""In the home directory, also where SKINT_HOME is elsewhere: an app is one person's."""


class Claim:
    """The right to listen with a token. Held until `release`, or until the process ends."""

    def __init__(self, token: str, folder: Path | None = None) -> None:
        digest = hashlib.sha256(token.encode()).hexdigest()[:16]
        self.path = (folder or Path.home() / FOLDER) / f"{digest}.lock"
        self._descriptor: int | None = None

    def take(self, who: str) -> bool:
        """Whether it is ours now; `who` is what others are told of us. Raises OSError."""
        if self._descriptor is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"pid {os.getpid()}, {who}".encode())
        except OSError as error:
            os.close(descriptor)  # with it goes the lock, which nobody else would hold
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """What whoever has it says of itself."""
        return self.path.read_text(errors="replace")

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
