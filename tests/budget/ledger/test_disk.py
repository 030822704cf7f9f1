"""Edge 17: a disk that is full, or refuses. Nothing is lost, nothing reads as zero."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger, LedgerError
from budget.ledger.network_disk import LOCAL, Disk

NOW_MS = 1_795_219_200_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB, where this process may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def reserve(ledger: Ledger, id: str) -> None:
    ledger.reserve(id=id, account="simulated", owner="run", devices=1, amount_ms=1, now_ms=NOW_MS)


def fill(ledger: Ledger, tries: int = 5000) -> LedgerError:
    """Reserve until it is refused."""
    for number in range(tries):
        try:
            reserve(ledger, f"{number}-{'x' * 3000}")
        except LedgerError as error:
            return error
    raise AssertionError("the disk was never full")


def assert_sound(ledger: Ledger) -> None:
    """What was answered stands, and the figures say so."""
    open_now = len(ledger.reservations())
    assert open_now > 10
    assert ledger.balance("simulated", NOW_MS).reserved_ms == open_now
    assert ledger.check() == ()


@pytest.mark.parametrize("disk", [LOCAL, Disk("nfs4")])
def test_on_a_full_disk_nothing_is_written_and_all_that_was_is_there(
    small_disk: Path, disk: Disk
) -> None:
    """Edge 17: the disk is full."""
    path = small_disk / "ledger.db"
    with Ledger(path, disk=disk) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
        error = fill(ledger)
        assert error.what == "the disk is full: nothing was written to the ledger"
        assert (error.where, error.next) == (str(path), "make room")
        assert_sound(ledger)
        with pytest.raises(LedgerError, match="the disk is full"):
            for number in range(100):
                ledger.adjust("simulated", 1, "y" * 3000, NOW_MS, f"fix-{number}")
    assert not path.with_name("ledger.db.lease").exists()
    with Ledger(path, disk=disk, read_only=True) as reader:
        assert reader.check() == ()
        assert reader.balance("simulated", NOW_MS).reserved_ms == len(reader.reservations()) > 10
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    with Ledger(path, disk=disk) as ledger:
        reserve(ledger, "there is room again")
        assert_sound(ledger)


def test_a_ledger_that_cannot_be_made_for_want_of_room_is_not_half_made(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    path = small_disk / "ledger.db"
    with pytest.raises(LedgerError, match="the disk is full"):
        Ledger(path)
    assert [entry.name for entry in small_disk.iterdir()] == ["ballast"]
    ballast.unlink()
    with Ledger(path) as ledger:
        assert ledger.accounts() == ()


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
        connection = ledger._file._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 40}")
        assert fill(ledger).what == "the disk is full: nothing was written to the ledger"
        assert_sound(ledger)
        connection.execute("PRAGMA max_page_count = 100000")
        reserve(ledger, "there is room again")
        assert_sound(ledger)


LIMITED = """
import sys
from pathlib import Path
from tests.budget.ledger.test_disk import fill, assert_sound
from budget.ledger import Ledger
with Ledger(Path(sys.argv[1])) as ledger:
    error = fill(ledger)
    print(error.what, "|", error.next)
    assert_sound(ledger)
"""


def test_a_quota_on_the_size_of_files_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stdout.startswith("the disk refused to read or write the ledger"), done.stderr
    assert "the limit on the size of files" in done.stdout
    with Ledger(path) as ledger:
        assert_sound(ledger)
        reserve(ledger, "without the limit")


def test_absurd_amounts_are_refused_by_every_call(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
        reserve(ledger, "a")
        for absurd in (10**18, -(10**18), 0.5, float("nan"), True, "1h", None):
            for call in (
                lambda ms=absurd: ledger.adjust("simulated", ms, "why", NOW_MS, "x"),
                lambda ms=absurd: ledger.book_saving(
                    "x", "simulated", "run", "cache", ms, "why", NOW_MS
                ),
                lambda ms=absurd: ledger.settle("a", 0, ms, shares={}, now_ms=NOW_MS),
                lambda ms=absurd: ledger.settle("a", 0, 1, shares={"x": ms}, now_ms=NOW_MS),
                lambda ms=absurd: ledger.balance("simulated", ms),
                lambda ms=absurd: ledger.expire(ms),
                lambda ms=absurd: ledger.start("a", ms),
            ):
                with pytest.raises(LedgerError):
                    call()
        assert ledger.balance("simulated", NOW_MS).free_ms == 30 * HOUR_MS - 1
        assert (ledger.charges(), ledger.savings()) == ((), ())
