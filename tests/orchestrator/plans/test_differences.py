from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.plans.differences import differences, told
from orchestrator.plans.ingredients import Ingredients
from orchestrator.plans.keys import ingredients_of
from orchestrator.plans.source import SourceTree


def made_of(base: Path, **changes: Any) -> Ingredients:
    known: dict[str, Any] = {
        "uses": "./mine.py:fit",
        "argv": (),
        "params": {"size": 128, "data": "data"},
        "paths": ["data"],
        "base": base,
        "fold": None,
        "folds": None,
        "devices": 0,
        "smoke": False,
        "libraries": {"Pillow": "12.0.0"},
        "environment": {"python": "", "env": []},
        "sources": SourceTree(base),
    }
    return ingredients_of(**{**known, **changes})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text("import other\n\ndef fit(): return other.x\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "data" / name).write_text(name)
    return tmp_path


def said(before: Ingredients, after: Ingredients) -> str:
    details = {**before.details, **after.details}
    return told(differences(before.record, after.record, details.get))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"params": {"size": 224, "data": "data"}}, "size 128 → 224"),
        ({"params": {"data": "data"}}, "size 128 → not set"),
        ({"libraries": {"Pillow": "13.0.0"}}, "Pillow 12.0.0 → 13.0.0"),
        ({"libraries": {"Pillow": ""}}, "Pillow 12.0.0 is not installed any more"),
        ({"libraries": {}}, "Pillow does not count any more"),
        (
            {"libraries": {"Pillow": "12.0.0", "numpy": "2.4"}},
            "numpy counts now",
        ),
        ({"folds": 5, "fold": 0}, "number of folds not set → 5; fold not set → 0"),
        ({"environment": {"python": "/v/python", "env": []}}, "python skint's own → /v/python"),
        ({"environment": {"python": "", "env": ["A"]}}, "other environment variables"),
    ],
)
def test_what_is_different_is_said(base: Path, changes: dict[str, Any], words: str) -> None:
    found = said(made_of(base), made_of(base, **changes))
    assert found.startswith(words) if words else found == ""


def test_files_that_changed_in_a_folder_are_counted(base: Path) -> None:
    before = made_of(base)
    (base / "data" / "d").write_text("d")
    assert said(before, made_of(base)) == "1 file new under data"
    (base / "data" / "e").write_text("e")
    (base / "data" / "a").unlink()
    (base / "data" / "b").write_text("bb")
    assert said(before, made_of(base)) == "2 files new, 1 gone, 1 changed under data"


def test_code_that_changed_is_named_by_its_file(base: Path) -> None:
    before = made_of(base)
    (base / "other.py").write_text("x = 2\n")
    assert said(before, made_of(base)) == "other.py changed"
    (base / "mine.py").write_text("import other\n\ndef fit(): return -other.x\n")
    assert said(before, made_of(base)) == "mine.py and other.py changed"


def test_a_command_tells_the_word_that_changed(base: Path) -> None:
    before = made_of(base, uses="", argv=("python", "mine.py", "--lr", "0.1"))
    after = made_of(base, uses="", argv=("python", "mine.py", "--lr", "0.2"))
    assert said(before, after) == "0.1 → 0.2 in its command"
    (base / "other.py").write_text("x = 2\n")
    same = made_of(base, uses="", argv=("python", "mine.py", "--lr", "0.1"))
    assert said(before, same) == "other.py changed"


def test_a_file_that_a_parameter_names_is_named(base: Path) -> None:
    (base / "best.ckpt").write_text("1")
    before = made_of(base, params={"weights": "best.ckpt"})
    (base / "best.ckpt").write_text("22")
    assert said(before, made_of(base, params={"weights": "best.ckpt"})) == "best.ckpt changed"


def test_many_differences_are_counted_at_the_end(base: Path) -> None:
    params = dict.fromkeys("abcde", 1)
    other = dict.fromkeys("abcde", 2)
    found = said(made_of(base, params=params), made_of(base, params=other))
    assert found == "a 1 → 2; b 1 → 2; c 1 → 2; 2 more"


def test_records_that_lost_their_details_still_tell_which_of_them_it_was(base: Path) -> None:
    before = made_of(base)
    (base / "other.py").write_text("x = 2\n")
    (base / "data" / "d").write_text("d")
    after = made_of(base)
    found = differences(before.record, after.record, lambda _: None)
    assert found == ["files changed under data", "its code changed"]
