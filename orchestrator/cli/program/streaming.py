"""What a program prints, copied to this terminal as it comes: each stream to its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.cli.program.outlet import Outlet
from orchestrator.state.state import RunState, State
from skint.attempt import AttemptDir
from skint.log import kept

LOOK_S = 0.05
TELL_BYTES = 4 << 20


@contextmanager
def streamed(
    state: Callable[[], State], name: str, *, outlet: Outlet, say: Callable[[str], None]
) -> Iterator[None]:
    """Copy what the attempts of the run print until the block ends, and then the rest of it.

    Both streams go to `outlet`; why the run waits goes to `say`.
    """
    copying = Copying(outlet)
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

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._part: Part | None = None

    def look(self, run: RunState) -> None:
        for attempt in run.attempts.values():
            if self._part is None or self._part.number < attempt.fence:
                self.finish()
                self._part = Part(attempt.fence, AttemptDir(Path(attempt.folder)), self._outlet)
        if self._part is not None:
            self._part.copy()

    def finish(self) -> None:
        """What the last attempt's log has that nobody's stream is known of goes to our errors."""
        if self._part is not None:
            self._part.copy()
            self._part.copy_rest()


class Part:
    """The log of one attempt."""

    def __init__(self, number: int, directory: AttemptDir, outlet: Outlet) -> None:
        self.number = number
        self._directory = directory
        self._outlet = outlet
        self._read = 0
        """Bytes of `log.streams`."""
        self._half = b""
        """The beginning of a line of it of which the end is not written yet."""
        self._shown = 0
        """Bytes of the log."""
        self._told = 0
        self._missing = 0

    def copy(self) -> None:
        try:
            with (
                open(self._directory.streams, "rb") as parts,
                open(self._directory.log, "rb") as log,
            ):
                for stream, start, length in self._parts(parts.fileno()):
                    self._pass_over(start)
                    self._show(stream, log.fileno(), start + length)
        except FileNotFoundError:  # it has not printed yet, or somebody has removed its folder
            return

    def copy_rest(self) -> None:
        if self._directory.log.exists():
            with open(self._directory.log, "rb") as log:
                self._show("e", log.fileno(), log.seek(0, os.SEEK_END))

    def _parts(self, descriptor: int) -> Iterator[tuple[str, int, int]]:
        for begin, text in kept(descriptor, self._read):
            lines = (self._half + text).split(b"\n")
            if begin > self._read:  # cut within a line, and of the first that is left, too
                lines = text.split(b"\n")[1:]
            self._read = begin + len(text)
            self._half = lines.pop() if lines else b""
            for line in lines:
                stream, start, length = line.split()
                yield stream.decode(), int(start), int(length)

    def _show(self, stream: str, log: int, end: int) -> None:
        """What the log has from what was shown to `end`."""
        for begin, text in kept(log, self._shown, end):
            self._pass_over(begin)
            self._say_missing()
            self._outlet.write(stream, text)
            self._shown = begin + len(text)
            if self._shown - self._told >= TELL_BYTES:
                self._tell()
        self._pass_over(end)

    def _pass_over(self, place: int) -> None:
        """What lies before the place was not kept."""
        if place > self._shown:
            self._missing += place - self._shown
            self._shown = place

    def _say_missing(self) -> None:
        if self._missing:
            words = f"\nskint: {self._missing:,} bytes that it printed are missing here\n"
            self._outlet.write("e", words.encode())
            self._missing = 0

    def _tell(self) -> None:
        """How far it is, for the program, which waits for us (`skint.calling`)."""
        with suppress(FileNotFoundError):  # somebody has removed the folder
            self._directory.read.write_text(f"{self._shown}")
        self._told = self._shown
