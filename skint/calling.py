"""A program in the environment of whoever asked for it, its two streams kept apart.

    python -S -P calling.py DIR

`skint exec` starts programs so. The values of its environment are read from that very process while
the program is started, and stand in no file. What the program prints goes to the log, and which
bytes came from which stream to `log.streams`. Standard library only, a single thread; Linux. On
other systems the environment is the shim's, that is, the scheduler's.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

if __package__ in (None, ""):  # started by its path: -P leaves the folder of skint off the path
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from skint.attempt import AttemptDir, Task
from skint.environment import PREVIOUS, worker_environment
from skint.events import EventWriter
from skint.process import LINUX, PROC, Identity, die_with_parent, is_alive
from skint.visibility import MASK

NOT_STARTED = 127
SIGNALLED = 128
CHUNK_BYTES = 1 << 16
PIPE_CHUNKS = 32
"""More than a pipe can hold."""
READS = "reads"
"""Of a caller that shows what is printed."""
AHEAD_BYTES = 32 << 20
"""So far a program may print ahead of its reader: less than what is kept of a log's end."""
PACE_S = 0.01
NOT_FOR_PROGRAMS = (MASK, "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", PREVIOUS)
"""The devices are the ones that were given, and the tokens are the scheduler's."""


def main(arguments: list[str]) -> int:
    """Run the program of the attempt in the given directory; its exit code, as a shell has it."""
    directory = AttemptDir(Path(arguments[0]).resolve())
    task = directory.read_task()
    events = EventWriter.of(directory, task)
    theirs = environment_of(task.caller or {}) if LINUX else os.environ
    if theirs is None:
        events.error(
            "the shell that this program was started from is gone, and its environment with it",
            next="start it again: skint exec … -- " + " ".join(task.argv),
        )
        return NOT_STARTED
    environment = {
        **worker_environment(directory, task, without(theirs)),
        # What was found in the shell is found here, and not first beside our own interpreter.
        "PATH": theirs.get("PATH", os.defpath),
    }
    try:
        program = start(task, environment)
    except OSError as error:
        events.error(f"{task.argv[0]} cannot be started", where=task.cwd or None, got=str(error))
        return NOT_STARTED
    code = copy(program, directory, Reader(directory, task.caller or {}))
    return code if code >= 0 else SIGNALLED - code


def environment_of(caller: Mapping[str, Any]) -> dict[str, str] | None:
    """The environment with which a process was started; None when that very process is gone."""
    try:
        identity = identity_of(caller)
        text = (PROC / str(identity.pid) / "environ").read_bytes()
    except (OSError, TypeError):
        return None
    if not is_alive(identity):  # after the reading: the pid may have been given out again
        return None
    pairs = (entry.partition(b"=") for entry in text.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def identity_of(caller: Mapping[str, Any]) -> Identity:
    """Raises TypeError where the mapping is none."""
    return Identity(**{name: value for name, value in caller.items() if name != READS})


@dataclass(frozen=True)
class Reader:
    """Who shows what the program prints, if anybody does."""

    directory: AttemptDir
    caller: Mapping[str, Any]

    def is_behind(self, end: int) -> bool:
        """Whether the program has to wait for it, as for the reader of a pipe, where the log has
        so many bytes."""
        if not self.caller.get(READS) or end <= AHEAD_BYTES:
            return False
        try:
            shown = int(self.directory.read.read_bytes())
        except (FileNotFoundError, ValueError):  # it has not begun
            shown = 0
        return end - shown > AHEAD_BYTES and is_alive(identity_of(self.caller))


def without(environment: Mapping[str, str]) -> dict[str, str]:
    return {n: value for n, value in environment.items() if n not in NOT_FOR_PROGRAMS}


def start(task: Task, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def in_child() -> None:
        die_with_parent()
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)

    # A handler, not SIG_IGN, which the program would inherit: TERM is for all of its group, and
    # this process ends when the program has.
    signal.signal(signal.SIGTERM, lambda *_: None)
    return subprocess.Popen(
        task.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=in_child,  # this process has one thread
    )


def copy(program: subprocess.Popen[bytes], directory: AttemptDir, reader: Reader) -> int:
    """Copy what it prints to the log until it ends; its return code."""
    wakeup, writing = os.pipe()
    for end in (wakeup, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    assert program.stdout is not None and program.stderr is not None
    streams = {program.stdout.fileno(): b"o", program.stderr.fileno(): b"e"}
    for stream in streams:
        os.set_blocking(stream, False)
    with open(directory.streams, "ab", buffering=0) as parts:
        while program.poll() is None:
            if reader.is_behind(os.fstat(1).st_size):
                ready, _, _ = select.select([wakeup], [], [], PACE_S)
            else:
                ready, _, _ = select.select([*streams, wakeup], [], [])
            for stream in ready:
                if stream == wakeup:
                    os.read(wakeup, 512)
                elif _take(stream, streams[stream], parts) == b"":
                    del streams[stream]
        for stream, name in streams.items():  # what it has printed last
            for _ in range(PIPE_CHUNKS):  # not for ever: what it has left behind may print on
                if not _take(stream, name, parts):
                    break
    return program.returncode


def _take(stream: int, name: bytes, parts: IO[bytes]) -> bytes | None:
    """Copy one piece; b"" at the end of the stream, None where there is nothing at the moment."""
    try:
        piece = os.read(stream, CHUNK_BYTES)
    except BlockingIOError:
        return None
    if not piece:
        return b""
    try:
        written = 0
        while written < len(piece):
            written += os.write(1, piece[written:])
        end = os.lseek(1, 0, os.SEEK_CUR)
        parts.write(b"%s %d %d\n" % (name, end - len(piece), len(piece)))
    except OSError:  # a full disk: the words are lost, the program goes on
        return piece
    return piece


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
