from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import skint
from jobs.pca import Params, PcaError, pca
from jobs.resize import Params as ResizeParams
from jobs.resize import resize
from jobs.scan import Params as ScanParams
from jobs.scan import scan
from skint.dataset import PackedSet, PackedWriter, Sample, Target

TILES = Path(__file__).resolve().parents[2] / "examples" / "satellite" / "data"


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = skint.Context.for_test(tmp_path_factory.mktemp("scan"))
    scan(ScanParams(source=TILES), first)
    ctx = skint.Context.for_test(tmp_path_factory.mktemp("pack"), inputs={"scan": first.out})
    resize(ResizeParams(size=64), ctx)
    return ctx.out


def reduced(folder: Path, packed: Path, **params: object) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"packed": packed})
    pca(Params.model_validate(params), ctx)
    return PackedSet.open(ctx.out)


def small_set(folder: Path, pixels: np.ndarray) -> Path:
    with PackedWriter(folder, shape=pixels.shape, dtype=pixels.dtype.name) as writer:
        writer.images()[:] = pixels
        samples = [
            Sample(n, str(n), f"{n}.tif", targets={"label": "ab"[n % 2]})
            for n in range(len(pixels))
        ]
        channels = [f"band{n}" for n in range(pixels.shape[3])]
        targets = [Target("label", "class", ("a", "b"))]
        writer.finish(samples, targets, channels=channels, made_by={"job": "test"})
    return folder


def test_thirteen_bands_become_three_components(tmp_path: Path, tiles: Path) -> None:
    before, after = PackedSet.open(tiles), reduced(tmp_path, tiles, k=3)
    assert after.images().shape == (45, 64, 64, 3)
    assert after.images().dtype == np.uint8
    assert after.meta.channels == ("PC1", "PC2", "PC3")
    assert after.samples == before.samples and after.classes == before.classes
    assert after.damaged_blocks() == ()


def test_the_record_is_enough_to_do_it_again(tmp_path: Path, tiles: Path) -> None:
    after = reduced(tmp_path, tiles, k=3)
    facts = json.loads((tmp_path / "out" / "pca.json").read_text())
    pixels = PackedSet.open(tiles).images()[7].reshape(-1, 13).astype(np.float64)
    scores = (pixels - facts["mean"]) @ np.array(facts["components"]).T
    scale = facts["scale"]
    span = np.array(scale["standard_deviation"]) * scale["deviations"]
    again = np.rint(127.5 + scores / span * 127.5).clip(0, 255)
    difference = np.abs(again - after.images()[7].reshape(-1, 3))
    assert difference.max() <= 1 and difference.mean() < 1e-3


def test_the_record_has_the_variances_of_the_exact_covariance(tmp_path: Path, tiles: Path) -> None:
    reduced(tmp_path, tiles, k=4)
    facts = json.loads((tmp_path / "out" / "pca.json").read_text())
    pixels = np.asarray(PackedSet.open(tiles).images()).reshape(-1, 13).astype(np.float64)
    values = np.linalg.eigvalsh(np.cov(pixels.T))[::-1]
    assert np.allclose(facts["explained_variance"], values[:4], rtol=1e-9)
    assert np.allclose(facts["explained_variance_ratio"], values[:4] / values.sum(), rtol=1e-9)
    assert "held-out" in facts["fitted_on"]


def test_the_same_set_gives_the_same_bytes(tmp_path: Path, tiles: Path) -> None:
    for name in ("a", "b"):
        reduced(tmp_path / name, tiles)
    for name in ("images.npy", "samples.csv", "dataset.json", "pca.json"):
        one, two = (tmp_path / run / "out" / name for run in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()


def test_pixels_without_data_do_not_bend_the_components(tmp_path: Path) -> None:
    draw = np.random.default_rng(0).integers(1000, 2000, (4, 8, 8, 5)).astype(np.uint16)
    holed = draw.copy()
    holed[:, :3, :, :] = 0
    reduced(tmp_path / "holed", small_set(tmp_path / "a", holed), nodata=0)
    reduced(tmp_path / "cut", small_set(tmp_path / "b", draw[:, 3:]))
    one, two = (
        json.loads((tmp_path / n / "out" / "pca.json").read_text()) for n in ("holed", "cut")
    )
    assert np.allclose(one["mean"], two["mean"]) and one["pixels"] == two["pixels"]
    assert np.asarray(PackedSet.open(tmp_path / "holed" / "out").images())[:, :3].max() == 0


def test_more_components_than_bands_is_an_error(tmp_path: Path, tiles: Path) -> None:
    with pytest.raises(PcaError, match="14 components cannot be made of 13 bands"):
        reduced(tmp_path, tiles, k=14)


def test_a_set_without_variance_is_an_error(tmp_path: Path) -> None:
    flat = small_set(tmp_path / "flat", np.full((2, 4, 4, 5), 9, dtype=np.uint16))
    with pytest.raises(PcaError, match="nothing to reduce"):
        reduced(tmp_path / "pca", flat)
