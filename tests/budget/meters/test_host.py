"""Real process trees: nothing is counted twice, and nothing that has ended is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from budget.meters.base import HostReading
from budget.meters.host import read_trees

BURN = "import time\nwhile time.process_time() < {}: pass\n"
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {burn!r} + "print(flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
held = bytearray({bytes})
print("lives", flush=True)
input()
child.communicate(b"\\n")
print("ended", flush=True)
input()
"""


@contextmanager
def running(script: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_what_a_child_used_counts_once_while_it_lives_and_after_it_has_ended() -> None:
    with running(PARENT.format(burn=BURN.format(1.0), bytes=0)) as parent:
        assert says(parent) == "lives"
        lives = read_trees([parent.pid])[parent.pid]
        go_on(parent)
        assert says(parent) == "ended"
        ended = read_trees([parent.pid])[parent.pid]
    assert lives.cpu_s is not None and ended.cpu_s is not None
    assert 0.9 <= lives.cpu_s <= ended.cpu_s < lives.cpu_s + 0.7  # twice would be 1 s more


def test_memory_is_that_of_the_whole_tree() -> None:
    held = 200 << 20
    with running(PARENT.format(burn="", bytes=held)) as parent:
        assert says(parent) == "lives"
        found = read_trees([parent.pid])[parent.pid]
        go_on(parent)
        assert says(parent) == "ended"
        alone = read_trees([parent.pid])[parent.pid]
    assert found.ram_mib is not None and alone.ram_mib is not None
    assert 200 < alone.ram_mib < found.ram_mib < 400


def test_trees_are_apart_and_a_process_that_is_gone_reads_none() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with running(PARENT.format(burn=BURN.format(1.0), bytes=0)) as one:
        with running("print('lives', flush=True); input()") as other:
            assert says(one) == says(other) == "lives"
            found = read_trees([one.pid, other.pid, gone.pid])
    assert found[gone.pid] == HostReading(None, None)
    busy_s, quiet_s = found[one.pid].cpu_s, found[other.pid].cpu_s
    assert busy_s is not None and busy_s >= 0.9
    assert quiet_s is not None and quiet_s < 0.7
    assert read_trees([]) == {}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="zombies are read from /proc")
def test_a_child_that_nobody_has_reaped_yet_does_not_take_its_seconds_with_it() -> None:
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {BURN.format(0.3)!r}], stdout=subprocess.PIPE)
child.stdout.read()
print("zombie", flush=True)
input()
"""
    with running(script) as parent:
        assert says(parent) == "zombie"
        found = read_trees([parent.pid])[parent.pid]
    assert (found.cpu_s or 0) >= 0.25
