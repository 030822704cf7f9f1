from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

import skint
from jobs.bands.indices import INDICES
from jobs.bands.job import BandsError, Params, bands
from jobs.resize.job import Params as ResizeParams
from jobs.resize.job import resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.dataset import PackedSet, PackedWriter, Sample, Target

TILES = Path(__file__).resolve().parents[3] / "examples" / "satellite" / "data"
EUROSAT = ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11", "B12", "B8A"]
SIX = ["B02", "B03", "B04", "B05", "B08", "B11"]


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = skint.Context.for_test(tmp_path_factory.mktemp("scan"))
    scan(ScanParams(source=TILES), first)
    ctx = skint.Context.for_test(tmp_path_factory.mktemp("pack"), inputs={"scan": first.out})
    resize(ResizeParams(size=(64,)), ctx)
    return ctx.out


def small_set(folder: Path, pixels: NDArray[Any], channels: list[str]) -> Path:
    with PackedWriter(folder, shape=pixels.shape, dtype=pixels.dtype.name) as writer:
        writer.images()[:] = pixels
        samples = [Sample(n, str(n), f"{n}", targets={"label": "a"}) for n in range(len(pixels))]
        targets = [Target("label", "class", ("a",))]
        writer.finish(samples, targets, channels=channels, made_by={"job": "test"})
    return folder


def reflectances(dtype: str = "uint16", count: int = 3) -> NDArray[Any]:
    drawn = np.random.default_rng(2).integers(100, 5000, (count, 8, 8, 6))
    return (drawn / 10_000 if np.dtype(dtype).kind == "f" else drawn).astype(dtype)


def chosen(folder: Path, packed: Path, **params: Any) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"packed": packed})
    bands(Params(**params), ctx)
    return PackedSet.open(ctx.out)


def facts_of(data: PackedSet) -> dict[str, Any]:
    facts = json.loads((data.folder / "bands.json").read_text())
    assert isinstance(facts, dict)
    return facts


def test_false_colours_of_a_satellite_are_three_of_its_bands(tmp_path: Path, tiles: Path) -> None:
    before = PackedSet.open(tiles)
    after = chosen(tmp_path, tiles, names=EUROSAT, bands=["B8", "B4", "B3"])
    assert after.meta.channels == ("B8", "B4", "B3") and after.meta.dtype == "uint16"
    assert np.array_equal(after.images(), np.asarray(before.images())[..., [7, 3, 2]])
    assert after.samples == before.samples and after.classes == before.classes


def test_water_and_woods_are_told_apart_by_their_indices(tmp_path: Path, tiles: Path) -> None:
    after = chosen(
        tmp_path, tiles, names=EUROSAT, sensor="sentinel-2", indices=["ndvi", "ndwi", "ndbi", "evi"]
    )
    mean = {
        name: np.mean(
            [after.images()[s.id].mean(axis=(0, 1)) for s in after.samples if s.label == name], 0
        )
        for name in after.classes
    }
    assert mean["Forest"][0] > 0.4 > 0 > mean["SeaLake"][0]
    assert mean["SeaLake"][1] > 0.1 > 0 > mean["Forest"][1]
    assert mean["Industrial"][2] > mean["Forest"][2]
    assert mean["Forest"][3] > mean["Industrial"][3] > mean["SeaLake"][3]


def test_numbers_count_from_one_and_names_forgive_zeros_and_capitals(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "set", reflectances(), SIX)
    by_number = chosen(tmp_path / "numbers", packed, bands=[5, 3])
    by_name = chosen(tmp_path / "names", packed, bands=["b8", "B4"])
    assert by_number.meta.channels == by_name.meta.channels == ("B08", "B04")
    assert np.array_equal(by_number.images(), reflectances()[..., [4, 2]])
    assert np.array_equal(by_name.images(), by_number.images())


@pytest.mark.parametrize("name", sorted(set(INDICES) - {"nbr"}))
def test_an_index_is_its_formula_worked_out_by_hand(tmp_path: Path, name: str) -> None:
    pixels = reflectances()
    packed = small_set(tmp_path / "set", pixels, SIX)
    after = chosen(tmp_path / "new", packed, sensor="sentinel-2", indices=[name])
    roles = ("blue", "green", "red", "rededge", "nir", "swir1")
    values = {role: pixels[..., place] / 10_000 for place, role in enumerate(roles)}
    exact = eval(re.sub(r"(\d) (\w)", r"\1 * \2", INDICES[name].formula), values)
    assert np.allclose(np.asarray(after.images())[..., 0], exact.clip(-1, 1), atol=1e-6)
    assert after.meta.dtype == "float32" and after.meta.channels == (name,)


def test_bands_stand_before_indices(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "set", reflectances(), SIX)
    after = chosen(tmp_path / "new", packed, bands=["B2"], indices=["ndvi"], sensor="sentinel-2")
    assert after.meta.channels == ("B02", "ndvi")
    assert np.array_equal(np.asarray(after.images())[..., 0], reflectances()[..., 0])
    facts = facts_of(after)
    assert facts["channels"][1]["is"] == "(nir - red) / (nir + red)"
    assert facts["channels"][1]["bands"] == {"nir": "B08", "red": "B04"}


def test_reflectances_may_have_an_offset(tmp_path: Path) -> None:
    pixels = reflectances()
    plain = small_set(tmp_path / "plain", pixels, SIX)
    moved = small_set(tmp_path / "moved", pixels + 1000, SIX)
    how: dict[str, Any] = {"indices": ["ndvi", "evi"], "sensor": "sentinel-2"}
    one = chosen(tmp_path / "one", plain, **how)
    two = chosen(tmp_path / "two", moved, offset=-1000, **how)
    assert np.allclose(one.images(), two.images(), atol=1e-6)


def test_floats_are_reflectances_already(tmp_path: Path) -> None:
    how: dict[str, Any] = {"indices": ["evi"], "sensor": "sentinel-2"}
    floats = small_set(tmp_path / "floats", reflectances("float32"), SIX)
    whole = small_set(tmp_path / "whole", reflectances(), SIX)
    one, two = chosen(tmp_path / "one", floats, **how), chosen(tmp_path / "two", whole, **how)
    assert np.allclose(one.images(), two.images(), atol=1e-5)


def test_nothing_by_nothing_is_zero(tmp_path: Path) -> None:
    pixels = np.zeros((1, 4, 4, 6), dtype=np.uint16)
    pixels[0, 0, 0, 4] = 1
    after = chosen(
        tmp_path / "new",
        small_set(tmp_path / "set", pixels, SIX),
        indices=["ndvi"],
        sensor="sentinel-2",
    )
    values = np.asarray(after.images())
    assert values[0, 0, 0, 0] == 1 and np.count_nonzero(values) == 1


def test_roles_by_hand_or_by_the_names_of_the_channels(tmp_path: Path) -> None:
    pixels = reflectances()[..., :2]
    expected = (pixels[..., 1] - pixels[..., 0].astype(float)) / pixels.sum(-1)
    plain = small_set(tmp_path / "plain", pixels, ["band1", "band2"])
    by_hand = chosen(tmp_path / "a", plain, indices=["ndvi"], roles={"nir": 2, "red": "band1"})
    named = small_set(tmp_path / "named", pixels, ["Red", "NIR"])
    by_name = chosen(tmp_path / "b", named, indices=["ndvi"])
    assert np.allclose(np.asarray(by_hand.images())[..., 0], expected, atol=1e-6)
    assert np.array_equal(by_hand.images(), by_name.images())


def test_uint8_stretches_bands_over_the_range_and_indices_from_minus_one_to_one(
    tmp_path: Path,
) -> None:
    pixels = reflectances()
    after = chosen(
        tmp_path / "new",
        small_set(tmp_path / "set", pixels, SIX),
        bands=["B8"],
        indices=["ndvi"],
        sensor="sentinel-2",
        dtype="uint8",
        range=[1000, 4000],
    )
    values = np.asarray(after.images()).astype(float)
    band = pixels[..., 4].astype(float)
    assert np.array_equal(values[..., 0], np.rint((band - 1000) / 3000 * 255).clip(0, 255))
    ndvi = (band - pixels[..., 2]) / (band + pixels[..., 2])
    assert np.abs(values[..., 1] / 127.5 - 1 - ndvi).max() <= 0.5 / 127.5 + 1e-9
    ranges = [channel["range"] for channel in facts_of(after)["channels"]]
    assert ranges == [[1000, 4000], [-1, 1]]


def test_a_pixel_that_was_not_measured_in_a_used_band_is_the_only_zero(tmp_path: Path) -> None:
    pixels = reflectances()
    pixels[0, 0, 0, 2] = 0  # red, which is used
    pixels[0, 0, 1, 0] = 0  # blue, which is not
    after = chosen(
        tmp_path / "new",
        small_set(tmp_path / "set", pixels, SIX),
        bands=["B8"],
        indices=["ndvi"],
        sensor="sentinel-2",
        dtype="uint8",
        range=[4000, 5000],
        nodata=0,
    )
    values = np.asarray(after.images())
    assert values[0, 0, 0].tolist() == [0, 0]
    assert np.delete(values.reshape(-1, 2), 0, axis=0).min() == 1
    assert facts_of(after)["masked"] == "0 in all channels"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_become_zero(tmp_path: Path, bad: float) -> None:
    pixels = reflectances("float32")
    pixels[1, 2, 3, 4] = bad
    packed = small_set(tmp_path / "set", pixels, SIX)
    same = chosen(tmp_path / "same", packed, bands=["B8", "B2"])
    assert same.meta.dtype == "float32" and np.isfinite(same.meta.mean).all()
    assert same.images()[1][2, 3].tolist() == [0, 0]
    index = chosen(tmp_path / "index", packed, indices=["ndvi"], sensor="sentinel-2")
    assert np.isfinite(np.asarray(index.images())).all()


def test_the_same_set_gives_the_same_bytes(tmp_path: Path, tiles: Path) -> None:
    how: dict[str, Any] = {"names": EUROSAT, "bands": ["B8"], "indices": ["ndvi"]}
    how["sensor"] = "sentinel-2"
    for name in ("a", "b"):
        chosen(tmp_path / name, tiles, **how)
    for name in ("images.npy", "dataset.json", "bands.json", "sums.npy"):
        one, two = (tmp_path / run / "out" / name for run in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "give `bands`, `indices` or both"),
        ({"indices": ["ndvy"]}, "did you mean ndvi"),
        ({"indices": ["ndvi"], "roles": {"infrared": 4}}, "`roles` has no infrared"),
        ({"indices": ["ndvi"], "dtype": "same"}, "indices are fractions"),
        ({"bands": [1], "range": [0, 9]}, "`range` says how bands are stored"),
        ({"bands": [1], "dtype": "uint8", "range": [9, 9]}, "from a lower to a higher"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_the_plan(
    params: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Params(**params)


@pytest.mark.parametrize(
    ("params", "said", "advice"),
    [
        ({"bands": ["B99"]}, "no such band", "names"),
        ({"bands": [7]}, "no such band", None),
        ({"bands": [0]}, "no such band", None),
        ({"bands": ["B2", "b02"]}, "asked for twice", None),
        ({"bands": ["B2"], "names": ["a", "b"]}, "2 names for 6 channels", None),
        ({"bands": [1], "names": ["a", "b", "c", "d", "A", "f"]}, "for two channels", None),
        ({"indices": ["ndvi"]}, "ndvi needs the nir band", "roles: {nir: BAND}"),
        ({"indices": ["nbr"], "sensor": "sentinel-2"}, "nbr needs the swir2 band", "names"),
        ({"indices": ["ndvi"], "roles": {"nir": "B9", "red": 1}}, "no such band", None),
        ({"indices": ["evi2"], "sensor": "landsat-4-7"}, "what 1 is here", "quantification"),
        ({"bands": ["B8"], "dtype": "uint8"}, "become 0 and 255", "range: [0, "),
    ],
)
def test_a_mistake_names_the_way_out(
    tmp_path: Path, params: dict[str, Any], said: str, advice: str | None
) -> None:
    packed = small_set(tmp_path / "set", reflectances(), SIX)
    with pytest.raises(BandsError, match=said) as error:
        chosen(tmp_path / "new", packed, **params)
    assert (advice or "") in (error.value.next or "")
    assert not (tmp_path / "new" / "out" / "dataset.json").exists()


def test_float16_says_where_it_ends(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "set", np.full((1, 2, 2, 6), 65_530, dtype=np.uint16), SIX)
    with pytest.raises(BandsError, match="float16 cannot hold"):
        chosen(tmp_path / "new", packed, bands=[1], dtype="float16")
