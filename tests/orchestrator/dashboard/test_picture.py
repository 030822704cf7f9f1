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
    for folder in (tmp_path, DOCS):
        details = words_of(folder / "details.svg")
        assert "wide-3 · train · val_acc" in details
        assert "mean of seedlings-1: 0.898 at epoch 12" in details
        assert "efficientnet_b2" in details
        assert "Burn-down · course (simulated) · week to Sat 28" in words_of(
            folder / "burn-down.svg"
        )
    for name in ("dashboard", "details", "burn-down"):
        assert (DOCS / f"{name}.png").read_bytes().startswith(b"\x89PNG")
