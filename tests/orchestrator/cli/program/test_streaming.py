"""Logs of which the middle was not kept: nobody sees NULs, and nobody is not told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from orchestrator.cli.commands.logs import read
from orchestrator.cli.program.outlet import Outlet
from orchestrator.cli.program.streaming import Part
from skint.attempt import AttemptDir, Task
from skint.log import BLOCK_BYTES, Bounds, Keeper
from skint.process import LINUX

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux cuts holes into files")


def long_log(folder: Path) -> tuple[AttemptDir, int]:
    """A log of which the middle is a hole, of an attempt; and how long it is without its end."""
    directory = AttemptDir(folder)
    directory.create(Task("r.program.1", 1, "r", "program"))
    size = 16 * BLOCK_BYTES
    directory.log.write_bytes(b"x" * size + b"no")
    half = BLOCK_BYTES // 2
    pieces = [b"o %d %d\n" % (start, half) for start in range(0, size, half)]
    directory.streams.write_bytes(b"".join([*pieces, b"e %d 2\n" % size]))
    assert Keeper(directory, Bounds(BLOCK_BYTES, 2 * BLOCK_BYTES, room_bytes=0)).trim() == ""
    return directory, size


def test_what_was_not_kept_is_passed_over_and_said_once(tmp_path: Path) -> None:
    directory, size = long_log(tmp_path)
    out, err = io.BytesIO(), io.BytesIO()
    part = Part(1, directory, Outlet(out, err))
    part.copy()
    part.copy_rest()
    kept = 3 * BLOCK_BYTES
    assert set(out.getvalue()) == {ord("x")}
    assert kept <= len(out.getvalue()) <= kept + BLOCK_BYTES
    missing = size - len(out.getvalue())
    words = f"\nskint: {missing:,} bytes that it printed are missing here\n"
    assert err.getvalue().decode() == words + "no"


def test_logs_says_how_much_was_not_kept(tmp_path: Path) -> None:
    directory, size = long_log(tmp_path)
    end, pieces = read(directory.log, 0)
    assert end == size + 2
    assert read(directory.log, end) == (end, [])
    text = b"".join(pieces)
    missing = size - text.count(b"x")
    assert missing > 8 * BLOCK_BYTES
    assert text.replace(b"x", b"") == b"\n... %d bytes were not kept ...\nno" % missing
