"""`make` says before it installs that a disk has too little room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MORE_THAN_ANY = "9000000"


def room(venv: Path, whole_gb: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci/room.py"), str(venv), whole_gb],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )


def test_make_installs_nothing_where_there_is_too_little_room(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    asked = ["make", f"PYTHON={sys.executable}", f"VENV={venv}", f"ROOM_GB={MORE_THAN_ANY}", "demo"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False, env=alone)
    assert made.returncode == 2
    assert made.stderr.startswith(f"error: {venv}: too little room on its disk")
    for part in ("  got     ", f" {MORE_THAN_ANY}.0 for the environment", "  next    export VENV="):
        assert part in made.stderr
    assert not venv.exists()


def test_what_downloads_need_counts_on_the_same_disk(tmp_path: Path) -> None:
    said = room(tmp_path / "venv", "8000000", TMPDIR=str(tmp_path), PIP_NO_CACHE_DIR="1").stderr
    assert "wanted  12000000.0 GB: 8000000.0 for the environment" in said
    assert f"4000000.0 for packages until they are unpacked ({tmp_path})" in said
    assert "cache (" not in said


def test_what_the_cache_holds_already_needs_no_room(tmp_path: Path) -> None:
    with (tmp_path / "torch.whl").open("wb") as file:
        file.truncate(1_000_000_000)  # a hole, which takes no disk
    said = room(tmp_path / "venv", "8000000", PIP_CACHE_DIR=str(tmp_path)).stderr
    assert f"3999999.0 for copies of them in pip's cache ({tmp_path})" in said


def test_what_is_installed_already_needs_no_room(tmp_path: Path) -> None:
    with (tmp_path / "libtorch.so").open("wb") as file:
        file.truncate(6_600_000_000)  # a hole, which takes no disk
    done = room(tmp_path, "6.6")
    assert (done.returncode, done.stderr) == (0, "")
