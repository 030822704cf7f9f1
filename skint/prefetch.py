"""Buffers that are used again and again, filled by a thread ahead of the one who reads them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from typing import Generic, TypeVar

from skint.errors import SkintError

HELD = 2
"""Buffers that stay the reader's: the one in use and the one before it."""
AHEAD = 2
"""Buffers that the thread may fill beyond those."""

YIELD_S = 0.001
"""So long the thread leaves the interpreter to the reader, who has just taken a buffer and is about
to use it, where another one is ready: a short step would wait for the thread's Python."""

T = TypeVar("T")


class PrefetchError(SkintError):
    """The thread that reads ahead is not in this process."""


class Ring:
    """Which buffer, by its number, may be filled: all but those being filled, ready or held."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._free = deque(range(slots))
        self._held: deque[int] = deque()
        self._changed = threading.Condition()

    @property
    def whole(self) -> bool:
        """Whether no buffer is being filled or waits to be taken."""
        return len(self._free) + len(self._held) == self.slots

    def acquire(self, stopping: Callable[[], bool]) -> int | None:
        """A buffer to fill, as soon as there is one; None when `stopping` became true."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._free) or stopping())
            return None if stopping() else self._free.popleft()

    def hold(self, slot: int) -> None:
        """The reader gets this one."""
        with self._changed:
            self._held.append(slot)

    def release(self) -> None:
        """The reader asks for the next one: it keeps only the last."""
        with self._changed:
            while len(self._held) >= HELD:
                self._free.append(self._held.popleft())
            self._changed.notify()

    def give_back(self, slots: Iterable[int]) -> None:
        """These were not handed out."""
        with self._changed:
            self._free.extend(slots)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Filler(Generic[T]):
    """A thread that calls `fill(slot, item)` for each item, never more than the ring allows."""

    def __init__(self, ring: Ring, fill: Callable[[int, T], None], items: Iterable[T]) -> None:
        self._ring = ring
        self._fill = fill
        self._items = items
        self._ready: SimpleQueue[tuple[int, T] | BaseException | None] = SimpleQueue()
        self._stopping = False
        self._pid = os.getpid()
        # A daemon: a reader that was left in the middle must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="skint-prefetch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._items:
                slot = self._ring.acquire(lambda: self._stopping)
                if slot is None:
                    return
                if not self._ready.empty():
                    time.sleep(YIELD_S)
                try:
                    self._fill(slot, item)
                except BaseException:
                    self._ring.give_back([slot])
                    raise
                self._ready.put((slot, item))
            self._ready.put(None)
        except BaseException as error:  # whatever it is, the reader gets it
            self._ready.put(error)

    def next(self) -> tuple[int, T] | None:
        """The next filled buffer, None after the last; raises what the thread raised."""
        if os.getpid() != self._pid:
            raise PrefetchError(
                "this iterator was begun in another process",
                wanted="an iterator of this process",
                next="begin a new one with iter(loader) after the fork",
            )
        self._ring.release()
        ready = self._ready.get()
        if isinstance(ready, BaseException):
            raise ready
        if ready is not None:
            self._ring.hold(ready[0])
        return ready

    def close(self) -> None:
        """End the thread, wait for the buffer that it is at, and take back what it filled."""
        # In a forked child there is no thread; when Python ends, it will not run any more; and a
        # collected iterator may be closed by the thread itself.
        elsewhere = os.getpid() != self._pid or sys.is_finalizing()
        if elsewhere or threading.current_thread() is self._thread:
            return
        self._stopping = True
        self._ring.wake()
        self._thread.join()
        while not self._ready.empty():
            ready = self._ready.get()
            if isinstance(ready, tuple):
                self._ring.give_back([ready[0]])


def filled(
    ring: Ring, fill: Callable[[int, T], None], items: Iterable[T], *, thread: bool
) -> Generator[tuple[int, T], None, None]:
    """(slot, item) for each item, in order, after `fill(slot, item)`.

    A buffer keeps its content until the next but one is asked for. With `thread`, the next ones
    are filled meanwhile; the thread ends with this generator, however that ends.
    """
    if not thread:
        for item in items:
            ring.release()
            slot = ring.acquire(lambda: False)
            assert slot is not None
            fill(slot, item)
            ring.hold(slot)
            yield slot, item
        return
    filler = Filler(ring, fill, items)
    try:
        while (ready := filler.next()) is not None:
            yield ready
    finally:
        filler.close()
