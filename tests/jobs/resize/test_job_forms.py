from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.resize.job import Params, ResizeError, resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.dataset import DatasetError, PackedSet

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = ROOT / "examples" / "photos" / "data"


def scanned(folder: Path, **params: object) -> Path:
    ctx = skint.Context.for_test(folder)
    scan(ScanParams.model_validate(params), ctx)
    return ctx.out


def packed(folder: Path, scan_out: Path, cpus: int = 1, **params: Any) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"scan": scan_out}, cpus=cpus)
    resize(Params.model_validate(params), ctx)
    return PackedSet.open(ctx.out)


def notes(folder: Path) -> list[str]:
    events = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    return [event["text"] for event in events if event["kind"] == "note"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for label in ("hat", "shoes"):
        (folder / "source" / label).mkdir(parents=True)
        for file in sorted((PHOTOS / label).iterdir())[:12]:
            shutil.copy(file, folder / "source" / label)
    return scanned(folder / "scan", source=folder / "source")


def test_a_ladder_is_a_packed_set_of_every_size(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path / "ladder", photos, cpus=2, size=[96, 24, 48])
    assert data.meta.sizes == (24, 48, 96)
    for size in (24, 48, 96):
        rung = data.at(size)
        assert rung.meta.shape == (24, size, size, 3)
        assert rung.damaged_blocks() == () and rung.samples == data.samples
        flat = np.asarray(rung.images()).reshape(-1, 3)
        assert np.allclose(rung.meta.mean, flat.mean(0))
    alone = packed(tmp_path / "alone", photos, size=96)
    assert np.array_equal(np.asarray(data.images()), np.asarray(alone.images()))
    small = packed(tmp_path / "small", photos, size=24)
    difference = np.asarray(small.images()).astype(int) - np.asarray(data.at(24).images())
    assert np.abs(difference).mean() < 1


def test_large_sets_have_several_files(tmp_path: Path, photos: Path) -> None:
    whole = packed(tmp_path / "whole", photos, size=300)
    parts = packed(tmp_path / "parts", photos, cpus=2, size=300, part_mib=1)
    assert [part.file for part in parts.meta.parts[:2]] == ["images-00000.npy", "images-00001.npy"]
    assert len(parts.meta.parts) == 8 and parts.damaged_blocks() == ()
    assert np.array_equal(np.asarray(parts.images()), np.asarray(whole.images()))
    assert parts.meta.mean == whole.meta.mean


def test_kept_pictures_have_their_own_sizes(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path / "keep", photos, cpus=2, mode="keep", part_mib=1)
    assert data.meta.layout == "ragged" and data.meta.shape == (24, 0, 0, 3)
    assert len(data.meta.parts) > 2 and data.damaged_blocks() == ()
    for row in (0, 13, 23):
        sample = data.samples[row]
        assert data.images()[row].shape == (sample.height, sample.width, 3)
    sums = np.sum([data.images()[row].sum((0, 1), dtype=np.int64) for row in range(24)], axis=0)
    pixels = sum(sample.height * sample.width for sample in data.samples)
    assert np.allclose(data.meta.mean, sums / pixels, rtol=1e-12)


def test_kept_pictures_may_have_a_longest_side_or_several(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path, photos, mode="keep", size=[64, 128])
    for size in (64, 128):
        shapes = [picture.shape for picture in data.at(size).images()]
        assert {max(shape[:2]) for shape in shapes} == {size}
        assert len(set(shapes)) > 1


def test_padded_gray_pictures(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path / "one", photos, mode="pad", colour="gray", fill=9, size=32)
    assert data.meta.channels == ("gray",) and data.meta.shape == (24, 32, 32, 1)
    assert (np.asarray(data.images())[:, 0, 0, 0] == 9).any()
    three = packed(tmp_path / "three", photos, mode="pad", colour="gray3", fill=9, size=32)
    assert np.array_equal(np.asarray(three.images())[..., 1:2], np.asarray(data.images()))


@pytest.mark.parametrize(("kind", "least_db"), [("jpeg", 30.0), ("webp", 30.0)])
@pytest.mark.parametrize("mode", ["crop", "keep"])
def test_compression_is_measured_and_told(
    tmp_path: Path, photos: Path, kind: str, least_db: float, mode: str
) -> None:
    raw = packed(tmp_path / "raw", photos, mode=mode, size=96)
    small = packed(
        tmp_path / kind, photos, 2, mode=mode, size=96, compress={"format": kind, "quality": 85}
    )
    assert small.meta.codec == kind and small.damaged_blocks() == ()
    assert small.meta.layout == ("ragged" if mode == "keep" else "dense")
    facts = small.meta.made_by["compressed"]
    error = values = 0
    for one, other in zip(raw.images(), small.images(), strict=True):
        error += int(((one.astype(int) - other) ** 2).sum())
        values += one.size
    assert facts["psnr_db"] == pytest.approx(10 * np.log10(255**2 * values / error), abs=0.01)
    assert facts["psnr_db"] > least_db and facts["pictures_measured"] == 24
    assert facts["raw_bytes"] == values
    files = [tmp_path / kind / "out" / part.file for part in small.meta.parts]
    assert facts["bytes"] == sum(file.stat().st_size for file in files) < values / 4
    assert any(f"{kind} at quality 85" in note and "dB" in note for note in notes(tmp_path / kind))
    flat = np.concatenate([picture.reshape(-1, 3) for picture in small.images()])
    assert np.allclose(small.meta.mean, flat.mean(0), rtol=1e-12)


def test_compressed_sets_have_several_files_and_sizes(tmp_path: Path, photos: Path) -> None:
    compress = {"format": "jpeg", "quality": 100}
    data = packed(tmp_path, photos, size=[64, 448], compress=compress, part_mib=1)
    assert len(data.meta.parts) > 1 and data.at(64).meta.codec == "jpeg"
    assert sum(part.rows for part in data.meta.parts) == 24
    rows = np.arange(24)
    assert data.at(64).images().take(rows).shape == (24, 64, 64, 3)


def table_of_everything(folder: Path) -> Path:
    """Pictures with a mask, two numbers and several names each."""
    (folder / "masks").mkdir(parents=True)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "kind", "tags", "weight", "outline"])
        for number in range(5):
            image = Image.new("RGB", (40, 20), (50 * number, 0, 0))
            image.save(folder / f"{number}.png")
            mask = np.zeros((20, 40), dtype=np.uint8)
            mask[:, 10:30] = number + 1
            Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
            outline = f"masks/{number}.png" if number != 3 else ""
            kind = "ab"[number % 2]
            writer.writerow([f"{number}.png", kind, "x|y" if number else "", number / 2, outline])
    return folder / "table.csv"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("everything")
    targets: dict[str, Any] = {
        "kind": {"kind": "class"},
        "tags": {"kind": "multilabel"},
        "weight": {"kind": "value"},
        "outline": {"kind": "mask"},
    }
    table = table_of_everything(folder / "source")
    return scanned(folder / "scan", source=folder / "source", table=table, targets=targets)


def test_several_targets_and_masks_go_along(tmp_path: Path, everything: Path) -> None:
    data = packed(tmp_path, everything, mode="pad", size=[8, 16], cpus=2)
    assert data.labels("kind").tolist() == [0, 1, 0, 1, 0]
    assert data.multi_hot("tags").tolist() == [[0, 0], [1, 1], [1, 1], [1, 1], [1, 1]]
    assert data.values("weight").tolist() == [0, 0.5, 1, 1.5, 2]
    for size in (8, 16):
        masks = data.at(size).masks("outline")
        assert masks.shape == (5, size, size) and masks.dtype == np.uint8
        assert [int(mask.max()) for mask in masks] == [1, 2, 3, 0, 5]
        assert (masks[:, 0] == 0).all()  # beside the picture
        assert (masks[4, size // 2, size // 4 : size // 4 * 3] == 5).all()
    assert data.damaged_blocks() == ()


def test_masks_go_along_with_compressed_pictures(tmp_path: Path, everything: Path) -> None:
    data = packed(tmp_path, everything, size=16, compress={"format": "webp"})
    assert [int(mask.max()) for mask in data.masks("outline")] == [1, 2, 3, 0, 5]


def test_masks_need_pictures_of_one_size(tmp_path: Path, everything: Path) -> None:
    with pytest.raises(ResizeError, match="one size"):
        packed(tmp_path, everything, mode="keep")


def test_a_mask_that_is_gone_is_named(tmp_path: Path) -> None:
    table = table_of_everything(tmp_path / "source")
    targets = {"outline": {"kind": "mask"}}
    out = scanned(tmp_path / "scan", source=tmp_path / "source", table=table, targets=targets)
    (tmp_path / "source" / "masks" / "1.png").unlink()
    with pytest.raises(ResizeError) as error:
        packed(tmp_path / "pack", out, size=8)
    assert "masks/1.png" in f"{error.value.where} {error.value.got}"


def test_pictures_without_labels_are_packed(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "source").mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), "red").save(tmp_path / "source" / f"{name}.jpg")
    out = scanned(tmp_path / "scan", source=tmp_path / "source", labels="none")
    data = packed(tmp_path / "pack", out, size=8)
    assert data.meta.targets == () and [sample.name for sample in data.samples] == ["a", "b"]


def test_a_broken_picture_that_is_kept_is_packed_as_far_as_it_goes(tmp_path: Path) -> None:
    for label in ("hat", "shoes"):
        (tmp_path / "source" / label).mkdir(parents=True)
        shutil.copy(min((PHOTOS / label).iterdir()), tmp_path / "source" / label / "x.jpg")
    file = tmp_path / "source" / "hat" / "x.jpg"
    file.write_bytes(file.read_bytes()[:-3000])
    out = scanned(tmp_path / "scan", source=tmp_path / "source", on_bad="keep")
    data = packed(tmp_path / "pack", out, size=32)
    assert len(data) == 2 and data.images()[0][:8].std() > 0


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"size": [32, 32]}, "twice"),
        ({"fill": 3}, "fill"),
        ({"compress": {"format": "png"}}, "jpeg"),
        ({"size": []}, "size"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Params.model_validate(params)


def test_a_filling_that_does_not_fit_the_pixels_is_refused(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(ResizeError, match="8 bits"):
        packed(tmp_path, photos, mode="pad", fill=256)


@pytest.mark.parametrize("params", [{"colour": "gray"}, {"compress": {"format": "jpeg"}}])
def test_bands_are_no_photos(tmp_path: Path, params: dict[str, Any]) -> None:
    out = scanned(tmp_path / "scan", source=ROOT / "examples" / "satellite" / "data")
    with pytest.raises(ResizeError, match="photos"):
        packed(tmp_path / "pack", out, **params)


@pytest.mark.parametrize("mode", ["crop", "keep"])
def test_a_disk_without_room_is_found_before_the_work(
    tmp_path: Path, photos: Path, mode: str
) -> None:
    disk = os.statvfs(tmp_path)
    shutil.copytree(photos, tmp_path / "scan")
    with (tmp_path / "scan" / "scan.csv").open(newline="") as file:
        columns, first, *_ = csv.reader(file)
    width, height = (columns.index(name) for name in ("width", "height"))
    first[width] = first[height] = "8192"
    copies = 2 * disk.f_bavail * disk.f_frsize // (8192 * 8192 * 3) + 1
    with (tmp_path / "scan" / "scan.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *[first] * copies])
    with pytest.raises(DatasetError, match="not enough room"):
        packed(tmp_path / "pack", tmp_path / "scan", size=8192, mode=mode)
    assert [path for path in (tmp_path / "pack" / "out").rglob("*") if path.is_file()] == []
