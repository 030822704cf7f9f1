"""Scans whose labels stand in a table."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from pydantic import ValidationError

import skint
from jobs.scan.job import Params, scan
from skint.table import TableError

PHOTOS = Path(__file__).resolve().parents[3] / "examples" / "photos" / "data"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notes(ctx: skint.Context) -> str:
    lines = ctx.attempt.events.read_text(encoding="utf-8").splitlines()
    return "\n".join(event["text"] for event in map(json.loads, lines) if event["kind"] == "note")


def targets(ctx: skint.Context) -> list[dict[str, Any]]:
    found = json.loads((ctx.out / "targets.json").read_text())
    assert isinstance(found, list)
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """train/a.jpg to train/f.jpg: photos without any class folder."""
    root = tmp_path / "source"
    (root / "train").mkdir(parents=True)
    photos = [*sorted((PHOTOS / "hat").iterdir())[:3], *sorted((PHOTOS / "shoes").iterdir())[:3]]
    for name, photo in zip("abcdef", photos, strict=True):
        shutil.copyfile(photo, root / "train" / f"{name}.jpg")
    return root


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def scanned(table: Path, source: Path, **params: object) -> skint.Context:
    ctx = skint.Context.for_test(table.parent / "scan")
    scan(Params.model_validate({"source": source, "table": table, **params}), ctx)
    return ctx


def test_ids_with_a_template_are_found_and_name_the_pictures(table: Path, source: Path) -> None:
    table.write_text("id,breed\na,pug\nd,boxer\nb,pug\n")
    ctx = scanned(table, source, path="train/{id}.jpg", targets="breed")
    assert [(r["name"], r["path"], r["breed"]) for r in rows_of(ctx.out / "scan.csv")] == [
        ("a", "train/a.jpg", "pug"),
        ("b", "train/b.jpg", "pug"),
        ("d", "train/d.jpg", "boxer"),
    ]
    assert targets(ctx) == [{"name": "breed", "kind": "class", "classes": ["boxer", "pug"]}]


def test_several_targets_of_every_kind(table: Path, source: Path) -> None:
    (source / "masks").mkdir()
    for name in "ab":
        with Image.open(source / "train" / f"{name}.jpg") as image:
            Image.new("L", image.size, 3).save(source / "masks" / f"{name}.png")
    table.write_text(
        "file;Breed Name;tags;age;rust;scab;who\n"
        "train/a.jpg;pug;wet sad;1.5;1;0;p1\n"
        "train/b.jpg;boxer;;NaN;0;0;p2\n"
    )
    ctx = scanned(
        table,
        source,
        path="file",
        group="who",
        targets={
            "breed": {"kind": "class", "column": "Breed Name"},
            "tags": {"kind": "multilabel", "split": " "},
            "age": "value",
            "ills": {"kind": "multilabel", "columns": ["rust", "scab"]},
            "outline": {"kind": "mask", "column": "masks/{file[6]}.png"},
        },
    )
    first, second = rows_of(ctx.out / "scan.csv")
    assert list(first)[11:] == ["breed", "tags", "age", "ills", "outline"]
    assert list(first.values())[11:] == ["pug", "sad|wet", "1.5", "rust", "masks/a.png"]
    assert list(second.values())[11:] == ["boxer", "", "", "", "masks/b.png"]
    assert (first["group"], second["group"]) == ("p1", "p2")
    assert [(t["name"], t["kind"], t["classes"]) for t in targets(ctx)] == [
        ("breed", "class", ["boxer", "pug"]),
        ("tags", "multilabel", ["sad", "wet"]),
        ("age", "value", []),
        ("ills", "multilabel", ["rust", "scab"]),
        ("outline", "mask", []),
    ]
    assert "1 picture without a known age" in notes(ctx)


def test_a_mask_that_is_no_mask_of_its_picture_puts_it_in_quarantine(
    table: Path, source: Path
) -> None:
    Image.new("L", (3, 3)).save(source / "small.png")
    Image.new("RGB", (3, 3)).save(source.parent / "outside.png")
    with Image.open(source / "train" / "d.jpg") as image:
        Image.new("L", image.size).save(source / "good.png")
    table.write_text(
        "path,outline\ntrain/a.jpg,gone.png\ntrain/b.jpg,../outside.png\ntrain/c.jpg,small.png\n"
        f"train/d.jpg,{source}/good.png\n"
        "train/e.jpg,\ntrain/f.jpg,train/f.jpg\n"
    )
    ctx = scanned(table, source, targets={"outline": "mask"})
    reasons = {row["path"]: row["reason"] for row in rows_of(ctx.out / "quarantine.csv")}
    assert reasons["train/a.jpg"] == "has a mask, gone.png, that does not exist"
    assert "leads out of the source folder" in reasons["train/b.jpg"]
    assert "3 × 3 pixels for a picture of" in reasons["train/c.jpg"]
    assert "mode RGB" in reasons["train/f.jpg"]
    rows = {row["path"]: row["outline"] for row in rows_of(ctx.out / "scan.csv")}
    assert rows == {"train/d.jpg": "good.png", "train/e.jpg": ""}


def test_pictures_of_the_folder_that_the_table_does_not_name_are_told(
    table: Path, source: Path
) -> None:
    (source / "masks").mkdir()
    with Image.open(source / "train" / "a.jpg") as image:
        Image.new("L", image.size).save(source / "masks" / "a.png")
    (source / ".hidden").mkdir()
    shutil.copyfile(source / "train" / "a.jpg", source / ".hidden" / "a.jpg")
    table.write_text(
        "path,label,outline\ntrain/a.jpg,x,masks/a.png\ntrain/b.jpg,y,\ntrain/gone.jpg,y,\n"
    )
    ctx = scanned(table, source, targets={"label": "class", "outline": "mask"})
    assert "4 pictures of the folder not in the table, like train/c.jpg" in notes(ctx)


def test_parquet_gives_the_same_as_csv(table: Path, source: Path) -> None:
    table.write_text("id,label\na,x\nb,y\nc,x\n")
    csv_out = scanned(table, source, path="train/{id}.jpg").out
    parquet = table.parent / "parquet" / "labels.parquet"
    parquet.parent.mkdir()
    columns = {"id": ["a", "b", "c"], "label": ["x", "y", "x"]}
    pyarrow.parquet.write_table(pyarrow.table(columns), parquet)
    parquet_out = scanned(parquet, source, path="train/{id}.jpg").out
    for name in ("scan.csv", "targets.json", "summary.json"):
        assert (csv_out / name).read_bytes() == (parquet_out / name).read_bytes()


def test_backslashes_dots_and_whole_paths_name_the_same_file(table: Path, source: Path) -> None:
    table.write_text(
        "path,label\ntrain\\a.jpg,x\n./train//b.jpg,y\n"
        f"{source}/train/c.jpg,x\ntrain/../train/d.jpg,y\n"
    )
    ctx = scanned(table, source)
    assert [row["path"] for row in rows_of(ctx.out / "scan.csv")] == [
        f"train/{name}.jpg" for name in "abcd"
    ]


def test_a_source_behind_a_link_has_no_whole_paths_in_its_result(table: Path, source: Path) -> None:
    link = table.parent / "link"
    link.symlink_to(source, target_is_directory=True)
    table.write_text(f"path,label\n{link}/train/a.jpg,x\n{source}/train/b.jpg,y\n")
    ctx = scanned(table, link)
    assert [row["path"] for row in rows_of(ctx.out / "scan.csv")] == ["train/a.jpg", "train/b.jpg"]


def test_no_row_leads_out_of_the_folder(table: Path, source: Path) -> None:
    outside = table.parent / "outside"
    shutil.copytree(source / "train", outside)
    (source / "folder").symlink_to(outside, target_is_directory=True)
    (source / "link.jpg").symlink_to(outside / "a.jpg")
    ways = ["../outside/a.jpg", "train/../../outside/a.jpg", "folder/a.jpg", "link.jpg"]
    ways += [f"{outside}/a.jpg", "..\\outside\\a.jpg", f"{source}/../outside/b.jpg"]
    lines = ["train/a.jpg,x", "train/b.jpg,y", *(f"{way},x" for way in ways)]
    table.write_text("path,label\n" + "\n".join(lines) + "\n")
    ctx = scanned(table, source)
    assert len(rows_of(ctx.out / "scan.csv")) == 2
    reasons = rows_of(ctx.out / "quarantine.csv")
    assert reasons
    assert {row["reason"] for row in reasons} == {"leads out of the source folder"}


def test_a_row_that_says_the_same_again_is_told_and_one_that_differs_is_refused(
    table: Path, source: Path
) -> None:
    table.write_text("path,label\ntrain/a.jpg,x\ntrain/b.jpg,y\ntrain\\a.jpg,x\n")
    ctx = scanned(table, source)
    assert len(rows_of(ctx.out / "scan.csv")) == 2
    assert "1 row of the table stood there twice" in notes(ctx)
    table.write_text("path,label\ntrain/a.jpg,x\ntrain/b.jpg,y\ntrain\\a.jpg,y\n")
    with pytest.raises(TableError, match="twice") as error:
        scanned(table, source)
    assert error.value.where == f"{table}:4"
    assert error.value.wanted == f"x, as in {table}:2"


def test_labels_that_differ_in_case_only_are_told(table: Path, source: Path) -> None:
    table.write_text("path,label\ntrain/a.jpg,Hat\ntrain/b.jpg, hat\ntrain/c.jpg,shoe\n")
    assert "the classes 'Hat' and 'hat' of label differ in case or spaces only" in notes(
        scanned(table, source)
    )


def test_an_empty_label_is_unknown_and_told(table: Path, source: Path) -> None:
    table.write_text("path,label\ntrain/a.jpg,x\ntrain/b.jpg,\ntrain/c.jpg,y\n")
    ctx = scanned(table, source)
    assert [row["label"] for row in rows_of(ctx.out / "scan.csv")] == ["x", "", "y"]
    assert targets(ctx)[0]["classes"] == ["x", "y"]
    assert "1 picture without a known label" in notes(ctx)


@pytest.mark.parametrize(
    ("text", "params", "what", "hint"),
    [
        ("path,lable\ntrain/a.jpg,x\n", {}, "column label is missing", "did you mean lable?"),
        ("id,label\na,x\n", {}, "column path is missing", 'path: "{id}.jpg"'),
        ("", {}, "column path is missing", None),
        ("path,label\ntrain/a.jpg,x\n", {"id": "idd"}, "column idd is missing", None),
        ("path,label\n,x\n", {}, "names no picture", None),
        ("id,label\ntrain/a,x\n", {"path": "id"}, "none of the pictures", 'path: "{id}.jpg"'),
        ("path,label\nsource/train/a.jpg,x\n", {}, "none of the pictures", "set it to"),
        ("path,label\ntrain/a.jpg,x\n", {"group": "lab"}, "finds nothing", "did you mean label?"),
        ("path,age\ntrain/a.jpg,old\n", {"targets": {"age": "value"}}, "not a number", "a class?"),
    ],
)
def test_a_table_that_does_not_fit_says_what_to_do(
    table: Path, source: Path, text: str, params: dict[str, object], what: str, hint: str | None
) -> None:
    table.write_text(text)
    with pytest.raises(skint.SkintError, match=what) as error:
        scanned(table, source, **params)
    assert hint is None or hint in str(error.value.next)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"targets": {"width": "class"}}, "a target cannot be called width"),
        ({"targets": ["Breed Name"]}, "is no name of a target"),
        ({"targets": {"a": {"kind": "value", "columns": ["x"]}}}, "class or multilabel"),
        ({"targets": {"a": {"kind": "clas"}}}, "multilabel"),
        ({"path": "{id.jpg"}, "not a template"),
        ({"labels": "last"}, "labels stand in the table"),
        ({"labels": "none", "targets": "a"}, "has no targets"),
        ({"near_bits": 9}, "less than or equal to 8"),
        ({"group": "("}, "not a regular expression"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_before_anything_runs(
    params: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Params.model_validate({"source": "data", "table": "t.csv", **params})


@pytest.mark.parametrize("params", [{"targets": "a"}, {"path": "{id}.jpg"}, {"id": "id"}])
def test_columns_without_a_table_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="table"):
        Params.model_validate({"source": "data", **params})


def test_what_the_plan_keeps_of_parameters_means_the_same(table: Path, source: Path) -> None:
    given = {
        "source": source,
        "table": table,
        "targets": {"tags": {"kind": "multilabel"}, "a": "mask"},
    }
    params = Params.model_validate(given)
    assert Params.model_validate(params.model_dump(mode="json")) == params


def test_a_hundred_thousand_rows_of_one_picture_are_read_at_once(table: Path, source: Path) -> None:
    """All but two of them name pictures that do not exist; none of those is opened."""
    with table.open("w") as file:
        file.write("path,label\ntrain/a.jpg,x\ntrain/b.jpg,y\n")
        file.writelines(f"train/gone_{number}.jpg,x\n" for number in range(100_000))
    ctx = scanned(table, source)
    assert len(rows_of(ctx.out / "scan.csv")) == 2
    assert len(rows_of(ctx.out / "quarantine.csv")) == 100_000
