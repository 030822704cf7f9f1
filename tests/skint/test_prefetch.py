from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skint.prefetch import AHEAD, HELD, Filler, PrefetchError, Ring, filled

ROOT = Path(__file__).resolve().parents[2]


def eventually(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not what():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.005)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "skint-prefetch"]


class Shelf:
    """Buffers of one number each, and what was put into them when."""

    def __init__(self, slots: int = HELD + AHEAD) -> None:
        self.ring = Ring(slots)
        self.content: list[int | None] = [None] * slots
        self.filled: list[int] = []

    def fill(self, slot: int, item: int) -> None:
        if item < 0:
            raise OSError(f"item {item}")
        self.content[slot] = item
        self.filled.append(item)


@pytest.mark.parametrize("thread", [True, False])
def test_every_item_comes_in_order_in_its_buffer(thread: bool) -> None:
    shelf = Shelf()
    given = [
        (shelf.content[slot], item)
        for slot, item in filled(shelf.ring, shelf.fill, range(50), thread=thread)
    ]
    assert given == [(item, item) for item in range(50)]
    assert shelf.ring.whole and threads() == []


@pytest.mark.parametrize("thread", [True, False])
def test_the_buffer_in_use_and_the_one_before_it_are_left_alone(thread: bool) -> None:
    shelf = Shelf()
    ready = filled(shelf.ring, shelf.fill, range(100), thread=thread)
    before = next(ready)
    for taken in range(2, 20):
        now = next(ready)
        if thread:  # it stands still when it has filled all it may
            eventually(lambda: len(shelf.filled) == taken + AHEAD)  # noqa: B023
        assert [shelf.content[slot] for slot, _ in (before, now)] == [before[1], now[1]]
        before = now
    ready.close()


def test_without_a_thread_nothing_is_filled_before_it_is_asked_for() -> None:
    shelf = Shelf(HELD)
    ready = filled(shelf.ring, shelf.fill, range(9), thread=False)
    for taken in range(1, 10):
        next(ready)
        assert len(shelf.filled) == taken


@pytest.mark.parametrize("thread", [True, False])
def test_an_error_comes_after_what_went_well_and_the_buffers_can_be_used_again(
    thread: bool,
) -> None:
    shelf = Shelf()
    seen = []
    with pytest.raises(OSError, match="item -1"):
        for _, item in filled(shelf.ring, shelf.fill, [1, 2, 3, -1, 4], thread=thread):
            seen.append(item)
    assert seen == [1, 2, 3] and threads() == []
    if thread:
        assert shelf.ring.whole


def test_an_error_of_what_is_iterated_over_reaches_the_reader_too() -> None:
    shelf = Shelf()
    ready = filled(shelf.ring, shelf.fill, (1 // n for n in (1, 0)), thread=True)
    next(ready)
    with pytest.raises(ZeroDivisionError):
        next(ready)


@pytest.mark.parametrize("end", ["close", "forget", "throw"])
def test_a_reader_that_stops_early_ends_the_thread(end: str) -> None:
    shelf = Shelf()
    ready = filled(shelf.ring, shelf.fill, range(10**9), thread=True)
    next(ready)
    assert threads() == ["skint-prefetch"]
    if end == "close":
        ready.close()
    elif end == "throw":
        with pytest.raises(KeyboardInterrupt):
            ready.throw(KeyboardInterrupt())
    else:
        del ready
        gc.collect()
    assert threads() == []
    assert shelf.ring.whole
    again = [item for _, item in filled(shelf.ring, shelf.fill, range(9), thread=True)]
    assert again == list(range(9))


LEFT_OPEN = """
from skint.prefetch import Ring, filled
ready = filled(Ring(4), lambda slot, item: None, range(10**9), thread=True)
print(next(ready)[1], flush=True)
"""


def test_a_reader_that_is_left_open_lets_the_program_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_forked_child_is_told_and_can_begin_its_own() -> None:
    shelf = Shelf()
    filler = Filler(shelf.ring, shelf.fill, range(100))
    filler.next()
    eventually(lambda: len(shelf.filled) == 1 + AHEAD + 1)  # it is at rest: no lock is held
    child = os.fork()
    if child == 0:
        code = 1
        try:
            filler.next()
        except PrefetchError:
            filler.close()
            own = Shelf()
            items = [item for _, item in filled(own.ring, own.fill, range(9), thread=True)]
            code = 0 if items == list(range(9)) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert filler.next() == (1, 1)
    filler.close()
    assert threads() == []
