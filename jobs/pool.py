"""Spreads work on pictures over processes: in order, in bounded memory, stoppable."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 8
"""Items that a process takes at a time: a stop waits for no more than these."""
_POLL_S = 0.1


def spread(
    work: Callable[[Sequence[T]], list[R]],
    items: Sequence[T],
    *,
    processes: int,
    check: Callable[[], None],
    crashed: Callable[[T], R],
) -> Iterator[R]:
    """The results of `work` for each of `items`, in their order, however many processes there are.

    `work` gets up to CHUNK items and must be importable by name, as must the items and results: the
    processes are spawned, because a worker has threads, and a fork of threads may deadlock.
    `check` is called often, in this process; what it raises ends the work within one chunk.
    `crashed` makes the result of an item that killed its process (a decoder's segmentation fault).
    With one process, or few items, all is done here.
    """
    if processes <= 1 or len(items) <= 2 * CHUNK:
        for item in items:
            check()
            yield from work([item])
        return
    waiting = deque(items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
    while waiting:
        yield from _until_crash(work, waiting, processes, check)
        if waiting:
            # The oldest chunk is the likeliest to hold the item that did it, and is due now anyway.
            for item in waiting.popleft():
                alone: deque[Sequence[T]] = deque([[item]])
                yield from _until_crash(work, alone, 1, check)
                if alone:
                    yield crashed(item)


def _until_crash(
    work: Callable[[Sequence[T]], list[R]],
    waiting: deque[Sequence[T]],
    processes: int,
    check: Callable[[], None],
) -> Generator[R, None, None]:
    """Results until all is done or a process dies; what is not done stays in `waiting`."""
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet
    )
    running: deque[tuple[Sequence[T], Future[list[R]]]] = deque()
    ahead = deque(waiting)
    try:
        while running or ahead:
            while ahead and len(running) < 3 * processes:
                chunk = ahead.popleft()
                running.append((chunk, pool.submit(work, chunk)))
            results = _result(running[0][1], check)
            running.popleft()
            waiting.popleft()
            yield from results
    except BrokenProcessPool:
        # A signal to the whole process group ends the pool too: then it is a stop, not a crash.
        check()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[R], check: Callable[[], None]) -> R:
    while True:
        check()
        try:
            return future.result(timeout=_POLL_S)
        except TimeoutError:
            if future.done():  # the work itself timed out, or was done just now
                return future.result()


def _quiet() -> None:
    """Ctrl-C is the parent's to answer; a process of the pool ends when it is told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
