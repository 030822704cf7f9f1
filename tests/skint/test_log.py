"""A log of bounded size: with real files, and with real jobs that print too much."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skint import log
from skint.attempt import AttemptDir, StopRequest, Task
from skint.log import BLOCK_BYTES, Bounds, Keeper, kept
from skint.process import LINUX

Make = Callable[..., Any]

needs_holes = pytest.mark.skipif(not LINUX, reason="only Linux cuts holes into files")

FIRST, LAST = 2 * BLOCK_BYTES, 4 * BLOCK_BYTES
SMALL = Bounds(FIRST, LAST, room_bytes=0)

WITH_BOUNDS = """
import sys
from skint.log import Bounds
from skint.shim import main
sys.exit(main(sys.argv[1:2], Bounds(*eval(sys.argv[2]))))
"""


def text_of(count: int) -> bytes:
    """Bytes of which each eight say where they stand."""
    return b"".join(b"%07d\n" % place for place in range(0, count, 8))


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[AttemptDir]:
    directory = AttemptDir(tmp_path)
    directory.create(Task("r.job.1", 1, "r", "job"))
    yield directory


def pieces(path: Path, start: int = 0, end: int | None = None) -> list[tuple[int, bytes]]:
    with open(path, "rb") as file:
        return list(kept(file.fileno(), start, end))


@needs_holes
def test_of_a_long_log_the_beginning_and_the_end_are_kept_at_their_places(
    directory: AttemptDir,
) -> None:
    whole, keeper = text_of(40 * BLOCK_BYTES), Keeper(directory, SMALL)
    with open(directory.log, "ab", buffering=0) as writer:
        for start in range(0, len(whole), BLOCK_BYTES):
            writer.write(whole[start : start + BLOCK_BYTES])
            assert keeper.trim() == ""
    assert directory.log.stat().st_size == len(whole)
    assert directory.log.stat().st_blocks * 512 <= FIRST + LAST + BLOCK_BYTES
    assert keeper.said() == (
        "its log is longer than 0.4 MiB: of 2.5 MiB so far the first 0.1 MiB and always the last"
        " 0.2 MiB are kept"
    )
    assert keeper.said() == ""
    found = pieces(directory.log)
    assert found == [(0, whole[:FIRST]), (len(whole) - LAST, whole[-LAST:])]
    assert pieces(directory.log, FIRST + 8, len(whole) - LAST) == []
    assert pieces(directory.log, len(whole) - 8) == [(len(whole) - 8, whole[-8:])]


@needs_holes
def test_a_log_that_somebody_empties_is_kept_short_again(directory: AttemptDir) -> None:
    keeper, whole = Keeper(directory, SMALL), text_of(20 * BLOCK_BYTES)
    for _ in range(2):
        directory.log.write_bytes(whole[:BLOCK_BYTES])
        assert keeper.trim() == ""
        directory.log.write_bytes(whole)
        assert keeper.trim() == ""
        assert sum(len(piece) for _, piece in pieces(directory.log)) == FIRST + LAST


def test_a_short_log_is_left_alone_and_no_log_is_none(directory: AttemptDir) -> None:
    keeper = Keeper(directory, SMALL)
    assert (keeper.trim(), keeper.said()) == ("", "")
    directory.log.write_bytes(b"\0" * (FIRST + LAST))
    assert (keeper.trim(), keeper.said()) == ("", "")
    assert sum(len(piece) for _, piece in pieces(directory.log)) == FIRST + LAST


def test_where_nothing_can_be_cut_a_job_is_ended_before_the_disk_is_full(
    directory: AttemptDir,
) -> None:
    directory.log.write_bytes(text_of(40 * BLOCK_BYTES))
    assert Keeper(directory, Bounds(FIRST, LAST, 0, holes=False)).trim() == ""
    trouble = Keeper(directory, Bounds(FIRST, LAST, 1 << 60, holes=False)).trim()
    assert trouble.startswith("its log has 2.4 MiB of the disk, and ")
    if LINUX:  # where it can be cut the log is not what fills the disk
        assert Keeper(directory, Bounds(FIRST, LAST, 1 << 60)).trim() == ""


def run(one: Any, bounds: str) -> Any:
    command = [sys.executable, "-P", "-c", WITH_BOUNDS, str(one.directory.path), bounds]
    one.shim = subprocess.Popen(command, start_new_session=True)
    return one.end()


@needs_holes
def test_the_shim_keeps_a_log_short_and_says_so_once(attempt: Make) -> None:
    one = attempt(argv=("head", "-c", f"{40 * BLOCK_BYTES}", "/dev/zero"))
    assert run(one, str((FIRST, LAST, 0))).reason == "done"
    assert one.directory.log.stat().st_blocks * 512 <= FIRST + LAST + BLOCK_BYTES
    (note,) = one.events("note")
    assert note["text"].startswith("its log is longer than 0.4 MiB: of 2.5 MiB so far")


def test_the_shim_ends_a_job_whose_log_fills_the_disk(attempt: Make) -> None:
    script = f"trap '' TERM; head -c {40 * BLOCK_BYTES} /dev/zero; sleep 600"
    one = attempt(argv=("sh", "-c", script), grace_s=10_000.0)
    end = run(one, str((FIRST, LAST, 1 << 60, False)))
    assert (end.code, end.reason) == (137, "killed")
    (error,) = one.events("error")
    assert "its log has 2.4 MiB of the disk" in error["what"]
    assert one.directory.read_stop() == StopRequest("kill", "end", "log", error["what"])


def test_the_last_line_is_the_last_that_says_something(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one\ntwo \n\n \n")
    assert log.last_line(tmp_path / "log") == "two"
