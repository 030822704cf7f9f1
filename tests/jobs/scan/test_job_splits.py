"""Test folders, sample submissions, and pictures that occur twice within and across scans."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

import skint
from jobs.scan.job import Params, scan
from jobs.scan.submission import SubmissionError
from jobs.scan.weeding import DuplicatePictures

PHOTOS = Path(__file__).resolve().parents[3] / "examples" / "photos" / "data"
HATS, SHOES = (sorted((PHOTOS / label).iterdir()) for label in ("hat", "shoes"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def paths(ctx: skint.Context) -> list[str]:
    return [row["path"] for row in rows_of(ctx.out / "scan.csv")]


def notes(ctx: skint.Context) -> str:
    lines = ctx.attempt.events.read_text(encoding="utf-8").splitlines()
    return "\n".join(event["text"] for event in map(json.loads, lines) if event["kind"] == "note")


def scanned(
    folder: Path, source: Path, earlier: dict[str, Path] | None = None, **params: object
) -> skint.Context:
    ctx = skint.Context.for_test(folder, inputs=earlier)
    scan(Params.model_validate({"source": source, **params}), ctx)
    return ctx


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """hat/0.jpg to hat/2.jpg and shoes/0.jpg to shoes/2.jpg."""
    root = tmp_path / "train"
    for label, photos in (("hat", HATS), ("shoes", SHOES)):
        (root / label).mkdir(parents=True)
        for number, photo in enumerate(photos[:3]):
            shutil.copyfile(photo, root / label / f"{number}.jpg")
    return root


@pytest.fixture
def test(tmp_path: Path) -> Path:
    """a.jpg, b.jpg, c.jpg, which are in no other folder."""
    root = tmp_path / "test"
    root.mkdir()
    for name, photo in zip("abc", HATS[3:6], strict=True):
        shutil.copyfile(photo, root / f"{name}.jpg")
    return root


def test_a_test_folder_has_names_and_no_targets(tmp_path: Path, test: Path) -> None:
    ctx = scanned(tmp_path / "scan", test, labels="none")
    rows = rows_of(ctx.out / "scan.csv")
    assert [row["name"] for row in rows] == ["a", "b", "c"]
    assert list(rows[0])[-1] == "phash"
    assert json.loads((ctx.out / "targets.json").read_text()) == []


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ("first", ["outdoor"]),
        ("last", ["hat", "shoes"]),
        (r"/(\w)\w+/\d+\.jpg", ["h", "s"]),
    ],
)
def test_a_label_is_the_first_folder_the_last_or_what_a_bracket_finds(
    tmp_path: Path, train: Path, labels: str, classes: list[str]
) -> None:
    outdoor = tmp_path / "all" / "outdoor"
    shutil.copytree(train, outdoor / "2026")
    shutil.copytree(train, tmp_path / "all" / "studio")
    found = json.loads(
        (scanned(tmp_path / "s", tmp_path / "all", labels=labels).out / "targets.json").read_text()
    )
    assert found[0]["classes"] == (["outdoor", "studio"] if labels == "first" else classes)


def test_a_regular_expression_without_a_bracket_is_refused() -> None:
    with pytest.raises(ValidationError, match="first, last, none"):
        Params(source=Path("x"), labels="fisrt")


@pytest.mark.parametrize("name", ["{}", "{}.jpg"])
def test_pictures_are_called_what_the_submission_calls_them(
    tmp_path: Path, test: Path, name: str
) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("id,label\n" + "".join(f"{name.format(x)},0\n" for x in "cab"))
    ctx = scanned(tmp_path / "scan", test, labels="none", sample_submission=sample)
    assert [row["name"] for row in rows_of(ctx.out / "scan.csv")] == [
        name.format(letter) for letter in "abc"
    ]
    asked = json.loads((ctx.out / "submission.json").read_text())
    assert asked == {"id": "id", "columns": ["label"]}
    assert "sample submission" not in notes(ctx)


@pytest.mark.parametrize(
    ("text", "words", "got"),
    [
        ("id,label\na,0\nb,0\nc,0\nd,0\n", "1 id of the sample submission has no picture", "d"),
        ("id,label\nx,0\ny,0\n", "2 ids of the sample submission have no picture", "x, y"),
        ("id,label\na,0\na,0\n", "twice", "a"),
        ("id\na\n", "no column for predictions", "id"),
        ("id,label\n,0\n", "no id", None),
        ("id,label\n", "no rows", None),
    ],
)
def test_a_submission_that_does_not_fit_is_refused_before_any_picture_is_opened(
    tmp_path: Path, test: Path, text: str, words: str, got: str | None
) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(text)
    with pytest.raises(SubmissionError, match=words) as error:
        scanned(tmp_path / "scan", test, labels="none", sample_submission=sample)
    assert error.value.got == got
    assert list((tmp_path / "scan" / "out").iterdir()) == []


def test_extra_and_unusable_pictures_and_odd_columns_are_told(
    tmp_path: Path, train: Path, test: Path
) -> None:
    (test / "b.jpg").write_bytes(b"")
    sample = tmp_path / "sample.csv"
    sample.write_text("id,cat,dog\na,0,0\nb,0,0\n")
    first = scanned(tmp_path / "first", train)
    ctx = scanned(
        tmp_path / "scan", test, {"train": first.out}, labels="none", sample_submission=sample
    )
    assert "1 picture not in the sample submission: c" in notes(ctx)
    assert "1 id of the sample submission will have no prediction" in notes(ctx)
    assert "the columns cat, dog of the sample submission are neither targets nor" in notes(ctx)


@pytest.mark.parametrize("header", ["id,label", "id,shoes,hat"])
def test_columns_that_are_targets_or_classes_are_right(
    tmp_path: Path, train: Path, test: Path, header: str
) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(header + "\n" + "".join(f"{x}{',0' * header.count(',')}\n" for x in "abc"))
    first = scanned(tmp_path / "first", train)
    ctx = scanned(
        tmp_path / "scan", test, {"train": first.out}, labels="none", sample_submission=sample
    )
    assert "sample submission" not in notes(ctx)


def test_a_table_of_test_pictures_gives_the_ids(tmp_path: Path, test: Path) -> None:
    (tmp_path / "test.csv").write_text("id,file\n1,a.jpg\n2,b.jpg\n3,gone.jpg\n")
    sample = tmp_path / "sample.csv"
    sample.write_text("id,label\n1,0\n2,0\n3,0\n")
    ctx = scanned(
        tmp_path / "scan",
        test,
        labels="none",
        table=tmp_path / "test.csv",
        path="file",
        sample_submission=sample,
    )
    assert [row["name"] for row in rows_of(ctx.out / "scan.csv")] == ["1", "2"]
    assert "will have no prediction, because the picture cannot be used: 3" in notes(ctx)


def test_copies_are_listed_with_their_labels_and_kept(tmp_path: Path, train: Path) -> None:
    shutil.copyfile(train / "hat" / "0.jpg", train / "hat" / "copy.jpg")
    shutil.copyfile(train / "hat" / "1.jpg", train / "shoes" / "wrong.jpg")
    with Image.open(train / "shoes" / "2.jpg") as image:
        image.save(train / "shoes" / "again.jpg", quality=60)
    ctx = scanned(tmp_path / "scan", train)
    found = [list(row.values()) for row in rows_of(ctx.out / "duplicates.csv")]
    assert [row[:1] + row[2:] for row in found] == [
        ["exact", "hat/copy.jpg", "0", "hat", "", "hat/0.jpg", "0", "hat"],
        ["exact", "shoes/wrong.jpg", "0", "shoes", "", "hat/1.jpg", "0", "hat"],
        ["near", "shoes/again.jpg", "0", "shoes", "", "shoes/2.jpg", "0", "shoes"],
    ]
    assert len(paths(ctx)) == 9
    said = notes(ctx)
    assert "2 pictures with the same bytes as one before" in said
    assert "shoes/wrong.jpg and hat/1.jpg (shoes, hat)" in said
    assert "1 picture nearly the same as one before" in said


def test_drop_keeps_the_first_of_copies_and_trusts_no_contradiction(
    tmp_path: Path, train: Path
) -> None:
    shutil.copyfile(train / "hat" / "0.jpg", train / "hat" / "copy.jpg")
    shutil.copyfile(train / "hat" / "1.jpg", train / "hat" / "right.jpg")
    shutil.copyfile(train / "hat" / "1.jpg", train / "shoes" / "wrong.jpg")
    ctx = scanned(tmp_path / "scan", train, on_duplicate="drop")
    assert paths(ctx) == ["hat/0.jpg", "hat/2.jpg", *(f"shoes/{n}.jpg" for n in range(3))]
    reasons = {row["path"]: row["reason"] for row in rows_of(ctx.out / "quarantine.csv")}
    assert reasons == {
        "hat/1.jpg": "has the same bytes as shoes/wrong.jpg, which is labelled shoes",
        "hat/right.jpg": "has copies with another label",
        "shoes/wrong.jpg": "has the same bytes as hat/1.jpg, which is labelled hat",
    }
    assert json.loads((ctx.out / "summary.json").read_text())["dropped"] == 1


def test_fail_stops_at_copies_but_not_at_likenesses(tmp_path: Path, train: Path) -> None:
    with Image.open(train / "shoes" / "2.jpg") as image:
        image.save(train / "shoes" / "again.jpg", quality=60)
    assert len(paths(scanned(tmp_path / "near", train, on_duplicate="fail"))) == 7
    shutil.copyfile(train / "hat" / "0.jpg", train / "hat" / "copy.jpg")
    with pytest.raises(DuplicatePictures) as error:
        scanned(tmp_path / "exact", train, on_duplicate="fail")
    assert error.value.where == "hat/copy.jpg"
    assert error.value.got == "the same bytes as hat/0.jpg"


def test_what_leaks_from_training_into_test_is_found(
    tmp_path: Path, train: Path, test: Path
) -> None:
    shutil.copyfile(train / "hat" / "0.jpg", test / "leak.jpg")
    with Image.open(train / "shoes" / "1.jpg") as image:
        image.resize((image.width // 2, image.height // 2)).save(test / "small.png")
    first = scanned(tmp_path / "first", train)
    ctx = scanned(tmp_path / "scan", test, {"train_scan": first.out}, labels="none")
    found = [
        (row["kind"], row["path"], row["scan"], row["first"], row["first_label"])
        for row in rows_of(ctx.out / "duplicates.csv")
    ]
    assert found == [
        ("exact", "leak.jpg", "train_scan", "hat/0.jpg", "hat"),
        ("near", "small.png", "train_scan", "shoes/1.jpg", "shoes"),
    ]
    assert "1 picture with the same bytes as one of train_scan, like leak.jpg" in notes(ctx)
    # Nothing is known of an unlabelled picture, so nothing says that it is the same.
    dropped = scanned(
        tmp_path / "drop", test, {"train_scan": first.out}, labels="none", on_duplicate="drop"
    )
    assert "leak.jpg" in paths(dropped)


def test_drop_leaves_out_of_a_held_out_set_what_training_has(tmp_path: Path, train: Path) -> None:
    held_out = tmp_path / "held_out"
    for label, photos in (("hat", HATS), ("shoes", SHOES)):
        (held_out / label).mkdir(parents=True)
        for number in (0, 5):  # 0 is in `train` as well
            shutil.copyfile(photos[number], held_out / label / f"{number}.jpg")
    shutil.copyfile(HATS[1], held_out / "shoes" / "wrong.jpg")
    first = scanned(tmp_path / "first", train)
    ctx = scanned(tmp_path / "scan", held_out, {"train": first.out}, on_duplicate="drop")
    assert paths(ctx) == ["hat/5.jpg", "shoes/5.jpg"]
    assert rows_of(ctx.out / "quarantine.csv") == [
        {
            "path": "shoes/wrong.jpg",
            "reason": "has the same bytes as train: hat/1.jpg, which is labelled hat",
        }
    ]


def test_classes_are_numbered_as_in_the_earlier_scan(tmp_path: Path, train: Path) -> None:
    shutil.copytree(train / "hat", train / "anorak")
    first = scanned(tmp_path / "first", train)
    held_out = tmp_path / "held_out"
    shutil.copytree(train / "shoes", held_out / "shoes")
    shutil.copytree(train / "hat", held_out / "beret")
    ctx = scanned(tmp_path / "scan", held_out, {"train": first.out}, near_bits=None)
    found = json.loads((ctx.out / "targets.json").read_text())
    assert found[0]["classes"] == ["anorak", "hat", "shoes", "beret"]
    assert "1 class not in train, like beret" in notes(ctx)


def test_a_submission_and_dropping_do_not_go_together() -> None:
    with pytest.raises(ValidationError, match="needs every picture"):
        Params.model_validate({"source": "a", "sample_submission": "s.csv", "on_duplicate": "drop"})
