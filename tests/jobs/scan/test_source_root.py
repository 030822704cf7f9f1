from __future__ import annotations

from pathlib import Path

import pytest

from jobs.scan.source_root import SourceGone, find_root, note_root


def test_a_folder_in_the_project_is_found_after_the_project_was_moved(tmp_path: Path) -> None:
    pictures = tmp_path / "here" / "data" / "train"
    pictures.mkdir(parents=True)
    note_root(tmp_path / "scan", pictures, tmp_path / "here")
    assert find_root(tmp_path / "scan", tmp_path / "here") == pictures
    (tmp_path / "here").rename(tmp_path / "there")
    moved = tmp_path / "there" / "data" / "train"
    assert find_root(tmp_path / "scan", tmp_path / "there") == moved


def test_a_folder_elsewhere_is_found_from_wherever_the_plan_is(tmp_path: Path) -> None:
    pictures = tmp_path / "photos"
    pictures.mkdir()
    note_root(tmp_path / "scan", pictures, tmp_path / "plan")
    assert find_root(tmp_path / "scan", tmp_path / "another") == pictures


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    pictures = tmp_path / "here" / "photos"
    note_root(tmp_path / "scan", pictures, tmp_path / "here")
    with pytest.raises(SourceGone, match="gone"):
        find_root(tmp_path / "scan", tmp_path / "here")
    with pytest.raises(SourceGone, match="not known"):
        find_root(tmp_path / "nothing", tmp_path)
