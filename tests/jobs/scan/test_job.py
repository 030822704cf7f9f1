from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

import skint
from jobs.scan.job import BadPictures, Params, scan
from jobs.scan.listing import SourceError
from skint.attempt import StopRequest

ROOT = Path(__file__).resolve().parents[3]
ODD = ROOT / "tests" / "data" / "pictures"
PHOTOS = ROOT / "examples" / "photos" / "data"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notes(ctx: skint.Context) -> list[str]:
    lines = ctx.attempt.events.read_text(encoding="utf-8").splitlines()
    return [event["text"] for event in map(json.loads, lines) if event["kind"] == "note"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two classes of three photos each, one of them a folder deeper."""
    root = tmp_path / "source"
    for label in ("hat", "shoes"):
        for number, photo in enumerate(sorted((PHOTOS / label).iterdir())[:3]):
            folder = root / label / ("deeper" if number == 2 else "")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo, folder / f"{number}.jpg")
    return root


def scanned(tmp_path: Path, source: Path, cpus: int = 1, **params: object) -> skint.Context:
    ctx = skint.Context.for_test(tmp_path / "scan", cpus=cpus)
    scan(Params.model_validate({"source": source, **params}), ctx)
    return ctx


def quarantine(ctx: skint.Context) -> dict[str, str]:
    return {row["path"]: row["reason"] for row in rows_of(ctx.out / "quarantine.csv")}


def test_every_picture_is_listed_with_class_size_and_hash(tmp_path: Path, source: Path) -> None:
    ctx = scanned(tmp_path, source)
    rows = rows_of(ctx.out / "scan.csv")
    assert [row["path"] for row in rows] == [
        f"{label}/{name}"
        for label in ("hat", "shoes")
        for name in ("0.jpg", "1.jpg", "deeper/2.jpg")
    ]
    for row in rows:
        content = (source / row["path"]).read_bytes()
        with Image.open(source / row["path"]) as image:
            assert (row["width"], row["height"]) == tuple(map(str, image.size))
        assert row["label"] == row["path"].split("/")[0]
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert (row["channels"], row["dtype"]) == ("3", "uint8")
        assert row["bytes"] == str(len(content))


def test_the_summary_counts_classes_and_the_root_is_local(tmp_path: Path, source: Path) -> None:
    ctx = scanned(tmp_path, source)
    summary = json.loads((ctx.out / "summary.json").read_text())
    assert summary["targets"] == {"label": {"hat": 3, "shoes": 3}}
    assert summary["quarantined"] == 0
    root = json.loads((ctx.out / "local" / "source.json").read_text())["root"]
    assert root == str(source)
    for file in ("scan.csv", "quarantine.csv", "summary.json"):
        assert str(tmp_path) not in (ctx.out / file).read_text()


def test_broken_files_are_quarantined_with_a_reason(tmp_path: Path, source: Path) -> None:
    for name in ("truncated_jpeg.jpg", "lfs_pointer.jpg", "decompression_bomb.gif"):
        shutil.copyfile(ODD / name, source / "hat" / name)
    (source / "hat" / "zero.jpg").touch()
    (source / "hat" / "phone.HEIC").write_bytes(b"x")
    (source / "lost.jpg").write_bytes(b"x")
    ctx = scanned(tmp_path, source)
    reasons = quarantine(ctx)
    assert "cut short" in reasons["hat/truncated_jpeg.jpg"]
    assert "Git LFS" in reasons["hat/lfs_pointer.jpg"]
    assert "pixels" in reasons["hat/decompression_bomb.gif"]
    assert "0 bytes" in reasons["hat/zero.jpg"]
    assert "HEIC" in reasons["hat/phone.HEIC"]
    assert "no class folder" in reasons["lost.jpg"]
    assert len(reasons) == 6
    assert len(rows_of(ctx.out / "scan.csv")) == 6
    assert any("6 files quarantined" in note for note in notes(ctx))


def test_capital_extensions_and_odd_names_are_pictures(tmp_path: Path, source: Path) -> None:
    shutil.copyfile(source / "hat" / "0.jpg", source / "hat" / "#1, Strauß.JPG")
    ctx = scanned(tmp_path, source)
    assert "hat/#1, Strauß.JPG" in {row["path"] for row in rows_of(ctx.out / "scan.csv")}


def test_hidden_files_and_other_files_are_left_out(tmp_path: Path, source: Path) -> None:
    """Without a trace: a plan beside the pictures must not have everything paid for again."""
    before = scanned(tmp_path / "before", source)
    (source / "hat" / ".DS_Store").write_bytes(b"x")
    (source / "hat" / "._0.jpg").write_bytes(b"x")
    (source / "hat" / "notes.txt").write_text("x")
    ctx = scanned(tmp_path, source)
    assert quarantine(ctx) == {}
    made = [path for path in before.out.iterdir() if path.is_file()]
    assert made
    for path in made:
        assert (ctx.out / path.name).read_bytes() == path.read_bytes()


def test_no_link_leads_out_of_the_folder(tmp_path: Path, source: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copyfile(source / "hat" / "0.jpg", outside / "secret.jpg")
    (source / "hat" / "link.jpg").symlink_to(outside / "secret.jpg")
    (source / "hat" / "folder").symlink_to(outside, target_is_directory=True)
    (source / "hat" / "up").symlink_to(source, target_is_directory=True)
    (source / "hat" / "dead.jpg").symlink_to(source / "nowhere.jpg")
    (source / "hat" / "inside.jpg").symlink_to(source / "hat" / "0.jpg")
    os.mkfifo(source / "hat" / "pipe.jpg")
    ctx = scanned(tmp_path, source)
    reasons = quarantine(ctx)
    assert "out of the source folder" in reasons["hat/link.jpg"]
    assert "link to a folder" in reasons["hat/folder"]
    assert "link to a folder" in reasons["hat/up"]
    assert "link to nothing" in reasons["hat/dead.jpg"]
    assert "ordinary file" in reasons["hat/pipe.jpg"]
    paths = [row["path"] for row in rows_of(ctx.out / "scan.csv")]
    assert "hat/inside.jpg" in paths and len(paths) == 7


def test_a_broken_file_fails_the_scan_when_asked_to(tmp_path: Path, source: Path) -> None:
    (source / "hat" / "zero.jpg").touch()
    with pytest.raises(BadPictures) as error:
        scanned(tmp_path, source, on_bad="fail")
    assert error.value.where == str(source / "hat" / "zero.jpg")
    assert not (tmp_path / "scan" / "out" / "scan.csv").exists()


def test_a_missing_folder_names_its_neighbour(tmp_path: Path, source: Path) -> None:
    with pytest.raises(SourceError) as error:
        scanned(tmp_path, tmp_path / "sourec" / "train")
    assert error.value.got == str(tmp_path / "sourec" / "train")
    assert error.value.next == f"did you mean {source}?"


def test_a_relative_source_counts_from_the_folder_of_the_plan(tmp_path: Path, source: Path) -> None:
    ctx = skint.Context.for_test(tmp_path / "scan", base=tmp_path)
    scan(Params(source=Path("source")), ctx)
    assert len(rows_of(ctx.out / "scan.csv")) == 6


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no pictures"):
        scanned(tmp_path, tmp_path / "empty")


def test_pictures_without_folders_lead_to_the_ways_to_scan_them(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    shutil.copyfile(next(PHOTOS.glob("hat/*")), tmp_path / "test" / "a.jpg")
    with pytest.raises(SourceError, match="no pictures") as error:
        scanned(tmp_path, tmp_path / "test")
    assert "labels: none" in str(error.value.next)


def test_parts_that_were_taken_for_classes_are_told(tmp_path: Path, source: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(source, tmp_path / "all" / part)
    said = notes(scanned(tmp_path, tmp_path / "all"))
    assert any("the classes are test and train" in note for note in said)
    said = notes(scanned(tmp_path / "last", tmp_path / "all", labels="last"))
    assert not any("the classes are" in note for note in said)


def test_a_single_class_is_an_error(tmp_path: Path, source: Path) -> None:
    shutil.rmtree(source / "shoes")
    with pytest.raises(SourceError, match="only one class") as error:
        scanned(tmp_path, source)
    assert error.value.got == "label: hat"


def test_a_class_that_loses_all_its_pictures_is_told(tmp_path: Path, source: Path) -> None:
    (source / "scarf").mkdir()
    (source / "scarf" / "zero.jpg").touch()
    assert any("scarf" in n and "left out" in n for n in notes(scanned(tmp_path, source)))


def test_a_table_gives_labels_and_groups(tmp_path: Path, source: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        "path,label,group\nshoes/1.jpg,left,p1\nhat/0.jpg,right,p2\nhat/gone.jpg,left,p1\n"
        "../outside.jpg,left,p1\n"
    )
    Image.new("RGB", (4, 4)).save(tmp_path / "outside.jpg")
    ctx = scanned(tmp_path, source, table=table)
    rows = rows_of(ctx.out / "scan.csv")
    assert [(row["path"], row["label"], row["group"]) for row in rows] == [
        ("hat/0.jpg", "right", "p2"),
        ("shoes/1.jpg", "left", "p1"),
    ]
    assert quarantine(ctx) == {
        "../outside.jpg": "leads out of the source folder",
        "hat/gone.jpg": "does not exist",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,class\na.jpg,x\n", "column label is missing"),
        ("path,label\nhat/0.jpg,\n", "no picture has a known class"),
        ("path,label\nhat/0.jpg,x\nhat/0.jpg,y\n", "twice"),
    ],
)
def test_a_table_that_is_wrong_says_where(
    tmp_path: Path, source: Path, text: str, words: str
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(skint.SkintError, match=words) as error:
        scanned(tmp_path, source, table=table)
    assert str(error.value.where).startswith((f"{table}:", str(source)))


def test_groups_can_be_found_in_the_path(tmp_path: Path, source: Path) -> None:
    ctx = scanned(tmp_path, source, group=r"/(\d)\.jpg")
    groups = {row["path"]: row["group"] for row in rows_of(ctx.out / "scan.csv")}
    assert groups["hat/1.jpg"] == "1" and groups["hat/deeper/2.jpg"] == "2"


def test_one_and_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    outs = []
    for cpus in (1, 2):
        outs.append(scanned(tmp_path / str(cpus), PHOTOS, cpus=cpus).out)
    for name in ("scan.csv", "quarantine.csv", "summary.json"):
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes()


@pytest.mark.parametrize("with_table", [False, True])
def test_a_scan_stops_when_asked_to(tmp_path: Path, source: Path, with_table: bool) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nhat/0.jpg,left\nshoes/0.jpg,right\n")
    ctx = skint.Context.for_test(tmp_path / "scan")
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        scan(Params(source=source, table=table if with_table else None), ctx)
    assert list(ctx.out.iterdir()) == []


def test_a_scan_stops_after_the_last_picture_when_asked_to(tmp_path: Path, source: Path) -> None:
    ctx = skint.Context.for_test(tmp_path / "scan")
    report = ctx.progress

    def stop_at_the_end(done: int, total: int) -> None:
        report(done, total)
        if done == total:
            ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))

    ctx.progress = stop_at_the_end  # type: ignore[method-assign]
    with pytest.raises(skint.StopRequested):
        scan(Params(source=source), ctx)
    assert not (ctx.out / "scan.csv").exists()


def test_what_matters_most_is_noted_first(tmp_path: Path, source: Path) -> None:
    shutil.copyfile(source / "hat" / "0.jpg", source / "hat" / "copy.jpg")
    (source / "hat" / "empty.jpg").write_bytes(b"")
    told = notes(scanned(tmp_path, source))
    assert told[0].startswith("1 file quarantined: hat/empty.jpg")
    assert told[1] == "7 pictures in 2 classes"
    assert any("same bytes" in sentence for sentence in told[2:])
