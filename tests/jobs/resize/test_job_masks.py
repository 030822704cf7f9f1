from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.resize.job import Params, ResizeError, resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.dataset import PackedSet


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "m").mkdir(parents=True)
    for name in "abc":
        Image.effect_noise((30, 20), 60).convert("RGB").save(root / f"{name}.png")
        Image.new("L", (30, 20), 3).save(root / "m" / f"{name}.png")
    (root / "table.csv").write_text(
        "path,outline\n" + "".join(f"{name}.png,m/{name}.png\n" for name in "abc")
    )
    return root


def scanned(folder: Path, source: Path) -> Path:
    ctx = skint.Context.for_test(folder)
    table = source / "table.csv"
    params = {"source": source, "table": table, "targets": {"outline": "mask"}}
    scan(ScanParams.model_validate(params), ctx)
    return ctx.out


def packed(folder: Path, scan_out: Path) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"scan": scan_out})
    resize(Params(size=(8,)), ctx)
    return PackedSet.open(ctx.out)


def test_a_mask_that_changed_after_the_scan_is_named(tmp_path: Path, source: Path) -> None:
    out = scanned(tmp_path / "scan", source)
    Image.new("L", (30, 20), 4).save(source / "m" / "b.png")
    with pytest.raises(ResizeError) as error:
        packed(tmp_path / "pack", out)
    assert error.value.where == str(source / "b.png")
    assert "not the file that was scanned: m/b.png" in str(error.value.got)


def test_a_mask_that_broke_after_the_scan_is_named(tmp_path: Path, source: Path) -> None:
    out = scanned(tmp_path / "scan", source)
    (source / "m" / "b.png").write_bytes(b"no picture")
    with pytest.raises(ResizeError) as error:
        packed(tmp_path / "pack", out)
    assert "m/b.png" in str(error.value.got)


def test_one_mask_of_sixteen_bits_makes_all_of_them_so(tmp_path: Path, source: Path) -> None:
    wide = np.full((20, 30), 1000, dtype=np.uint16)
    Image.fromarray(wide).save(source / "m" / "b.png")
    data = packed(tmp_path / "pack", scanned(tmp_path / "scan", source))
    assert data.masks("outline").dtype == np.uint16
    assert [int(mask.max()) for mask in data.masks("outline")] == [3, 1000, 3]


def test_after_another_scan_a_corrected_mask_is_packed(tmp_path: Path, source: Path) -> None:
    packed(tmp_path / "before", scanned(tmp_path / "one", source))
    Image.new("L", (30, 20), 4).save(source / "m" / "b.png")
    data = packed(tmp_path / "after", scanned(tmp_path / "two", source))
    assert [int(mask.max()) for mask in data.masks("outline")] == [3, 4, 3]
