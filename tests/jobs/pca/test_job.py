from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.pca.job import Params, PcaError, pca
from jobs.pca.reduction import ReductionError
from jobs.pca.training_part import TrainingPartError
from jobs.resize.job import Params as ResizeParams
from jobs.resize.job import resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.attempt import StopRequest
from skint.dataset import PackedSet, PackedWriter, Sample, Target
from skint.table import write_rows

TILES = Path(__file__).resolve().parents[3] / "examples" / "satellite" / "data"


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = skint.Context.for_test(tmp_path_factory.mktemp("scan"))
    scan(ScanParams(source=TILES), first)
    ctx = skint.Context.for_test(tmp_path_factory.mktemp("pack"), inputs={"scan": first.out})
    resize(ResizeParams(size=(64,)), ctx)
    return ctx.out


def reduced(folder: Path, packed: Path, **params: object) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"packed": packed})
    pca(Params.model_validate(params), ctx)
    return PackedSet.open(ctx.out)


def small_set(folder: Path, pixels: np.ndarray, *, labelled: bool = True) -> Path:
    with PackedWriter(folder, shape=pixels.shape, dtype=pixels.dtype.name) as writer:
        writer.images()[:] = pixels
        samples = [
            Sample(n, str(n), f"{n}.tif", targets={"label": "ab"[n % 2]})
            for n in range(len(pixels))
        ]
        channels = [f"band{n}" for n in range(pixels.shape[3])]
        targets = [Target("label", "class", ("a", "b"))] if labelled else []
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
    again = np.rint(scale["middle"] + scores / scale["step"]).clip(scale["lowest"], 255)
    difference = np.abs(again - after.images()[7].reshape(-1, 3))
    assert difference.max() <= 1 and difference.mean() < 1e-3


def test_the_record_has_the_variances_of_the_exact_covariance(tmp_path: Path, tiles: Path) -> None:
    reduced(tmp_path, tiles, k=4)
    facts = json.loads((tmp_path / "out" / "pca.json").read_text())
    pixels = np.asarray(PackedSet.open(tiles).images()).reshape(-1, 13).astype(np.float64)
    values = np.linalg.eigvalsh(np.cov(pixels.T))[::-1]
    assert np.allclose(facts["explained_variance"], values[:4], rtol=1e-9)
    assert np.allclose(facts["explained_variance_ratio"], values[:4] / values.sum(), rtol=1e-9)
    assert np.allclose(facts["spectrum"], values, rtol=1e-6)
    assert facts["fitted_on"]["pictures"] == 45


def test_the_same_set_gives_the_same_bytes(tmp_path: Path, tiles: Path) -> None:
    for name in ("a", "b"):
        reduced(tmp_path / name, tiles)
    for name in ("images.npy", "samples.csv", "dataset.json", "pca.json", "pca.png"):
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


def facts_of(out: Path) -> dict[str, Any]:
    facts = json.loads((out / "pca.json").read_text())
    assert isinstance(facts, dict)
    return facts


def noise(seed: int = 0, count: int = 4, dtype: str = "uint16") -> np.ndarray:
    drawn: np.ndarray = np.random.default_rng(seed).integers(1000, 2000, (count, 8, 8, 5))
    return drawn.astype(dtype)


def with_folds(folder: Path, rows: list[str]) -> Path:
    folder.mkdir()
    write_rows(folder / "folds.csv", ("id", "fold"), enumerate(rows))
    return folder


def test_a_pixel_without_data_is_the_only_zero(tmp_path: Path) -> None:
    pixels = noise()
    pixels[:, :3] = 0
    after = reduced(tmp_path / "pca", small_set(tmp_path / "a", pixels), nodata=0, deviations=0.5)
    values = np.asarray(after.images())
    assert values[:, :3].max() == 0 and values[:, 3:].min() == 1
    facts = facts_of(after.folder)
    assert (facts["masked"], facts["nodata"]) == (4 * 3 * 8, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_floats_that_are_not_finite_are_left_out(tmp_path: Path, bad: float) -> None:
    pixels = noise(dtype="float32")
    pixels[1, 2, 3, 4] = bad
    after = reduced(tmp_path / "pca", small_set(tmp_path / "a", pixels), dtype="float32")
    values = np.asarray(after.images())
    assert np.isfinite(values).all() and (values[1, 2, 3] == 0).all()
    assert facts_of(after.folder)["masked"] == 1


def test_a_set_in_which_nothing_was_measured_is_one_clear_error(tmp_path: Path) -> None:
    blank = small_set(tmp_path / "blank", np.zeros((3, 4, 4, 5), dtype=np.uint16))
    with pytest.raises(PcaError, match="nothing to reduce") as error:
        reduced(tmp_path / "pca", blank, nodata=0)
    assert "0 valid pixels, 48 masked" in str(error.value.got)
    assert "nodata" in str(error.value.next)
    assert not (tmp_path / "pca" / "out" / "images.npy").exists()


def test_the_largest_float_is_no_measurement(tmp_path: Path) -> None:
    pixels = noise(dtype="float64")
    pixels[1, 2, 3] = pixels[0, 0, 0] = np.finfo(np.float64).min
    packed = small_set(tmp_path / "a", pixels)
    with pytest.raises(PcaError, match="too large to be measurements") as error:
        reduced(tmp_path / "pca", packed)
    assert "nodata" in str(error.value.next)
    after = reduced(tmp_path / "masked", packed, nodata=-1.7976931348623157e308)
    assert facts_of(after.folder)["masked"] == 2


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("whiten", [True, False])
def test_the_bands_can_be_had_back_from_all_components(
    tmp_path: Path, dtype: str, whiten: bool
) -> None:
    pixels = noise()
    after = reduced(
        tmp_path / "pca",
        small_set(tmp_path / "a", pixels),
        k=5,
        dtype=dtype,
        whiten=whiten,
        deviations=5,
    )
    facts = facts_of(after.folder)
    scale = facts["scale"]
    stored = np.asarray(after.images()).astype(np.float64)
    scores = (stored - scale["middle"]) * scale["step"]
    back = facts["mean"] + scores @ np.array(facts["components"])
    assert after.meta.dtype == scale["dtype"] == dtype
    # Five errors of half a step at the most; a step of uint8 is 10 of 255 deviations.
    most = {"uint8": 5 * 300 * 10 / 255 / 2, "float16": 2.0, "float32": 0.01}[dtype]
    assert np.abs(back - pixels).max() < most


def test_float16_that_is_too_small_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    loud = small_set(tmp_path / "a", noise(dtype="float32") * 1000)
    with pytest.raises(PcaError, match="float16 cannot hold") as error:
        reduced(tmp_path / "pca", loud, dtype="float16", whiten=False)
    assert "float32" in str(error.value.next)
    reduced(tmp_path / "whitened", loud, dtype="float16")


def test_what_is_set_aside_for_testing_is_not_fitted_on(tmp_path: Path) -> None:
    pixels = noise(count=6)
    pixels[4:] += 5000
    packed = small_set(tmp_path / "a", pixels)
    folds = with_folds(tmp_path / "folds", ["0", "1", "0", "1", "test", "test"])
    ctx = skint.Context.for_test(tmp_path / "pca", inputs={"folds": folds, "packed": packed})
    pca(Params(), ctx)
    alone = reduced(tmp_path / "alone", small_set(tmp_path / "b", pixels[:4]))
    facts = facts_of(ctx.out)
    assert facts["components"] == facts_of(alone.folder)["components"]
    assert facts["fitted_on"]["pictures"] == 4
    assert "all pictures but the 2 of the test part" in facts["fitted_on"]["rule"]
    assert len(PackedSet.open(ctx.out)) == 6  # reduced they are all the same


def test_a_fold_is_fitted_on_its_own_training_part(tmp_path: Path) -> None:
    pixels = noise(count=6)
    packed = small_set(tmp_path / "a", pixels)
    folds = with_folds(tmp_path / "folds", ["0", "1", "2", "0", "1", "test"])
    for fold, trains in enumerate([[1, 2, 4], [0, 2, 3], [0, 1, 3, 4]]):
        ctx = skint.Context.for_test(
            tmp_path / f"fold{fold}",
            inputs={"folds": folds, "packed": packed},
            fold=fold,
            folds=3,
        )
        pca(Params(), ctx)
        part = small_set(tmp_path / f"part{fold}", pixels[trains])
        alone = reduced(tmp_path / f"alone{fold}", part)
        facts = facts_of(ctx.out)
        assert facts["mean"] == facts_of(alone.folder)["mean"]
        assert facts["components"] == facts_of(alone.folder)["components"]
        assert facts["fitted_on"] == {
            "pictures": len(trains),
            "of": 6,
            "rule": f"the training part of fold {fold}",
            "fold": fold,
        }
        assert PackedSet.open(ctx.out).meta.made_by["fitted_on"]["fold"] == fold


def test_nothing_is_fitted_on_a_test_set_unless_asked_for(tmp_path: Path) -> None:
    unlabelled = small_set(tmp_path / "a", noise(), labelled=False)
    with pytest.raises(TrainingPartError, match="test set") as error:
        reduced(tmp_path / "pca", unlabelled)
    assert "fitted: ENTRY" in str(error.value.next)
    reduced(tmp_path / "all", unlabelled, fit_on="all")
    assert facts_of(tmp_path / "all" / "out")["fitted_on"]["rule"] == "all pictures, as asked for"


def test_a_test_set_is_reduced_by_the_components_of_the_training_set(tmp_path: Path) -> None:
    first = reduced(tmp_path / "pca", small_set(tmp_path / "a", noise()), k=2, dtype="float32")
    unseen = small_set(tmp_path / "b", noise(seed=1, count=3), labelled=False)
    # The nearest packed set is that of the entry whose components are taken.
    ctx = skint.Context.for_test(tmp_path / "again", inputs={"bands": first.folder, "test": unseen})
    pca(Params(fitted="bands"), ctx)
    one, two = facts_of(first.folder), facts_of(ctx.out)
    assert one == two
    after = PackedSet.open(ctx.out)
    scores = (noise(seed=1, count=3) - one["mean"]) @ np.array(one["components"]).T
    assert np.allclose(after.images()[2] * one["scale"]["step"], scores[2], rtol=1e-4, atol=1e-2)
    assert after.meta.targets == () and len(after) == 3


def test_components_of_other_bands_are_refused(tmp_path: Path) -> None:
    first = reduced(tmp_path / "pca", small_set(tmp_path / "a", noise()))
    for name, pixels in {"dtype": noise(dtype="float32"), "bands": noise()[..., :4]}.items():
        other = small_set(tmp_path / name, pixels)
        ctx = skint.Context.for_test(
            tmp_path / f"on-{name}", inputs={"bands": first.folder, "test": other}
        )
        with pytest.raises(ReductionError, match="not of the kind"):
            pca(Params(fitted="bands"), ctx)


def test_components_of_several_folds_are_not_guessed_from(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "a", noise())
    made = [reduced(tmp_path / f"fold{n}", packed).folder for n in range(2)]
    ctx = skint.Context.for_test(tmp_path / "b", inputs={"test": packed, "bands": made})
    with pytest.raises(PcaError, match="each of 2 folds") as error:
        pca(Params(fitted="bands"), ctx)
    assert "per: fold" in str(error.value.next)


def test_an_entry_that_fitted_nothing_cannot_be_taken_over(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "a", noise())
    ctx = skint.Context.for_test(tmp_path / "b", inputs={"test": packed, "bands": tmp_path})
    with pytest.raises(PcaError, match="has fitted no components"):
        pca(Params(fitted="bands"), ctx)
    (tmp_path / "pca.json").write_text('{"components": [[1]]}')
    with pytest.raises(ReductionError, match="not the components of a `pca` job"):
        pca(Params(fitted="bands"), ctx)


def test_what_is_taken_over_cannot_be_chosen_again() -> None:
    with pytest.raises(ValueError, match="there is no `k`"):
        Params(fitted="bands", k=2)


def test_components_that_do_not_vary_are_spoken_of(tmp_path: Path) -> None:
    pixels = np.repeat(noise()[..., :2], 2, axis=3)
    packed = small_set(tmp_path / "a", pixels)
    ctx = skint.Context.for_test(tmp_path / "pca", inputs={"packed": packed})
    pca(Params(k=3), ctx)
    said = (tmp_path / "pca" / "events.jsonl").read_text()
    assert "1 of 3 components do not vary" in said
    assert np.asarray(PackedSet.open(ctx.out).images())[..., 2].std() == 0


def test_the_quick_look_is_a_picture(tmp_path: Path) -> None:
    for k in (1, 2, 5):
        reduced(tmp_path / str(k), small_set(tmp_path / f"a{k}", noise(count=7)), k=k)
        with Image.open(tmp_path / str(k) / "out" / "pca.png") as image:
            assert image.format == "PNG" and image.width > 800
            assert np.asarray(image.convert("L")).std() > 10


def test_it_stops_when_asked_and_leaves_no_half_set(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "a", noise())
    ctx = skint.Context.for_test(tmp_path / "pca", inputs={"packed": packed})
    ctx.attempt.request_stop(StopRequest("step", "end", "asked", "by a test"))
    with pytest.raises(skint.StopRequested):
        pca(Params(), ctx)
    assert list(ctx.out.iterdir()) == []


def test_a_set_without_variance_is_an_error(tmp_path: Path) -> None:
    flat = small_set(tmp_path / "flat", np.full((2, 4, 4, 5), 9, dtype=np.uint16))
    with pytest.raises(PcaError, match="nothing to reduce"):
        reduced(tmp_path / "pca", flat)


PEAK = """
import sys
from pathlib import Path
import skint
from jobs.pca.job import Params, pca

def peak_bytes():
    line = next(x for x in open("/proc/self/status") if x.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

ctx = skint.Context.for_test(Path(sys.argv[1]), inputs={"packed": Path(sys.argv[2])})
pca(Params(nodata=0), ctx)
print(peak_bytes())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_memory_does_not_grow_with_the_number_of_tiles(tmp_path: Path) -> None:
    tiles = np.random.default_rng(0).integers(0, 4000, (16, 64, 64, 13)).astype(np.uint16)
    peaks = {}
    for count in (100, 1600):
        folder = tmp_path / str(count)
        with PackedWriter(folder, shape=(count, 64, 64, 13), dtype="uint16") as writer:
            for row in range(count):
                writer.rows().put(row, tiles[row % 16])
            samples = [Sample(n, str(n), f"{n}.tif", targets={"label": "a"}) for n in range(count)]
            writer.finish(
                samples,
                [Target("label", "class", ("a",))],
                channels=[f"B{n}" for n in range(13)],
                made_by={"job": "test"},
                summed=True,
            )
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(tmp_path / f"pca{count}"), str(folder)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).resolve().parents[3],
        )
        peaks[count] = int(done.stdout)
    assert max(peaks.values()) < 2**30
    # The larger set has 160 MB more in, 20 MB more out.
    assert peaks[1600] - peaks[100] < 40e6, peaks
