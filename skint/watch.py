"""What the shim knows while a worker runs, and what the worker's end means by it.

Standard library only.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from skint.attempt import EXIT_STOPPED, StopRequest

SIGNALLED = 128
"""An exit code above this is 128 + the signal that ended the process, as in a shell."""


@dataclass
class Watch:
    """Times are seconds since the worker's start."""

    asked_s: float | None = None
    """When the worker was sent TERM."""
    by_deadline: bool = False
    """The limit was the reason for that."""
    killed: bool = False
    """The tree was killed, or is to be."""
    terminated: bool = False
    """The shim itself was sent TERM."""
    stamp: tuple[int, int] | None = None
    """Which version of the stop file `request` was read from."""
    request: StopRequest | None = None


def exit_reason(code: int, watch: Watch, *, program: bool) -> str:
    """`done`, `stopped`, `deadline`, `killed` or `failed`, from the exit code and what was done.

    A `run:` program that was told to end and ends, even with 0, has stopped: nobody knows whether
    it had finished (Lightning exits with 0 on TERM). The codes of one that nobody told anything are
    its own, 75 among them; a worker has that code only where it was asked.
    """
    asked = watch.asked_s is not None
    told = asked or watch.terminated or watch.request is not None
    obeyed = code == EXIT_STOPPED and (told or not program)
    obeyed = obeyed or (asked and code == SIGNALLED + signal.SIGTERM)
    if program and asked:
        obeyed = obeyed or code in (0, SIGNALLED + signal.SIGINT)
    if code == 0 and not obeyed:
        return "done"
    if watch.by_deadline and (obeyed or watch.killed):
        return "deadline"
    if obeyed:
        return "stopped"
    return "killed" if watch.killed else "failed"
