"""Spreads work on pictures over processes: in order, in bounded memory, stoppable."""

from __future__ import annotations

import selectors
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

from jobs.pool.serving import serve

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 16
"""Items that a process takes at a time."""
AHEAD = 2
"""Chunks that a process has been sent: one at work and one that waits, so that none is idle."""
WINDOW = 4
"""Chunks a process that may be done before the one that is due: it bounds what is kept back."""
MOST_CPU_S = 60.0
"""Of one item: a decoder that loops is ended. A file on a slow disk is waited for."""
_POLL_S = 0.1


class PoolError(RuntimeError):
    """A process of the pool ended before it was given any work."""


def spread(
    work: Callable[[Sequence[T]], list[R]],
    items: Sequence[T],
    *,
    processes: int,
    check: Callable[[], None],
    crashed: Callable[[T], R],
    most_cpu_s: float = MOST_CPU_S,
) -> Iterator[R]:
    """The results of `work` for each of `items`, in their order, however many processes there are.

    `work` is called in another process, with one item at a time, and gives a list of one; it must
    be importable by name, as must the items and results.
    `check` is called several times a second, in this process; when it raises, the processes are
    killed in the midst of what they do.
    `crashed` makes the result of an item that ends its process (a decoder's segmentation fault, or
    a loop of more than `most_cpu_s`): it costs only itself.
    """
    pool = _Pool(work, items, crashed, most_cpu_s)
    try:
        yield from pool.results(processes, check)
    finally:
        pool.end()


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    sent: deque[range] = field(default_factory=deque)


class _Pool(Generic[T, R]):
    def __init__(
        self,
        work: Callable[[Sequence[T]], list[R]],
        items: Sequence[T],
        crashed: Callable[[T], R],
        most_cpu_s: float,
    ) -> None:
        self.work = work
        self.items = items
        self.crashed = crashed
        self.most_cpu_s = most_cpu_s
        starts = range(0, len(items), CHUNK)
        self.waiting = deque(range(start, min(start + CHUNK, len(items))) for start in starts)
        self.done: dict[int, list[R]] = {}
        """Results by the first item of their chunk."""
        self.due = 0
        """The item whose result is to be given next."""
        self.workers: list[_Worker] = []
        self.selector = selectors.DefaultSelector()
        # Forks inherit it. To set it in each of them would make OpenBLAS start there anew.
        self.limits = threadpool_limits(1)

    def results(self, processes: int, check: Callable[[], None]) -> Iterator[R]:
        processes = max(1, min(processes, len(self.waiting)))
        while self.due < len(self.items):
            while len(self.workers) < processes:
                self._start()
            self._send()
            ready = self.selector.select(_POLL_S)
            check()
            for key, _events in ready:
                self._receive(key.data, check)
            while self.due in self.done:
                results = self.done.pop(self.due)
                self.due += len(results)
                yield from results

    def end(self) -> None:
        """Kill the processes. They have nothing left to do, or are not to do it."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
            worker.pipe.close()
        self.selector.close()
        self.limits.restore_original_limits()

    def _start(self) -> None:
        # A fork has all modules at once, where a new interpreter imports them for 0.2 s, a fifth of
        # a thousand photos. It is safe where no other thread of ours could hold a lock: a worker
        # has none. OpenBLAS's threads do not count, it stops them around a fork by itself; its
        # and Pillow's libraries start no others. On macOS the system's own libraries do.
        fork = sys.platform == "linux" and threading.active_count() == 1
        context: Any = get_context("fork" if fork else "spawn")
        here, there = context.Pipe()
        # An end that a sibling inherited would keep this process's death from being noticed.
        inherited = [worker.pipe for worker in self.workers] + [here] if fork else []
        process = context.Process(
            target=serve, args=(there, inherited, self.work, self.most_cpu_s, not fork), daemon=True
        )
        with warnings.catch_warnings():
            # Python warns of every thread, OpenBLAS's included.
            warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)
            process.start()
        there.close()
        worker = _Worker(process, here)
        self.workers.append(worker)
        self.selector.register(here, selectors.EVENT_READ, worker)

    def _send(self) -> None:
        for number in range(AHEAD):
            for worker in self.workers:
                if len(worker.sent) > number or not self.waiting:
                    continue
                chunk = self.waiting[0]
                if chunk.start >= self.due + WINDOW * len(self.workers) * CHUNK:
                    return
                try:
                    worker.pipe.send(self.items[chunk.start : chunk.stop])
                except (BrokenPipeError, ConnectionResetError):
                    continue  # it is dead: the next round finds out
                worker.sent.append(self.waiting.popleft())

    def _receive(self, worker: _Worker, check: Callable[[], None]) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._bury(worker, check)
            return
        if isinstance(answer, BaseException):
            raise answer
        if not worker.ready:
            worker.ready = True
        else:
            self.done[worker.sent.popleft().start] = answer

    def _bury(self, worker: _Worker, check: Callable[[], None]) -> None:
        """Another process takes over what a dead one had; the item that did it is left out."""
        self.workers.remove(worker)
        self.selector.unregister(worker.pipe)
        worker.process.join()
        worker.pipe.close()
        code = worker.process.exitcode
        if code == -signal.SIGTERM:
            # Most likely the whole group was told to end; then so is this process, any moment.
            time.sleep(_POLL_S)
        check()
        if not worker.ready:
            raise PoolError(f"a process of the pool could not be started (exit code {code})")
        if not worker.sent:
            return
        chunk, *rest = worker.sent
        self.waiting.extendleft(reversed(rest))
        if len(chunk) > 1:
            # One of these: each is tried on its own.
            self.waiting.extendleft(range(n, n + 1) for n in reversed(chunk))
        else:
            self.done[chunk.start] = [self.crashed(self.items[chunk.start])]
