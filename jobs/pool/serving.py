"""What a process of the pool does: takes items, works on them, answers, until nobody asks."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from threadpoolctl import threadpool_limits

READY = True
"""The first answer: imports are done, and what ends the process from now on is an item."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def serve(
    pipe: Connection,
    inherited: Sequence[Connection],
    work: Callable[[Sequence[Any]], list[Any]],
    most_cpu_s: float,
    spawned: bool,
) -> None:
    """Answer each list of items with the list of their results, or with what `work` raised.

    Ends when the other end of `pipe` is closed. `inherited` are ends of the parent's that came
    along with a fork.
    """
    for other in inherited:
        other.close()
    # Ctrl-C is the parent's to answer. A timer that runs out ends the process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _one_thread(spawned)
    keep_memory()
    pipe.send(READY)
    while True:
        try:
            items = pipe.recv()
        except EOFError:
            return
        try:
            answer: Any = [_timed(work, item, most_cpu_s) for item in items]
        except Exception as error:
            answer = _portable(error)
        try:
            pipe.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return


def _timed(work: Callable[[Sequence[Any]], list[Any]], item: Any, most_cpu_s: float) -> Any:
    # The kernel counts this process's CPU time only: waiting for a disk is no fault of the item.
    signal.setitimer(signal.ITIMER_PROF, most_cpu_s)
    try:
        (result,) = work([item])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return result


def _one_thread(spawned: bool) -> None:
    """There is a process a core already: threads within would only wait for each other."""
    for name in _THREADS:  # for libraries that are imported later
        os.environ[name] = "1"
    if spawned:
        threadpool_limits(1)  # for those that are there
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def keep_memory() -> None:
    """Let glibc use again what a picture took, instead of giving it back after each.

    By default it maps every larger buffer anew, and the kernel clears it page by page: a tenth of
    what decoding and resizing a small photo take. No other libc has these settings, nor needs them.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)  # the most that it accepts
        libc.mallopt(_M_TRIM_THRESHOLD, 128 * 2**20)


def _portable(error: Exception) -> Exception:
    """The error with the place it came from, as something that can be sent."""
    text = "".join(traceback.format_exception(error))
    try:
        error.add_note(text)
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(text)
    return error
