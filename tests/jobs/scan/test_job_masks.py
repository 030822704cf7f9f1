from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.scan.job import Params, scan


def scanned(folder: Path, source: Path, previous: Path | None = None) -> skint.Context:
    ctx = skint.Context.for_test(folder)
    table = source.parent / "table.csv"
    names = sorted(path.stem for path in source.glob("*.*"))
    pictures = {path.stem: path.name for path in source.glob("*.*")}
    lines = [f"{pictures[name]},m/{name}.png" for name in names]
    table.write_text("\n".join(["path,outline", *lines]) + "\n")
    scan(Params(source=source, table=table, targets={"outline": "mask"}), ctx)  # type: ignore[dict-item]
    return ctx


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notes(ctx: skint.Context) -> list[str]:
    lines = ctx.attempt.events.read_text(encoding="utf-8").splitlines()
    return [event["text"] for event in map(json.loads, lines) if event["kind"] == "note"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two pictures with a mask each; the second one needs 16 bits."""
    root = tmp_path / "source"
    (root / "m").mkdir(parents=True)
    for number, name in enumerate("ab"):
        Image.effect_noise((40, 30), 60 + number).convert("RGB").save(root / f"{name}.png")
        values = np.full((30, 40), 1 + 999 * number, dtype=np.uint16 if number else np.uint8)
        Image.fromarray(values).save(root / "m" / f"{name}.png")
    return root


def test_every_mask_is_listed_with_its_hash_and_the_bits_it_needs(
    tmp_path: Path, source: Path
) -> None:
    out = scanned(tmp_path / "scan", source).out
    assert rows_of(out / "masks.csv") == [
        {
            "target": "outline",
            "path": f"m/{name}.png",
            "sha256": hashlib.sha256((source / "m" / f"{name}.png").read_bytes()).hexdigest(),
            "dtype": dtype,
        }
        for name, dtype in (("a", "uint8"), ("b", "uint16"))
    ]


def test_a_mask_that_was_corrected_changes_what_the_scan_publishes(
    tmp_path: Path, source: Path
) -> None:
    first = scanned(tmp_path / "first", source).out
    Image.new("L", (40, 30), 7).save(source / "m" / "a.png")
    second = scanned(tmp_path / "second", source).out
    assert (first / "scan.csv").read_bytes() == (second / "scan.csv").read_bytes()
    assert (first / "masks.csv").read_bytes() != (second / "masks.csv").read_bytes()


def test_a_scan_without_masks_publishes_no_list_of_them(tmp_path: Path, source: Path) -> None:
    ctx = skint.Context.for_test(tmp_path / "scan")
    scan(Params(source=source, labels="none"), ctx)
    assert not (ctx.out / "masks.csv").exists()


@pytest.mark.parametrize(
    ("orientation", "size", "doubtful"),
    [(1, (40, 30), False), (3, (40, 30), True), (6, (40, 30), False), (6, (32, 32), True)],
)
def test_a_mask_that_may_lie_on_its_picture_in_two_ways_is_told(
    tmp_path: Path, source: Path, orientation: int, size: tuple[int, int], doubtful: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.effect_noise(size, 50).convert("RGB").save(source / "c.jpg", exif=exif)
    upright = size[::-1] if orientation == 6 else size
    Image.new("L", upright, 1).save(source / "m" / "c.png")
    ctx = scanned(tmp_path / "scan", source)
    assert len(rows_of(ctx.out / "scan.csv")) == 3
    told = [note for note in notes(ctx) if "upright" in note]
    assert len(told) == doubtful
    assert not told or told[0].startswith("1 mask of pictures that are turned upright, like m/c")


def test_a_mask_that_says_how_it_is_turned_is_not_doubted(tmp_path: Path, source: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.effect_noise((40, 30), 50).convert("RGB").save(source / "c.jpg", exif=exif)
    Image.new("L", (40, 30), 1).save(source / "m" / "c.png", exif=exif)
    assert not [note for note in notes(scanned(tmp_path / "scan", source)) if "upright" in note]
