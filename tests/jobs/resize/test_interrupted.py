"""Real kills of real processes in the midst of `resize`, and what comes out in the end."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

import skint
from jobs.resize.job import Params, resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.dataset import PackedSet
from skint.outputs import hash_outputs

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = ROOT / "examples" / "photos" / "data"

# A journal after every picture, so that there is something to go on with wherever it is killed; and
# it says how far it is, so that it can be killed there.
PROGRAM = """
import json, sys
from pathlib import Path
import skint
from jobs.resize import job as module
from skint.context import ParkFlag

folder, scanned, previous, cpus, params = sys.argv[1:]
module.FLUSH_S = 0.0
park = ParkFlag()
park.install()

class Telling(skint.Context):
    def progress(self, done, total):
        print(done, flush=True)

ctx = skint.Context.for_test(
    Path(folder), inputs={"scan": Path(scanned)}, cpus=int(cpus),
    previous=Path(previous) if previous else None,
)
telling = Telling(ctx.attempt, ctx.task, park)
module.resize(module.Params.model_validate(json.loads(params)), telling)
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for label in ("hat", "shoes"):
        (folder / "source" / label).mkdir(parents=True)
        for file in sorted((PHOTOS / label).iterdir()):
            shutil.copy(file, folder / "source" / label)
    ctx = skint.Context.for_test(folder / "scan")
    scan(ScanParams(source=folder / "source"), ctx)
    return ctx.out


def packed(folder: Path, scan_out: Path, previous: Path | None = None, **params: Any) -> Path:
    ctx = skint.Context.for_test(folder, inputs={"scan": scan_out}, previous=previous)
    resize(Params.model_validate(params), ctx)
    return ctx.out


def interrupted(
    folder: Path,
    scan_out: Path,
    previous: Path | None,
    *,
    cpus: int,
    params: str,
    after: int | None,
    number: signal.Signals = signal.SIGKILL,
) -> int:
    """Run it, and send it a signal once `after` pictures are done; its exit code."""
    command = [sys.executable, "-c", PROGRAM, str(folder), str(scan_out)]
    with subprocess.Popen(
        [*command, str(previous or ""), str(cpus), params],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        children: list[psutil.Process] = []
        for line in process.stdout:
            if after is not None and int(line) >= after:
                children = psutil.Process(process.pid).children()
                process.send_signal(number)
                after = None
        code = process.wait()
    psutil.wait_procs(children, timeout=300)
    return code


@pytest.mark.parametrize(
    ("seed", "params"),
    [
        (0, '{"size": [24, 64]}'),
        (1, '{"mode": "keep", "part_mib": 4}'),
        (2, '{"size": [24, 64], "compress": {"format": "jpeg"}}'),
        (3, '{"mode": "keep", "size": 100, "compress": {"format": "webp", "quality": 50}}'),
    ],
)
def test_kills_leave_no_trace_in_the_result(
    tmp_path: Path, photos: Path, seed: int, params: str
) -> None:
    draw = random.Random(seed)
    wanted = hash_outputs(
        packed(tmp_path / "whole", photos, **Params.model_validate_json(params).model_dump())
    )
    previous: Path | None = None
    for attempt, cpus in enumerate((1, 2, 3)):
        folder = tmp_path / f"attempt-{attempt}"
        after = 16 * attempt + draw.randrange(1, 16)
        code = interrupted(folder, photos, previous, cpus=cpus, params=params, after=after)
        assert code == -signal.SIGKILL
        assert not list((folder / "out").rglob("dataset.json"))
        previous = folder / "out"
    last = tmp_path / "last"
    assert interrupted(last, photos, previous, cpus=2, params=params, after=None) == 0
    assert "goes on after" in (last / "events.jsonl").read_text()
    assert hash_outputs(last / "out") == wanted
    assert PackedSet.open(last / "out").damaged_blocks() == ()
    assert previous is not None and not list(previous.rglob("*.npy.partial"))


def test_term_parks_it_and_it_goes_on(tmp_path: Path, photos: Path) -> None:
    params = '{"size": 64}'
    wanted = hash_outputs(packed(tmp_path / "whole", photos, size=64))
    first = tmp_path / "first"
    code = interrupted(first, photos, None, cpus=2, params=params, after=20, number=signal.SIGTERM)
    assert code not in (0, 1, -signal.SIGTERM)
    assert (first / "out" / "images.npy.partial").exists()
    last = tmp_path / "last"
    assert interrupted(last, photos, first / "out", cpus=2, params=params, after=None) == 0
    assert "goes on after" in (last / "events.jsonl").read_text()
    assert hash_outputs(last / "out") == wanted


@pytest.fixture
def half_done(tmp_path: Path, photos: Path) -> Path:
    """`out` of an attempt that was killed."""
    folder = tmp_path / "half"
    assert interrupted(folder, photos, None, cpus=1, params='{"size": 32}', after=30) != 0
    return folder / "out"


def goes_on(folder: Path) -> bool:
    return "goes on after" in (folder / "events.jsonl").read_text()


def test_other_parameters_begin_anew(tmp_path: Path, photos: Path, half_done: Path) -> None:
    packed(tmp_path / "next", photos, half_done, size=32, mode="pad")
    assert not goes_on(tmp_path / "next")
    assert (half_done / "images.npy.partial").exists()


def test_another_scan_begins_anew(tmp_path: Path, photos: Path, half_done: Path) -> None:
    shutil.copytree(photos, tmp_path / "scan")
    table = (tmp_path / "scan" / "scan.csv").read_text().splitlines(keepends=True)
    (tmp_path / "scan" / "scan.csv").write_text("".join(table[:-1]))
    packed(tmp_path / "next", tmp_path / "scan", half_done, size=32)
    assert not goes_on(tmp_path / "next")


def test_other_libraries_begin_anew(
    tmp_path: Path, photos: Path, half_done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.resize.fingerprint.LIBRARIES", ("numpy",))
    packed(tmp_path / "next", photos, half_done, size=32)
    assert not goes_on(tmp_path / "next")


def test_an_unfinished_file_that_is_missing_begins_anew(
    tmp_path: Path, photos: Path, half_done: Path
) -> None:
    (half_done / "sums.npy.partial").unlink()
    packed(tmp_path / "next", photos, half_done, size=32)
    assert not goes_on(tmp_path / "next")


@pytest.mark.parametrize(
    ("params", "file"),
    [
        ({"size": 32}, "images.npy.partial"),
        ({"size": 32}, "sums.npy.partial"),
        ({"mode": "keep"}, "images-00000.bin.partial"),
        ({"size": 32, "compress": {"format": "jpeg"}}, "images-00000.bin.partial"),
        ({"size": 32}, "local/resize.json"),
    ],
)
def test_an_unfinished_file_that_was_cut_short_begins_anew(
    tmp_path: Path, photos: Path, params: dict[str, Any], file: str
) -> None:
    half = tmp_path / "half"
    assert interrupted(half, photos, None, cpus=1, params=json.dumps(params), after=30) != 0
    cut = half / "out" / file
    os.truncate(cut, cut.stat().st_size // 4)
    out = packed(tmp_path / "next", photos, half / "out", **params)
    assert not goes_on(tmp_path / "next")
    assert hash_outputs(out) == hash_outputs(packed(tmp_path / "whole", photos, **params))


def test_an_attempt_that_left_nothing_is_no_hindrance(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "empty").mkdir()
    packed(tmp_path / "next", photos, tmp_path / "empty", size=32)
    assert not goes_on(tmp_path / "next")


def test_what_was_half_written_is_written_again(
    tmp_path: Path, photos: Path, half_done: Path
) -> None:
    with (half_done / "images.npy.partial").open("r+b") as file:
        file.seek(-5000, 2)
        file.write(b"x" * 5000)
    out = packed(tmp_path / "next", photos, half_done, size=32)
    assert goes_on(tmp_path / "next")
    assert hash_outputs(out) == hash_outputs(packed(tmp_path / "whole", photos, size=32))
