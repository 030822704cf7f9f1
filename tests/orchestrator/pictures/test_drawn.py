"""The grid of a fold is drawn by a child process when its notice is sent; or there is none."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import skint
from notifiers.base import Notice, Picture
from orchestrator.pictures.drawing import CELL_PX, FRAME_PX, GAP_PX, HEAD_PX, MARK_PX
from orchestrator.pictures.drawn import mistakes_of, with_pictures
from orchestrator.pictures.record import PICTURE, RECORD, Record, read_record, write_record
from skint.dataset import PackedSet
from tests.jobs.several_set import several_set
from tests.jobs.small_set import small_set
from tests.orchestrator.pictures.fold import finished

TOLD = [0, 1, 2, 1, 1, 2]
SURE = [0.9, 0.8, 0.7, 0.99, 0.6, 0.5]
"""Picture 3 is blue (0) and told green (1); all others are right."""


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return small_set(tmp_path / "packed")


def notice(folder: Path) -> Notice:
    title = "train fold 0 (1 of 3)"
    pictures = (mistakes_of(str(folder), title),)
    return Notice("run", "reply", "run/key", "done", pictures=pictures)


def grid(folder: Path) -> np.ndarray:
    return np.asarray(Image.open(folder / PICTURE).convert("RGB"))


def test_a_finished_fold_has_its_grid_and_the_words_for_it(tmp_path: Path, packed: Path) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    (picture,) = with_pictures(notice(folder)).pictures
    assert picture.path == str(folder / PICTURE) and picture.title == "train fold 0 (1 of 3)"
    assert picture.alt_text == (
        "train fold 0 (1 of 3). 1 of 6 validation pictures are wrong."
        " The worst: 1. blue taken for green (99 %). The other 5 shown are right."
    )
    assert not (folder / "out" / PICTURE).exists()  # what is published stays as it was


def test_the_worst_mistake_comes_first_framed_and_crossed_and_what_is_right_ticked(
    tmp_path: Path, packed: Path
) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    with_pictures(notice(folder))
    pixels, top, step = grid(folder), HEAD_PX + GAP_PX, CELL_PX + GAP_PX
    wrong, right = (
        pixels[top : top + CELL_PX, left : left + CELL_PX] for left in (GAP_PX, GAP_PX + step)
    )
    middle = wrong[FRAME_PX:-FRAME_PX, FRAME_PX : -MARK_PX - 1].mean((0, 1))
    assert middle.argmax() == 2  # picture 3 is blue
    frame = wrong[CELL_PX // 2, 0].tolist()
    assert frame != [255, 255, 255] and right[CELL_PX // 2, 0].tolist() == [255, 255, 255]
    # Not by colour alone: the lines of the marks differ as well.
    marks = [one[:MARK_PX, -MARK_PX:].min(2) > 250 for one in (wrong, right)]
    assert marks[0].sum() > 20 and marks[1].sum() > 20 and (marks[0] != marks[1]).any()


def test_what_is_drawn_once_is_not_drawn_again(tmp_path: Path, packed: Path) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    first = with_pictures(notice(folder))
    stamp = (folder / PICTURE).stat().st_mtime_ns
    (folder / "out" / "predictions.npz").unlink()
    assert with_pictures(notice(folder)) == first
    assert (folder / PICTURE).stat().st_mtime_ns == stamp


def test_the_same_fold_gives_the_same_bytes(tmp_path: Path, packed: Path) -> None:
    folders = [finished(tmp_path / name, packed, TOLD, SURE) for name in ("a", "b")]
    for folder in folders:
        with_pictures(notice(folder))
    assert (folders[0] / PICTURE).read_bytes() == (folders[1] / PICTURE).read_bytes()


def test_other_pictures_of_a_notice_are_left_alone(tmp_path: Path, packed: Path) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    own = Picture(str(tmp_path / "own.png"), "mine", "in my words")
    asked = replace(notice(folder), pictures=(own, *notice(folder).pictures))
    assert with_pictures(asked).pictures[0] == own


def test_many_bands_are_drawn_as_people_can_see_them(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", channels=13, dtype="uint16", size=40)
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    assert len(with_pictures(notice(folder)).pictures) == 1
    assert grid(folder).std() > 20


def test_of_features_the_pictures_behind_them_are_shown(tmp_path: Path, packed: Path) -> None:
    features = small_set(tmp_path / "features", size=1, channels=8, dtype="float32")
    made = json.loads((features / "dataset.json").read_text())
    made["made_by"] = {"job": "features"}
    (features / "dataset.json").write_text(json.dumps(made))
    alone = finished(tmp_path / "alone", features, TOLD, SURE)
    assert with_pictures(notice(alone)).pictures == ()
    assert "features" in json.loads((alone / RECORD).read_text())["missing"]
    folder = finished(tmp_path / "job", features, TOLD, SURE, pictures=packed)
    assert len(with_pictures(notice(folder)).pictures) == 1


def test_without_predictions_there_is_no_picture_and_no_process(tmp_path: Path) -> None:
    assert with_pictures(notice(tmp_path / "gone")).pictures == ()
    assert not (tmp_path / "gone").exists()


def why_not(folder: Path) -> str:
    assert with_pictures(notice(folder)).pictures == ()
    return str(json.loads((folder / RECORD).read_text())["missing"])


def test_predictions_that_are_damaged_or_of_another_set_have_no_picture(
    tmp_path: Path, packed: Path
) -> None:
    folder = finished(tmp_path / "damaged", packed, TOLD, SURE)
    (folder / "out" / "predictions.npz").write_bytes(b"no archive")
    assert why_not(folder) == "these predictions cannot be read"
    folder = finished(tmp_path / "other", packed, TOLD, SURE)
    small_set(packed, per_class=1)
    assert why_not(folder) == "these predictions are of another packed set"


def test_predictions_of_values_have_no_picture(tmp_path: Path) -> None:
    packed = several_set(tmp_path / "packed")
    ctx = skint.Context.for_test(tmp_path / "job", inputs={"packed": packed}, fold=0, folds=3)
    true = PackedSet.open(packed).values("shade")[:4]
    names = np.array(["shade"])
    file = ctx.out / "predictions.npz"
    np.savez(file, ids=np.arange(4), targets=names, target=true, values=true)
    assert why_not(tmp_path / "job") == "no target of this job is a class"


def test_predictions_that_are_all_nan_have_no_picture(tmp_path: Path, packed: Path) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, [np.nan] * 6)
    assert why_not(folder) == "some predictions are not finite (NaN or infinity)"


def test_a_child_that_fails_leaves_its_reason_and_is_not_started_again(
    tmp_path: Path, packed: Path
) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    (folder / "task.json").write_text("{}")
    assert "is no task" in why_not(folder)
    finished(folder, packed, TOLD, SURE)
    assert "is no task" in why_not(folder)


def test_a_child_that_hangs_is_killed_and_the_words_go_out(tmp_path: Path, packed: Path) -> None:
    folder = finished(tmp_path / "job", packed, TOLD, SURE)
    (folder / "task.json").unlink()
    os.mkfifo(folder / "task.json")  # reading it waits for ever
    assert with_pictures(notice(folder), timeout_s=1.0).pictures == ()
    assert "more than 1 s" in json.loads((folder / RECORD).read_text())["missing"]


def test_a_record_without_its_picture_or_of_another_version_does_not_count(tmp_path: Path) -> None:
    write_record(tmp_path, Record(alt_text="said"))
    assert read_record(tmp_path) is None
    (tmp_path / PICTURE).write_bytes(b"png")
    assert read_record(tmp_path) == Record(alt_text="said")
    (tmp_path / RECORD).write_text('{"version":0,"alt_text":"","missing":"x"}')
    assert read_record(tmp_path) is None
