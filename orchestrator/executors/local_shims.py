"""Starting shims on this machine: from the nursery where there is one, else by `exec`.

Whichever way, and however often: the claim in the attempt's folder lets only one shim run it. So
where the nursery gives no answer the shim is started once more, and no question is left open.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from skint import bell, nursery, process, shim
from skint.attempt import AttemptDir

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""A nursery that says nothing for so long is given up."""
MAX_FAILURES = 3
"""After so many nurseries that died there is not another one."""


class Shim(Protocol):
    """One that this process has started."""

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None:
        """Its exit code; None while it runs. 0 also where nobody knows it any more."""


class Shims:
    def __init__(self, bell_path: Path | None = None, *, forks: bool = process.LINUX) -> None:
        """`bell_path`: what they ring when their attempt has ended. `forks`: from a nursery."""
        self._bell = str(bell_path or "")
        self._nursery: Nursery | None = None
        self._failures = 0 if forks else MAX_FAILURES

    def start(self, directory: AttemptDir, environ: Mapping[str, str]) -> Shim:
        """Start the shim of the attempt whose task stands in `directory`. Raises OSError."""
        environ = {**environ, bell.VARIABLE: self._bell} if self._bell else dict(environ)
        with open(directory.log, "ab") as log:  # here, where somebody hears of it if it fails
            if self._failures < MAX_FAILURES:
                try:
                    return self._forked(directory, environ)
                except NurseryGone as gone:
                    self._failures += 1
                    self.close()
                    _log.warning("shims are started one by one for now: %s", gone)
            return subprocess.Popen(
                [sys.executable, "-P", "-S", shim.__file__, str(directory.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environ,
                start_new_session=True,
            )

    def prepare(self, environ: Mapping[str, str]) -> None:
        """Start the nursery ahead of the first shim. Raises OSError."""
        if self._nursery is None and self._failures < MAX_FAILURES:
            self._nursery = Nursery(environ)

    def close(self) -> None:
        """End the nursery; the shims go on."""
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _forked(self, directory: AttemptDir, environ: Mapping[str, str]) -> Shim:
        self.prepare(environ)
        assert self._nursery is not None
        return self._nursery.fork(directory, environ, self._bell)


class NurseryGone(Exception):
    """It has died, does not answer, or cannot work here. What was asked may have happened."""


class Forked:
    """A shim of the nursery. Once the nursery is gone nobody learns its exit code."""

    def __init__(self, home: Nursery, pid: int) -> None:
        self.returncode: int | None = None
        self._nursery = home
        self._identity = process.identity(pid)

    def poll(self) -> int | None:
        if self.returncode is None:
            self._nursery.look()
        if self.returncode is None and self._nursery.gone:
            alive = self._identity is not None and process.is_alive(self._identity)
            self.returncode = None if alive else 0
        return self.returncode


class Nursery:
    """Our end of the line to a nursery. Raises OSError where it cannot be started."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.gone = False
        self._ready = False
        self._answer: dict[str, Any] | None = None
        self._left: dict[int, int] = {}
        """Codes of shims that have ended before we had them under their pid."""
        self._shims: dict[int, Forked] = {}
        self._text = b""
        ours, theirs = socket.socketpair()
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-S", nursery.__file__, number, nursery.PADDING],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=dict(environ),
                start_new_session=True,  # Ctrl-C in our terminal is not for it
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours.detach()
        os.set_blocking(self._socket, False)
        self._closed = weakref.finalize(self, os.close, self._socket)

    def fork(self, directory: AttemptDir, environ: Mapping[str, str], bell_path: str) -> Forked:
        """Start a shim. Raises NurseryGone, and OSError where it says that it has not."""
        request = {"directory": str(directory.path), "environ": environ, "bell": bell_path}
        until_s = time.monotonic() + ANSWER_TIMEOUT_S
        while not self._ready:
            self._wait(select.POLLIN, until_s)
        self._send(json.dumps(request).encode() + b"\n", until_s)
        while self._answer is None:
            self._wait(select.POLLIN, until_s)
        answer, self._answer = self._answer, None
        if "pid" not in answer:
            raise OSError(answer["error"])
        pid = answer["pid"]
        forked = Forked(self, pid)
        forked.returncode = self._left.pop(pid, None)
        if forked.returncode is None:
            self._shims[pid] = forked
        return forked

    def look(self) -> None:
        """Hear what it has said meanwhile."""
        while not self.gone:
            try:
                new = os.read(self._socket, 1 << 16)
            except BlockingIOError:
                return
            except ConnectionResetError:
                new = b""
            self.gone = not new
            *lines, self._text = (self._text + new).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))

    def close(self) -> None:
        """Let it end; one that does not is killed. Its shims are not ended."""
        self.gone = True
        self._closed()
        try:
            self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self, words: dict[str, Any]) -> None:
        if "ready" in words:
            self._ready = True
        elif "left" in words:
            forked = self._shims.pop(words["left"], None)
            if forked is None:
                self._left[words["left"]] = words["code"]
            else:
                forked.returncode = words["code"]
        else:
            self._answer = words

    def _send(self, text: bytes, until_s: float) -> None:
        while text:
            self._wait(select.POLLOUT, until_s)
            try:
                text = text[os.write(self._socket, text) :]
            except BlockingIOError:
                continue
            except (BrokenPipeError, ConnectionResetError) as error:
                raise NurseryGone("the nursery of shims has died") from error

    def _wait(self, event: int, until_s: float) -> None:
        """Until it can be read or written. Raises NurseryGone."""
        ready = select.poll()
        ready.register(self._socket, event | select.POLLIN)
        left_ms = max(0, round((until_s - time.monotonic()) * 1000))
        if not ready.poll(left_ms):
            raise NurseryGone(f"the nursery of shims said nothing for {ANSWER_TIMEOUT_S:.0f} s")
        self.look()
        if self.gone:
            raise NurseryGone("the nursery of shims has died")
