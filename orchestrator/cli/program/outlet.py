"""Where the words of a program go: our two streams, until somebody does not take them any more."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import IO

from skint.errors import SkintError


class CannotPrint(SkintError):
    """What a program prints cannot be written to our standard output."""


@dataclass
class Outlet:
    """Writes to two streams. The first error is kept, and stops the run as Ctrl-C does."""

    out: IO[bytes]
    err: IO[bytes]
    trouble: OSError | None = None

    @property
    def is_left(self) -> bool:
        """Whether who read our words is gone, as behind `| head`."""
        return isinstance(self.trouble, BrokenPipeError)

    def who_stopped(self) -> str:
        """Empty where there was no error: then it was a person."""
        if self.trouble is None:
            return ""
        return "its reader, who has left" if self.is_left else "output that cannot be written"

    def write(self, stream: str, text: bytes) -> None:
        """To the first for `o`, else to the second. After an error there is nothing to see."""
        to = self.out if stream == "o" else self.err
        try:
            to.write(text)
            to.flush()
        except OSError as error:
            self._lost(to, error)

    def check(self) -> None:
        """Raises CannotPrint where it was an error for a person: not that a reader has left."""
        if self.trouble is not None and not self.is_left:
            raise CannotPrint(
                "what it prints cannot be written; it was stopped",
                where="standard output",
                got=self.trouble.strerror,
                next="make room there, or print somewhere else",
            ) from self.trouble

    def _lost(self, stream: IO[bytes], error: OSError) -> None:
        """The rest of the words goes nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        lost = stream.fileno()
        same = [one for one in (1, 2) if one != lost and os.path.sameopenfile(one, lost)]
        for descriptor in (lost, *same):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        if self.trouble is not None:
            return
        self.trouble = error
        # Unless Ctrl-C has come already; a second one would leave the program alone.
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            main = threading.main_thread().ident
            assert main is not None, "it has started"
            signal.pthread_kill(main, signal.SIGINT)


def standard_outlet(*, only_errors: bool) -> Outlet:
    """Ours; with `only_errors` everything goes to standard error. Raises CannotPrint."""
    if sys.stdout is None or sys.stderr is None:
        raise CannotPrint(
            "there is nowhere to print to: standard output or standard error is closed",
            next="leave it open, as `> FILE` or `> /dev/null` does, or say --detach",
        )
    sys.stdout.flush()
    err = sys.stderr.buffer
    return Outlet(err if only_errors else sys.stdout.buffer, err)
