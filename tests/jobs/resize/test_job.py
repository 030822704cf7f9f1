from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydantic import ValidationError

import skint
from jobs.resize.job import Params, ResizeError, resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from jobs.scan.source_root import SourceGone
from skint.attempt import StopRequest
from skint.dataset import PackedSet

ROOT = Path(__file__).resolve().parents[3]
ODD = ROOT / "tests" / "data" / "pictures"
PHOTOS = ROOT / "examples" / "photos" / "data"
TILES = ROOT / "examples" / "satellite" / "data"


def scanned(folder: Path, source: Path) -> Path:
    ctx = skint.Context.for_test(folder)
    scan(ScanParams(source=source), ctx)
    return ctx.out


def packed(folder: Path, scan_out: Path, cpus: int = 1, **params: object) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"scan": scan_out}, cpus=cpus)
    resize(Params.model_validate(params), ctx)
    return PackedSet.open(ctx.out)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scanned(tmp_path_factory.mktemp("photos"), PHOTOS)


def test_photos_become_squares_of_rgb(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path, photos, size=64)
    assert data.images().shape == (160, 64, 64, 3)
    assert data.images().dtype == np.uint8
    assert data.meta.channels == ("R", "G", "B")
    assert data.classes == ("dress", "hat", "pants", "shoes", "t-shirt")
    assert np.bincount(data.labels()).tolist() == [32] * 5
    assert data.damaged_blocks() == ()
    flat = np.asarray(data.images()).reshape(-1, 3)
    assert np.allclose(data.meta.mean, flat.mean(0)) and np.allclose(data.meta.std, flat.std(0))


def test_a_row_shows_the_picture_of_its_sample(tmp_path: Path, photos: Path) -> None:
    data = packed(tmp_path, photos, size=48)
    for row in (0, 77, 159):
        with Image.open(PHOTOS / data.samples[row].path) as image:
            width, height = image.size
            assert (data.samples[row].width, data.samples[row].height) == (width, height)
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            plain = image.resize(
                (48, 48), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
            )
        difference = np.abs(data.images()[row].astype(int) - np.asarray(plain).astype(int))
        assert difference.mean() < 1.5


def test_one_and_two_processes_write_the_same_bytes(tmp_path: Path, photos: Path) -> None:
    for cpus in (1, 2):
        packed(tmp_path / str(cpus), photos, cpus=cpus, size=32)
    for name in ("images.npy", "samples.csv", "dataset.json"):
        one, two = (tmp_path / str(cpus) / "out" / name for cpus in (1, 2))
        assert one.read_bytes() == two.read_bytes()


def test_stretching_keeps_the_edges_that_cropping_cuts(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 20), "black")
    image.paste("white", (0, 0, 10, 20))
    for label in ("a", "b"):
        (tmp_path / "source" / label).mkdir(parents=True)
        image.save(tmp_path / "source" / label / "x.png")
    out = scanned(tmp_path / "scan", tmp_path / "source")
    assert np.asarray(packed(tmp_path / "crop", out, size=20).images()).max() == 0
    stretched = packed(tmp_path / "stretch", out, size=20, mode="stretch").images()
    assert stretched[0][10, 0].tolist() == [255, 255, 255]


def test_tiles_keep_their_thirteen_bands_and_their_values(tmp_path: Path) -> None:
    data = packed(tmp_path / "pack", scanned(tmp_path / "scan", TILES), size=64)
    assert data.images().shape == (45, 64, 64, 13)
    assert data.images().dtype == np.uint16
    assert np.array_equal(data.images()[20], tifffile.imread(TILES / data.samples[20].path))
    assert data.meta.channels[:2] == ("band1", "band2")


def test_photos_and_tiles_together_name_one_of_each(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for label, file in (("a", PHOTOS / "hat"), ("b", TILES / "River")):
        (source / label).mkdir(parents=True)
        shutil.copy(next(iter(sorted(file.iterdir()))), source / label)
    with pytest.raises(ResizeError) as error:
        packed(tmp_path / "pack", scanned(tmp_path / "scan", source))
    assert error.value.got is not None
    assert "3 channels, uint8" in error.value.got and "13 channels, uint16" in error.value.got


def test_a_picture_that_changed_after_the_scan_is_named(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for label in ("a", "b"):
        (source / label).mkdir(parents=True)
        Image.new("RGB", (8, 8), "red").save(source / label / "x.png")
    out = scanned(tmp_path / "scan", source)
    Image.new("RGB", (8, 8), "blue").save(source / "b" / "x.png")
    with pytest.raises(ResizeError) as error:
        packed(tmp_path / "pack", out, size=8)
    assert error.value.where == str(source / "b" / "x.png")
    assert list((tmp_path / "pack" / "out").iterdir()) == []


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    shutil.copytree(PHOTOS / "hat", tmp_path / "source" / "hat")
    shutil.copytree(PHOTOS / "dress", tmp_path / "source" / "dress")
    out = scanned(tmp_path / "scan", tmp_path / "source")
    shutil.rmtree(tmp_path / "source")
    with pytest.raises(SourceGone, match="gone"):
        packed(tmp_path / "pack", out)


@pytest.mark.parametrize("cpus", [1, 2])
def test_stopping_leaves_no_half_written_set(tmp_path: Path, photos: Path, cpus: int) -> None:
    ctx = skint.Context.for_test(tmp_path, inputs={"scan": photos}, cpus=cpus)
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        resize(Params(size=(32,)), ctx)
    assert [path for path in ctx.out.rglob("*") if path.is_file()] == []


def test_without_a_scan_the_job_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(skint.SkintError, match=r"scan\.csv"):
        resize(Params(), skint.Context.for_test(tmp_path))


@pytest.mark.parametrize("params", [{"size": 0}, {"sise": 64}, {"mode": "squash"}])
def test_a_wrong_parameter_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)


def test_how_it_was_made_is_on_record(tmp_path: Path, photos: Path) -> None:
    packed(tmp_path, photos, size=16)
    meta = json.loads((tmp_path / "out" / "dataset.json").read_text())
    made_by = meta["made_by"]
    assert made_by["job"] == "resize"
    assert Params.model_validate(made_by["params"]) == Params(size=(16,))
    assert made_by["params"]["mode"] == "crop"
