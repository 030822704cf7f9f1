"""What no plan can be made of is one error that says what would do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.starting import tree
from orchestrator.starting.errors import NoFolder, NothingToStart
from orchestrator.starting.looking import look_at
from tests.orchestrator.starting.folders import bands, pictures, table


def broken(root: Path) -> None:
    for name in ("cat/a.jpg", "cat/b.jpg", "dog/c.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("version https://git-lfs.github.com/spec/v1\n")


def strangers(root: Path) -> None:
    pictures(root, ["a.png", "b.png"])
    table(root / "labels.csv", ("file", "label"), [("x.png", "u"), ("y.png", "v")])


def saying_nothing(root: Path) -> None:
    pictures(root, ["a.png", "b.png"])
    table(root / "labels.csv", ("file", "label"), [("a.png", "u"), ("b.png", "u")])


def mixed(root: Path) -> None:
    pictures(root, [f"cat/{n}.png" for n in range(5)])
    for n in range(5):
        bands(root / "dog" / f"{n}.tif")


def one_usable_class(root: Path) -> None:
    broken(root)
    pictures(root, ["dog/d.png", "dog/e.png"])


def masks(root: Path) -> None:
    pictures(root, [f"{kind}/{n}.png" for kind in ("images", "masks") for n in range(3)])


WRONG: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "empty": (lambda root: None, "this folder is empty", "skint init FOLDER"),
    "no pictures": (lambda root: (root / "a.txt").touch(), "no pictures", "1 other file"),
    "arrays": (lambda root: (root / "a.npy").touch(), "arrays (.npy)", "tifffile.imwrite"),
    "unread": (lambda root: (root / "a.heic").touch(), "kinds that are not read", "1 .heic"),
    "broken": (broken, "none of the pictures can be read", "git lfs pull"),
    "flat": (lambda root: pictures(root, ["a.png"]), "nothing says", "a folder for each class"),
    "one class": (lambda root: pictures(root, ["cat/a.png", "cat/b.png"]), "nothing says", "class"),
    "one usable class": (one_usable_class, "only one class", "a folder for each class"),
    "strangers": (strangers, "no table says", "file, label"),
    "nothing said": (saying_nothing, "no table says", "one to learn"),
    "mixed": (mixed, "cannot be learnt together", "5 bands of uint16 (dog/0.tif)"),
    "masks": (masks, "there are masks", "not trained on"),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_one_error_that_says_what_would_do(name: str, tmp_path: Path) -> None:
    make, what, more = WRONG[name]
    make(tmp_path)
    with pytest.raises(NothingToStart) as caught:
        look_at(tmp_path)
    assert what in caught.value.what
    assert more in str(caught.value) and str(tmp_path) in str(caught.value)


def test_a_folder_that_is_not_there_has_a_neighbour(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(NoFolder, match="no such folder") as caught:
        look_at(tmp_path / "photo")
    assert caught.value.next == f"did you mean {tmp_path / 'photos'}?"
    assert caught.value.exit_code == 3


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(NothingToStart, match="is a file"):
        look_at(tmp_path / "a.png")


def test_more_files_than_any_folder_of_pictures_has_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MOST_FILES", 3)
    pictures(tmp_path, [f"cat/{n}.png" for n in range(4)])
    with pytest.raises(NothingToStart, match="more than 3 files"):
        look_at(tmp_path)


def test_environments_and_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    pictures(tmp_path, [f"{c}/{n}.png" for c in ("cat", "dog", ".trash") for n in range(2)])
    pictures(tmp_path, ["venv/lib/logo.png"])
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert set(look_at(tmp_path).train.classes) == {"cat", "dog"}


def test_one_broken_picture_of_many_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(2)])
    (tmp_path / "cat" / "empty.jpg").touch()
    found = look_at(tmp_path)
    assert found.heads.broken == (("cat/empty.jpg", "is empty (0 bytes)"),)
