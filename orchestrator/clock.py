"""Time as a parameter: the system's clock, and one that jumps.

Nothing below the shell reads a clock; the shell reads this one. Times are Unix milliseconds.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import time
import weakref
from contextlib import suppress
from typing import Protocol

from skint.bell import Bell, drain


class Clock(Protocol):
    def now_ms(self) -> int:
        """Unix time in milliseconds."""

    def awake_ms(self) -> int:
        """Counts up from anywhere, and not while the machine sleeps or because it is set."""

    def sleep(self, seconds: float, wake_ms: int | None = None) -> None:
        """Wait `seconds`, or less if `wake_ms` or something else worth waking for comes first."""


class SystemClock:
    """The machine's clock. A sleep ends when the bell rings, if there is one, and when a signal
    handler or another thread calls `interrupt()`."""

    def __init__(self, bell: Bell | None = None) -> None:
        self._bell = bell
        # A pipe, because a write is reentrant. An Event's `set` in a signal handler waits for ever
        # for the lock that the interrupted `wait` may hold.
        self._interrupted, self._interrupts = os.pipe()
        for end in (self._interrupted, self._interrupts):
            os.set_blocking(end, False)
            weakref.finalize(self, os.close, end).atexit = False
        self._ready = select.poll()
        self._ready.register(self._interrupted, select.POLLIN)
        if bell is not None:
            self._ready.register(bell.descriptor, select.POLLIN)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def awake_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def sleep(self, seconds: float, wake_ms: int | None = None) -> None:
        if wake_ms is not None:
            seconds = min(seconds, max(0.0, (wake_ms - self.now_ms()) / 1000))
        if not self._ready.poll(max(0, math.ceil(seconds * 1000))):
            return
        drain(self._interrupted)
        if self._bell is not None:
            self._bell.silence()

    def interrupt(self) -> None:
        with suppress(BlockingIOError):  # it is full: the sleep ends anyway
            os.write(self._interrupts, b"\n")


class SimulatedClock:
    """A clock whose sleep jumps to the next alarm, so that a week passes in a blink."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._alarms: list[int] = []
        self._slept_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def awake_ms(self) -> int:
        return self._now_ms - self._slept_ms

    def alarm(self, at_ms: int) -> None:
        """Something will have happened at `at_ms`: a sleep ends there."""
        heapq.heappush(self._alarms, at_ms)

    def advance(self, seconds: float, *, asleep: bool = False) -> None:
        """Let `seconds` pass; with `asleep` the machine stands still meanwhile."""
        self._now_ms += round(seconds * 1000)
        self._slept_ms += round(seconds * 1000) if asleep else 0

    def nap(self, seconds: float) -> None:
        """Let `seconds` pass, or less where an alarm comes first."""
        end_ms = self._now_ms + round(seconds * 1000)
        while self._alarms and self._alarms[0] <= self._now_ms:
            heapq.heappop(self._alarms)
        self._now_ms = min([end_ms, *self._alarms[:1]])

    def sleep(self, seconds: float, wake_ms: int | None = None) -> None:
        while self._alarms and self._alarms[0] <= self._now_ms:
            heapq.heappop(self._alarms)
        soonest = [
            at for at in (wake_ms, *self._alarms[:1]) if at is not None and at > self._now_ms
        ]
        self._now_ms = min(soonest, default=self._now_ms + round(seconds * 1000))
