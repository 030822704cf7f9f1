"""A scan that was killed or stopped goes on where it was, and ends with the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import skint
from jobs.scan.job import Params, scan
from jobs.scan.journal import FILE
from skint.attempt import StopRequest
from skint.outputs import hash_outputs

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = sorted((ROOT / "examples" / "photos" / "data").glob("*/*.jpg"))
CHILD = """
import sys
from pathlib import Path
import skint
from jobs.scan.job import Params, scan
if __name__ == "__main__":
    ctx = skint.Context.for_test(Path(sys.argv[1]), cpus=int(sys.argv[3]))
    scan(Params(source=Path(sys.argv[2])), ctx)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Some hundred photos in three classes, and one file that is none."""
    root = tmp_path / "source"
    for number, photo in enumerate(PHOTOS):
        folder = root / photo.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo, folder / f"{number:03}.jpg")
    (root / "hat" / "zero.jpg").touch()
    return root


def whole(folder: Path, source: Path, previous: Path | None = None) -> Path:
    ctx = skint.Context.for_test(folder, previous=previous)
    scan(Params(source=source), ctx)
    return ctx.out


def journal_of(folder: Path) -> Path:
    return folder / "out" / "local" / FILE


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_killed_scan_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, source: Path, cpus: int
) -> None:
    killed = tmp_path / "killed"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(killed), str(source), str(cpus)],
        cwd=ROOT,
        start_new_session=True,
    )
    journal = journal_of(killed)
    while child.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") > 20:
            os.killpg(child.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    child.wait()
    assert journal.exists(), "it had ended before it was killed"
    assert not (killed / "out" / "scan.csv").exists()
    resumed = whole(tmp_path / "resumed", source, previous=killed / "out")
    assert hash_outputs(resumed) == hash_outputs(whole(tmp_path / "fresh", source))


def entries(folder: Path) -> int:
    return journal_of(folder).read_text().count("\n") - 1


def stopped_half_way(
    folder: Path, source: Path, at: int = 30, previous: Path | None = None
) -> Path:
    """`out` of a scan that was stopped after `at` files, or the rest of the chunk it was in."""
    ctx = skint.Context.for_test(folder, previous=previous)
    report = ctx.progress

    def stop(done: int, total: int) -> None:
        report(done, total)
        if done == at:
            ctx.attempt.request_stop(StopRequest("step", "requeue", "parked"))

    ctx.progress = stop  # type: ignore[method-assign]
    with pytest.raises(skint.StopRequested):
        scan(Params(source=source), ctx)
    assert at <= entries(folder) < at + 10
    return ctx.out


def test_what_was_seen_is_not_read_again_unless_it_has_changed(
    tmp_path: Path, source: Path
) -> None:
    before = stopped_half_way(tmp_path / "stopped", source)
    files = sorted(path for path in source.rglob("*.jpg"))
    same, touched, unseen = files[0], files[1], files[40]
    for file in (same, touched, unseen):
        facts = file.stat()
        shutil.copyfile(files[50], file)
        if file is same:  # nothing that a look from outside can tell
            file.write_bytes(file.read_bytes()[: facts.st_size].ljust(facts.st_size, b"\0"))
            os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    text = (whole(tmp_path / "resumed", source, previous=before) / "scan.csv").read_text()
    assert hashlib.sha256(PHOTOS[0].read_bytes()).hexdigest() in text
    assert hashlib.sha256(PHOTOS[1].read_bytes()).hexdigest() not in text
    assert hashlib.sha256(PHOTOS[40].read_bytes()).hexdigest() not in text


def test_a_line_that_was_cut_is_looked_at_again(tmp_path: Path, source: Path) -> None:
    before = stopped_half_way(tmp_path / "stopped", source)
    journal = before / "local" / FILE
    journal.write_bytes(journal.read_bytes()[:-40])
    resumed = whole(tmp_path / "resumed", source, previous=before)
    assert hash_outputs(resumed) == hash_outputs(whole(tmp_path / "fresh", source))


@pytest.mark.parametrize("change", ["pages", "nothing at all"])
def test_the_journal_of_another_scan_is_not_used(tmp_path: Path, source: Path, change: str) -> None:
    before = stopped_half_way(tmp_path / "stopped", source)
    journal = before / "local" / FILE
    journal.write_text(
        "" if change == "nothing at all" else journal.read_text().replace('"first"', '"bands"', 1)
    )
    with journal.open("a") as file:
        file.write("not even JSON")
    resumed = whole(tmp_path / "resumed", source, previous=before)
    assert hash_outputs(resumed) == hash_outputs(whole(tmp_path / "fresh", source))


def test_a_whole_scan_leaves_no_journal(tmp_path: Path, source: Path) -> None:
    out = whole(tmp_path / "scan", source)
    assert [path.name for path in (out / "local").iterdir()] == ["source.json"]


def test_a_second_interruption_loses_nothing_of_the_first(tmp_path: Path, source: Path) -> None:
    before = stopped_half_way(tmp_path / "first", source, at=30)
    again = stopped_half_way(tmp_path / "second", source, at=60, previous=before)
    assert entries(tmp_path / "second") > 60
    resumed = whole(tmp_path / "third", source, previous=again)
    assert hash_outputs(resumed) == hash_outputs(whole(tmp_path / "fresh", source))
