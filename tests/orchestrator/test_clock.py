"""The machine's clock wakes for what is worth it; no sleep here comes to its end."""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path
from types import FrameType

from orchestrator.clock import SystemClock
from skint.bell import Bell, ring

LONG_S = 600.0


def test_a_sleep_ends_when_the_bell_rings(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    clock = SystemClock(bell)
    ring(tmp_path / "bell")  # while nobody slept: it is not lost
    clock.sleep(LONG_S)
    ringer = threading.Timer(0.05, ring, [tmp_path / "bell"])
    ringer.start()
    clock.sleep(LONG_S)
    ringer.join()
    bell.close()


def test_a_sleep_ends_by_an_interrupt_from_a_thread_and_from_a_signal_handler() -> None:
    clock = SystemClock()
    other = threading.Timer(0.05, clock.interrupt)
    other.start()
    clock.sleep(LONG_S)
    other.join()

    def handle(number: int, frame: FrameType | None) -> None:
        clock.interrupt()

    before = signal.signal(signal.SIGUSR1, handle)
    killer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGUSR1])
    killer.start()
    clock.sleep(LONG_S)
    killer.join()
    signal.signal(signal.SIGUSR1, before)


def test_what_was_heard_is_over_at_the_next_sleep(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    clock = SystemClock(bell)
    for _ in range(3):
        ring(tmp_path / "bell")
        clock.interrupt()
    clock.sleep(LONG_S)
    begun_ms = clock.awake_ms()
    clock.sleep(0.02)  # nothing is left over of the first that would end it
    assert clock.awake_ms() - begun_ms >= 19
    bell.close()


def test_a_sleep_ends_at_the_time_that_is_named_also_if_that_is_over() -> None:
    clock = SystemClock()
    clock.sleep(LONG_S, clock.now_ms() + 10)
    clock.sleep(LONG_S, clock.now_ms() - 10_000)


def test_a_clock_that_is_forgotten_leaves_nothing_open() -> None:
    gc.collect()
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(3):
        SystemClock().sleep(0)
    assert len([*Path("/proc/self/fd").iterdir()]) <= before
