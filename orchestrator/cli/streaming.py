"""What a program prints, copied to this terminal as it comes: each stream to its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from orchestrator.state import RunState, State
from skint.attempt import AttemptDir

LOOK_S = 0.05


@contextmanager
def streamed(
    state: Callable[[], State], name: str, *, out: IO[bytes], say: Callable[[str], None]
) -> Iterator[None]:
    """Copy what the attempts of the run print until the block ends, and then the rest of it.

    Standard output goes to `out`, standard error to ours; why the run waits goes to `say`.
    """
    copying = Copying(out)
    over = threading.Event()

    def look() -> None:
        waits = ""
        while not over.wait(LOOK_S):
            run = state().runs.get(name)
            if run is not None:
                copying.look(run)
                if (why := waits_for(run)) and why != waits:
                    waits = why
                    say(why)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        run = state().runs.get(name)
        if run is not None:
            copying.look(run)
            copying.finish()


def waits_for(run: RunState) -> str:
    """Why its job has not started; empty where it has, or has only just been submitted."""
    return next((job.sentence for job in run.jobs.values() if job.status == "waiting"), "")


class Copying:
    """Reads the logs of a run's attempts one after the other, each piece once."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._part: Part | None = None

    def look(self, run: RunState) -> None:
        for attempt in run.attempts.values():
            if self._part is None or self._part.number < attempt.fence:
                self.finish()
                self._part = Part(attempt.fence, AttemptDir(Path(attempt.folder)), self._out)
        if self._part is not None:
            self._part.copy()

    def finish(self) -> None:
        """What the last attempt's log has that nobody's stream is known of goes to our errors."""
        if self._part is not None:
            self._part.copy()
            self._part.copy_rest()


class Part:
    """The log of one attempt."""

    def __init__(self, number: int, directory: AttemptDir, out: IO[bytes]) -> None:
        self.number = number
        self._directory = directory
        self._out = out
        self._read = 0
        """Bytes of `log.streams`."""
        self._shown = 0
        """Bytes of the log."""

    def copy(self) -> None:
        for stream, start, length in self._parts():
            self._show(self._out if stream == "o" else sys.stderr.buffer, start, length)

    def copy_rest(self) -> None:
        if self._directory.log.exists():
            size = self._directory.log.stat().st_size
            self._show(sys.stderr.buffer, self._shown, size - self._shown)

    def _parts(self) -> Iterator[tuple[str, int, int]]:
        try:
            with open(self._directory.streams, "rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            stream, start, length = line.split()
            yield stream.decode(), int(start), int(length)

    def _show(self, to: IO[bytes], start: int, length: int) -> None:
        if length <= 0:
            return
        with open(self._directory.log, "rb") as log:
            log.seek(start)
            text = log.read(length)
        try:
            to.write(text)
            to.flush()
        except BrokenPipeError:
            _nobody_reads(to)
        self._shown = max(self._shown, start + length)


def _nobody_reads(stream: IO[bytes]) -> None:
    """The reader of `stream` is gone, as behind `| head`. A program ends by that; so this stops
    the run as Ctrl-C does, unless that has come already, and the rest of its words go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    lost = stream.fileno()
    same = [one for one in (1, 2) if one != lost and os.path.sameopenfile(one, lost)]
    for descriptor in (lost, *same):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        main = threading.main_thread().ident
        assert main is not None, "it has started"
        signal.pthread_kill(main, signal.SIGINT)
