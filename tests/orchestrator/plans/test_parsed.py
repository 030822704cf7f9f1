"""What files of code say, remembered: never out of date, and nothing is lost without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.plans.source import SourceTree


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "parsed.json"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "mine.py").write_text("import beside\n\ndef fit(): ...\n")
    (tmp_path / "plan" / "beside.py").write_text("x = 1\n")
    return tmp_path / "plan"


def digest(folder: Path, remembered: Path | None) -> str:
    tree = SourceTree(folder, remembered)
    found = tree.digest("mine:fit")
    tree.remember()
    return found


def test_a_digest_from_memory_is_that_of_the_files(mine: Path, remembered: Path) -> None:
    anew = digest(mine, None)
    assert [digest(mine, remembered) for _ in range(3)] == [anew] * 3
    assert len(json.loads(remembered.read_text())["files"]) == 2


def test_it_is_memory_that_answers(mine: Path, remembered: Path) -> None:
    before = digest(mine, remembered)
    kept = json.loads(remembered.read_text())
    kept["files"] = {key: ["another", imports] for key, (_, imports) in kept["files"].items()}
    remembered.write_text(json.dumps(kept))
    assert digest(mine, remembered) != before


def test_a_changed_file_is_read_anew_whatever_its_date(mine: Path, remembered: Path) -> None:
    before = digest(mine, remembered)
    (mine / "beside.py").write_text("x = 2\n")
    after = digest(mine, remembered)
    assert after == digest(mine, None) != before
    (mine / "beside.py").write_text("x = 1\n")
    assert digest(mine, remembered) == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"reader": 1, "files": {}}', "\x00"])
def test_a_damaged_memory_is_forgotten(mine: Path, remembered: Path, content: str) -> None:
    remembered.write_text(content)
    assert digest(mine, remembered) == digest(mine, None)
    assert len(json.loads(remembered.read_text())["files"]) == 2


def test_without_a_folder_to_remember_in_nothing_is_made(mine: Path, tmp_path: Path) -> None:
    assert digest(mine, tmp_path / "nowhere" / "parsed.json") == digest(mine, None)
    assert not (tmp_path / "nowhere").exists()
