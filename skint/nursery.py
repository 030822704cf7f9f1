"""The nursery: shims are forked from here, since an interpreter of its own for each costs most of
what a short job costs.

    python -S -P nursery.py DESCRIPTOR PADDING

It answers on the socket DESCRIPTOR, in lines of JSON: to a request with the attempt's directory,
`{"pid": …}` or `{"error": …}`; and `{"left": pid, "code": …}` whenever a shim has ended. It ends
with the scheduler, and its shims do not: each has a session, an environment, a log and a title of
its own, as if it had been started by `exec`. It has one thread and has imported nothing but what
a shim needs. Linux only; where it cannot work it says so at once and ends.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

if __package__ in (None, ""):  # started by its path: -P leaves the folder of skint off the path
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from skint import shim
from skint.attempt import AttemptDir
from skint.bell import drain, ring

PADDING = "." * 8192
"""Makes room for the title of a shim: a program can be renamed only in place."""


@dataclass(frozen=True)
class Request:
    """What a shim is started with."""

    directory: str
    environ: dict[str, str]
    bell: str = ""


class Title:
    """What the system shows as the command of this process and of those forked from it.

    Raises OSError where that cannot be set.
    """

    def __init__(self) -> None:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        self._start, end = int(fields[45]), int(fields[46])
        self._room = end - self._start
        if self._start == 0 or self._room < len(PADDING):
            raise OSError("the place of the command line is not known")

    def fits(self, *words: str) -> bool:
        return len(self._text(words)) <= self._room

    def set(self, *words: str) -> None:
        ctypes.memmove(self._start, self._text(words).ljust(self._room, b"\0"), self._room)

    def _text(self, words: tuple[str, ...]) -> bytes:
        return b"".join(os.fsencode(word) + b"\0" for word in words)


class Nursery:
    def __init__(self, descriptor: int) -> None:
        self._socket = descriptor
        self._title = Title()
        self._bells: dict[int, str] = {}
        """By shim, what is rung if it dies."""
        self._wakeup, self._waking = os.pipe()
        for end in (self._wakeup, self._waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._title.set(sys.executable, "-P", "-S", __file__)
        if Path("/proc/self/cmdline").read_bytes().split(b"\0")[3] != os.fsencode(__file__):
            raise OSError("the command line cannot be set")

    def serve(self) -> None:
        """Start shims until the scheduler is gone."""
        self._say({"ready": os.getpid()})
        gc.collect()
        gc.freeze()  # what is here already is shared with the shims: not to be touched
        text = b""
        while True:
            ready, _, _ = select.select([self._socket, self._wakeup], [], [])
            if self._wakeup in ready:
                drain(self._wakeup)
                self._reap()
            if self._socket in ready:
                new = os.read(self._socket, 1 << 16)
                if not new:
                    return
                *lines, text = (text + new).split(b"\n")
                for line in lines:
                    self._start(Request(**json.loads(line)))

    def _start(self, request: Request) -> None:
        title = (sys.executable, "-P", "-S", shim.__file__, request.directory)
        try:
            if not self._title.fits(*title):
                raise OSError("the path of its folder is too long")
            pid = os.fork()
        except OSError as error:
            self._say({"error": str(error)})
            return
        if pid == 0:
            self._become(request, title)
        self._bells[pid] = request.bell
        self._say({"pid": pid})

    def _become(self, request: Request, title: tuple[str, ...]) -> NoReturn:
        """Be the shim that `title` says, and nothing of the nursery any more."""
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (self._socket, self._wakeup, self._waking):
                os.close(descriptor)
            os.environ.clear()
            os.environ.update(request.environ)
            self._title.set(*title)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            log = os.open(AttemptDir(Path(request.directory)).log, flags, 0o666)
            for stream in (1, 2):
                os.dup2(log, stream)
            os.close(log)
            code = shim.main([request.directory])
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            bell = self._bells.pop(pid)
            self._say({"left": pid, "code": code})
            if code and bell:  # it has not rung itself
                ring(Path(bell))

    def _say(self, words: dict[str, object]) -> None:
        text = json.dumps(words).encode() + b"\n"
        while text:
            text = text[os.write(self._socket, text) :]


def main(arguments: list[str]) -> int:
    """Serve on the socket with the given number until its other end is closed."""
    try:
        nursery = Nursery(int(arguments[0]))
    except (OSError, ValueError, IndexError) as error:
        print(f"no nursery of shims here: {error}", file=sys.stderr)
        return 1
    try:
        nursery.serve()
    except (BrokenPipeError, ConnectionResetError):  # the scheduler is gone
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
