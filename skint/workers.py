"""Processes that gather and augment batches ahead, each a share of every batch.

Which process makes a picture makes no difference to it: all that is drawn is keyed by the
picture's own seed. So a batch that they cannot make, because they are still starting or because
one of them was killed, is made by whoever asks for it.

They share one piece of memory with this process that has no name, so that nothing is left over
however they end; and they end when this process does, however it ends. They see no accelerator.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.batches import Pictures, Rows
from skint.visibility import HIDDEN

QUIET = {signal.SIGINT, signal.SIGTERM}
"""Of these the training is told alone; what it has asked for must still come."""

Seeds = NDArray[np.uint64]


class Workers:
    """`count` processes; `fill` is called from one thread at a time or from several."""

    def __init__(
        self,
        count: int,
        images: Pictures,
        augment: Any,
        *,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        """`shape` is that of the largest batch, (B, H, W, C), of pixels as `dtype`.

        `augment` is a `skint.loader.KeyedAugment` that can be pickled, or None.
        """
        self.dtype = dtype
        length = int(np.prod(shape)) * dtype.itemsize
        descriptor = _nameless_memory(length)
        self._memory = np.frombuffer(mmap.mmap(descriptor, length), dtype=dtype).reshape(shape)
        task = pickle.dumps((images, augment, length, shape, dtype))
        self._pipes: list[Connection] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ready: list[bool] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._end = weakref.finalize(self, _end, self._owner, self._pipes, self._processes)
        for _ in range(count):
            process, pipe = _started(descriptor)
            self._processes.append(process)
            self._pipes.append(pipe)
            self._ready.append(False)
        os.close(descriptor)
        for pipe in self._pipes:
            pipe.send_bytes(pickle.dumps(sys.path))
            pipe.send_bytes(task)

    def fill(self, rows: Rows, seeds: Seeds, out: NDArray[Any]) -> bool:
        """Write the pictures of `rows`, augmented by `seeds`, to `out` (B, H, W, C).

        False where somebody else must: `out` is untouched then.
        """
        with self._lock:
            if not self._pipes or os.getpid() != self._owner:
                return False
            try:
                return self._all_ready() and self._filled(rows, seeds, out)
            except (EOFError, OSError):
                if self._end.alive:  # else it was closed meanwhile
                    self.close()
                    codes = [process.returncode for process in self._processes]
                    warnings.warn(
                        f"a process that loads pictures has ended (exit codes {codes}): "
                        "goes on without them",
                        RuntimeWarning,
                        stacklevel=2,
                    )
                return False

    @property
    def ready(self) -> bool:
        """Whether all of them have started and make what is asked for from now on."""
        with self._lock:
            return bool(self._pipes) and self._all_ready()

    def close(self) -> None:
        """End the processes. What is asked for after this is not made here."""
        self._end()
        self._pipes.clear()

    def _all_ready(self) -> bool:
        for number, pipe in enumerate(self._pipes):
            if not self._ready[number] and pipe.poll():
                pipe.recv()
                self._ready[number] = True
        return all(self._ready)

    def _filled(self, rows: Rows, seeds: Seeds, out: NDArray[Any]) -> bool:
        count = min(len(self._pipes), len(rows))
        edges = [number * len(rows) // count for number in range(count + 1)]
        asked = self._pipes[:count]
        for pipe, begin, end in zip(asked, edges[:-1], edges[1:], strict=True):
            pipe.send((begin, rows[begin:end], seeds[begin:end]))
        # All answers are waited for, also after a bad one: they belong to this question.
        done = [pipe.recv() for pipe in asked]
        if not all(done):
            return False
        np.copyto(out, self._memory[: len(rows)])
        return True


def _end(owner: int, pipes: list[Connection], processes: list[subprocess.Popen[bytes]]) -> None:
    if os.getpid() != owner:
        return  # a forked child has them from its parent
    for pipe in pipes:
        pipe.close()
    for process in processes:
        process.kill()  # it has nothing that could be lost
        process.wait()


def _started(descriptor: int) -> tuple[subprocess.Popen[bytes], Connection]:
    """A process that runs `main` with the memory and one end of a pipe; the other end."""
    ours, theirs = Pipe()
    program = f"from skint.workers import main; main({theirs.fileno()}, {descriptor})"
    # Blocked, which a new process inherits, until it can ignore them: to be killed as it starts
    # would be taken for a fault.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, QUIET)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", program],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), descriptor),
            env={**os.environ, **HIDDEN, "OMP_NUM_THREADS": "1"},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return process, ours


def _nameless_memory(length: int) -> int:
    """A descriptor. Not of /dev/shm, which is 64 MB in a container and keeps what is forgotten."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("skint-batches")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, length)
    return descriptor


def main(pipe_descriptor: int, memory_descriptor: int) -> None:
    """What a process does until nobody asks any more."""
    for number in QUIET:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, QUIET)
    pipe = Connection(pipe_descriptor)
    try:
        sys.path[:] = pickle.loads(pipe.recv_bytes())
        serve(pipe, memory_descriptor, *pickle.loads(pipe.recv_bytes()))
    except (EOFError, ConnectionError):
        return


def serve(
    pipe: Connection,
    descriptor: int,
    images: Pictures,
    augment: Any,
    length: int,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> None:
    """Answer each (begin, rows, seeds) with whether it was done."""
    import torch

    torch.set_num_threads(1)
    memory = np.frombuffer(mmap.mmap(descriptor, length), dtype=dtype).reshape(shape)
    pipe.send(True)
    while True:
        begin, rows, seeds = pipe.recv()
        target = memory[begin : begin + len(rows)]
        try:
            if dtype == images.dtype:
                images.take(rows, target)
            else:
                wanted = np.empty((len(rows), *images.shape[1:]), images.dtype)
                np.copyto(target, images.take(rows, wanted))
            if augment is not None:
                augment.batch(torch.from_numpy(target).permute(0, 3, 1, 2), seeds)
        except Exception:  # who asked does it again, and sees why it fails
            pipe.send(False)
        else:
            pipe.send(True)
