"""The other processes of a training on several devices: one a device, this one is the first.

They run the same attempt from its beginning, so they import, read and build while this one does;
`skint.ranks` keeps them silent. Lightning would start them itself, but only in `fit`, when all the
devices are kept already. This module needs no torch.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import skint
from skint.attempt import EXIT_STOPPED
from skint.errors import FAILED, OK, SkintError
from skint.events import EventWriter
from skint.ranks import RANK, own_rank

LOOK_S = 0.1
"""How often it is looked whether one of them has ended."""
NOTICE_S = 2.0
"""So long this process may take to notice by itself that another one has failed."""
BLAME_S = 2.0
"""So long an error of communication waits for the end of the process that is behind it."""


class OtherProcessError(SkintError):
    """One of the processes of a training has ended before its end."""


class DivisionError(SkintError):
    """A batch has no equal parts for the devices."""


class Others:
    """The processes that this one has started; none where it trains alone or is not the first."""

    def __init__(self, ctx: skint.Context, count: int) -> None:
        self.count = count
        self.events = EventWriter.of(ctx.attempt, ctx.task)
        self.over = threading.Event()
        command = (sys.executable, "-P", "-m", "skint.worker", str(ctx.attempt.path))
        self.processes = {
            rank: subprocess.Popen(command, env={**os.environ, RANK: str(rank)})
            for rank in range(1, count)
        }
        if self.processes:
            threading.Thread(target=self._watch, daemon=True).start()

    def explain(self) -> None:
        """Say which of them is behind an error of this process, if it has said nothing itself.

        Any but the first process waits for that to be said.
        """
        end = time.monotonic() + BLAME_S
        while not self.events.has_error() and time.monotonic() < end:
            if failed := self._failed():
                self._say(*failed)
            time.sleep(LOOK_S / 10)

    def wait(self) -> None:
        """Until all have ended. Raises OtherProcessError where one has failed."""
        for process in self.processes.values():
            process.wait()
        self.over.set()
        if failed := self._failed():
            raise OtherProcessError(_sentence(*failed, self.count))

    def end(self) -> None:
        """Leave none of them behind."""
        self.over.set()
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _failed(self) -> tuple[int, int] | None:
        """Number and exit code of the first one that has."""
        codes = {rank: process.poll() for rank, process in self.processes.items()}
        bad = (r for r, code in codes.items() if code not in (None, OK, EXIT_STOPPED))
        return next(((rank, int(codes[rank] or 0)) for rank in bad), None)

    def _watch(self) -> None:
        """An accelerator waits for a process that is gone without an error, and for ever."""
        failed = None
        while failed is None:
            if self.over.wait(LOOK_S):
                return
            failed = self._failed()
        if self.over.wait(NOTICE_S):
            return
        self._say(*failed)
        for process in self.processes.values():
            process.kill()
        os._exit(FAILED)

    def _say(self, rank: int, code: int) -> None:
        killed = code == -signal.SIGKILL
        hint = "look whether the machine ran out of memory" if killed else None
        self.events.error(_sentence(rank, code, self.count), next=hint)


@contextmanager
def others(ctx: skint.Context) -> Iterator[Others]:
    """Start a process for each further device of the attempt, and leave none behind."""
    count = ctx.device_count if own_rank() == 0 else 1
    before = dict(os.environ)
    if count > 1:
        os.environ.update(_meeting(count))
    started = Others(ctx, count)
    try:
        yield started
    finally:
        started.end()
        _put_back(before)


def refuse_indivisible(batch_size: int, devices: int, where: str | None = None) -> None:
    """Raise DivisionError where a batch has no equal parts of two or more for the devices."""
    rest = batch_size % max(1, devices)
    if rest or batch_size < 2 * devices:
        fewer = max(batch_size - rest, 2 * devices)
        raise DivisionError(
            f"a batch is computed in equal parts by {devices} devices",
            where=where,
            got=f"batch_size: {batch_size}",
            wanted=f"a multiple of {devices}: {fewer} or {fewer + devices}",
        )


def _meeting(count: int) -> Mapping[str, str]:
    """Where the processes find each other, in the environment that Lightning reads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        RANK: "0",
        "NODE_RANK": "0",
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def _put_back(before: Mapping[str, str]) -> None:
    for name in (RANK, "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        if name in before:
            os.environ[name] = before[name]
        else:
            os.environ.pop(name, None)


def _sentence(rank: int, code: int, count: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"process {rank} of {count} {how}"
