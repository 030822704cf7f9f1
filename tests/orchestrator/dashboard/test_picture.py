"""The picture in the README is made by a script, of the real dashboard."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def words_of(svg: Path) -> str:
    return " ".join(re.findall(r"<text [^>]*>([^<]+)</text>", svg.read_text(encoding="utf-8")))


def test_the_script_draws_a_week_and_the_picture_in_the_repository_shows_the_same_run(
    tmp_path: Path,
) -> None:
    command = [sys.executable, str(DOCS / "picture.py"), "--into", str(tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    for words in (words_of(tmp_path / "dashboard.svg"), words_of(DOCS / "dashboard.svg")):
        assert "wide-3 running 2/5 folds" in words
        assert "lab simulated" in words
        assert "wide-3 fold 2 (3 of 5) ▮▮▯▯▯▯▯▯ 4/12" in words
    assert (DOCS / "dashboard.png").read_bytes().startswith(b"\x89PNG")
