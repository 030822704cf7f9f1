"""Starting a program from a process with one thread, as `subprocess` does, for half of its cost.

`subprocess` brings `threading` along, which does something after every fork, and forks in a way
that touches more memory; both count where a shim is forked, and forks, for a job of milliseconds.
Standard library only.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from skint.process import die_with_parent

BACK_TO_DEFAULT = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
"""To be handled, and not ignored, by who starts a program: what is handled is back at its default
after an `exec`, without a step between it and the fork."""


def start(command: Sequence[str], environ: Mapping[str, str], *, cwd: str, output: int) -> int:
    """Start a program in a session of its own, which the kernel kills when this process ends; its
    pid. It reads nothing, and both its streams go to the descriptor `output`.

    Raises OSError, as `subprocess` does: its file is the program, or the folder `cwd` where that
    is what is missing.
    """
    found = _candidates(command[0], environ, cwd)
    parent = os.getpid()
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        pid = os.fork()
        if pid == 0:
            _become(found, command, environ, cwd, (nothing, output, output), writing, parent)
        os.close(writing)
        writing = -1
        said = os.read(reading, 64)  # nothing once it has become the program
    finally:
        for descriptor in (reading, writing, nothing):
            if descriptor >= 0:
                os.close(descriptor)
    if said:
        os.waitpid(pid, 0)
        where, _, number = said.decode().partition(" ")
        code = int(number)
        raise OSError(code, os.strerror(code), cwd if where == "cwd" else command[0])
    return pid


def _candidates(program: str, environ: Mapping[str, str], cwd: str) -> list[str]:
    """The files that the program's name may mean, by the path of its own environment."""
    if "/" in program:
        return [program]
    folders = os.get_exec_path(environ)
    found = [
        f"{folder or '.'}/{program}"  # after the change to `cwd`
        for folder in folders
        if os.path.exists(f"{Path(cwd, folder)}/{program}")  # noqa: PTH110 - raises of no folder
    ]
    if not found:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return found


def _become(
    found: Sequence[str],
    command: Sequence[str],
    environ: Mapping[str, str],
    cwd: str,
    streams: tuple[int, int, int],
    writing: int,
    parent: int,
) -> NoReturn:
    """What happens between the fork and the program. Short: each new page of memory costs."""
    step = "cwd"
    code = 0
    try:
        os.setsid()
        die_with_parent()
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)
        for stream, descriptor in enumerate(streams):
            os.dup2(descriptor, stream)
        if cwd:
            os.chdir(cwd)
        step = "program"
        for file in found:
            try:
                os.execve(file, [*command], environ)
            except (OSError, ValueError) as error:  # ValueError: a zero byte in a word
                # As a shell has it: one that may not be run says more than one that is not there.
                number = getattr(error, "errno", None) or errno.EINVAL
                if not code or number not in (errno.ENOENT, errno.ENOTDIR):
                    code = number
    except OSError as error:
        code = error.errno or errno.EINVAL
    finally:
        os.write(writing, f"{step} {code}".encode())
        os._exit(127)
