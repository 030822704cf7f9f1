"""The bell: whoever rings it, whoever hears it, and what becomes of a ring that nobody hears."""

from __future__ import annotations

import gc
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from skint.bell import Bell, ring


def rings(bell: Bell) -> bool:
    return bool(select.select([bell.descriptor], [], [], 0)[0])


def test_a_ring_of_another_process_is_heard_once(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    assert not rings(bell)
    say = (
        "import sys; from pathlib import Path; from skint.bell import ring; ring(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", say, str(tmp_path / "bell")], check=True)
    assert rings(bell)
    bell.silence()
    assert not rings(bell)  # though the one who rang has left
    bell.close()


def test_the_next_scheduler_hears_the_bell_of_the_last_one_and_none_of_its_rings(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bell"
    first = Bell(path)
    ring(path)
    first.close()
    ring(path)  # nobody hears it
    second = Bell(path)
    assert not rings(second)
    ring(path)
    assert rings(second)
    second.close()


def test_any_number_of_rings_waits_for_nobody(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    os.write(bell._held, b"\n" * 65536)  # as full as it gets
    ring(tmp_path / "bell")
    bell.silence()
    assert not rings(bell)
    bell.close()


def test_what_is_no_bell_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bell"
    ring(path)
    assert not path.exists()
    path.write_text("mine")
    ring(path)
    assert path.read_text() == "mine"
    gc.collect()
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(OSError, match="is no bell"):
        Bell(path)
    assert len([*Path("/proc/self/fd").iterdir()]) <= before
