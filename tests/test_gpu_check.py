"""`make gpu-check` by itself: the checks on a CPU, the record that it writes, no device."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.test_docs import ROOT

pytestmark = [
    pytest.mark.torch,
    # Not imported here: what is tested are processes of their own.
    pytest.mark.skipif(find_spec("pytorch_lightning") is None, reason="needs the extra `train`"),
]

MORE = """
import pytest

def test_that_fails(record_property):
    record_property("how far", "it came | so far")
    raise ValueError("no file /home/" "somebody/data/set.npy")

def test_that_is_left_out():
    pytest.skip("no second device")
"""


def check(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.device.check", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )


def test_the_checks_run_and_their_record_says_all_of_them(tmp_path: Path) -> None:
    more = tmp_path / "test_more.py"
    more.write_text(MORE)
    names = "learns or halves or pinned or (left_alone and 16) or uint16 or test_more"
    done = check("--device", "cpu", "--into", str(tmp_path), str(more), "-k", names)
    assert done.returncode == 1, done.stdout + done.stderr
    (record,) = tmp_path.glob("*-cpu.md")
    text = record.read_text()
    assert record.name in done.stdout
    assert "6 checks passed, 1 failed, 1 skipped." in text, text
    assert "**This is a CPU**" in text and "| torch |" in text and "| skint |" in text
    assert "**passed** it trains in the precision that it has and learns" in text
    assert "  - precision: 32-true" in text
    assert "**passed** parked is as good as left alone: 16-mixed" in text
    assert "  - said: out of memory with 8 pictures at once, in step 0" in text
    assert "**failed** that fails" in text and r"  - how far: it came \| so far" in text
    assert "ValueError: no file …/set.npy" in text and "somebody" not in text
    assert "**skipped** that is left out" in text and "  - no second device" in text


def test_without_a_device_it_says_so_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    done = check("--into", str(tmp_path / "records"), CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert "sees no CUDA device" in done.stderr and len(done.stderr.splitlines()) == 1
    assert "make gpu-check DEVICE=cpu" in done.stderr
    assert not (tmp_path / "records").exists()


def test_nothing_of_it_is_collected_unless_a_device_is_named() -> None:
    words = ["--collect-only", "-q", "-p", "no:cacheprovider", "tests/device"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no tests collected" in done.stdout and "skipped" not in done.stdout
