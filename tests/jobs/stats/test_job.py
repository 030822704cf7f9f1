from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.stats.job import Params, stats
from skint.attempt import StopRequest
from skint.dataset import DatasetError, PackedSet, PackedWriter, Sample, Target
from skint.dataset.blob_writer import BlobWriter
from skint.table import write_rows
from tests.jobs.page import Page
from tests.jobs.table_set import table_set

CLASSES = ("<i>hat</i>", "shoe")


@pytest.fixture
def packed(tmp_path: Path) -> PackedSet:
    """12 hats (red above, black below) and one shoe (blue); picture 3 is all black."""
    folder = tmp_path / "packed"
    pixels = np.zeros((13, 8, 8, 3), dtype=np.uint8)
    pixels[:12, :4, :, 0] = 200
    pixels[12, :, :, 2] = 250
    pixels[3] = 0
    sides = [(100, 100)] * 11 + [(100, 450), (6, 6)]
    samples = [
        Sample(n, str(n), f"{n}.png", width=w, height=h, targets={"label": CLASSES[n == 12]})
        for n, (w, h) in enumerate(sides)
    ]
    with PackedWriter(folder, shape=pixels.shape, dtype="uint8") as writer:
        writer.images()[:] = pixels
        target = Target("label", "class", CLASSES)
        writer.finish(samples, [target], channels="RGB", made_by={"job": "test"})
    return PackedSet.open(folder)


def no_json(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


def told(folder: Path, packed: PackedSet, **params: Any) -> tuple[dict[str, Any], str]:
    ctx = skint.Context.for_test(folder, inputs={"packed": packed.folder})
    stats(Params(**params), ctx)
    facts = json.loads((ctx.out / "stats.json").read_text(), parse_constant=no_json)
    return facts, (ctx.out / "stats.html").read_text(encoding="utf-8")


def test_mean_and_deviation_are_those_of_the_pixels(tmp_path: Path, packed: PackedSet) -> None:
    facts, _ = told(tmp_path, packed)
    pixels = np.stack(list(packed.images())).astype(np.float64)
    for number, channel in enumerate(facts["channels"]):
        assert channel["mean"] == pytest.approx(pixels[..., number].mean(), rel=1e-12)
        assert channel["std"] == pytest.approx(pixels[..., number].std(), rel=1e-12)
        assert sum(channel["histogram"]) == 13 * 64
    red = facts["channels"][0]["histogram"]
    assert (red[0], red[50]) == (13 * 64 - 11 * 32, 11 * 32)  # 200 stands in bin 200 / 4


def test_a_fold_is_measured_on_what_it_trains_on(tmp_path: Path, packed: PackedSet) -> None:
    cells = [*[0] * 5, *[1] * 6, "test", "train"]
    write_rows(packed.folder / "folds.csv", ("id", "fold"), enumerate(cells))
    facts, page = told(tmp_path, packed)
    pixels = np.stack(list(packed.images())).astype(np.float64)
    for fold, rows in enumerate(([*range(5, 11), 12], [*range(5), 12])):
        assert facts["folds"][fold]["train"] == len(rows)
        assert facts["folds"][fold]["mean"] == pytest.approx(pixels[rows].mean(axis=(0, 1, 2)))
        assert facts["folds"][fold]["std"] == pytest.approx(pixels[rows].std(axis=(0, 1, 2)))
    assert facts["test"] == 1 and "1 set aside as a test part" in page
    assert facts["targets"][0]["classes"][0]["held_out"] == [5, 6]
    assert "nothing to be tested on: shoe in fold 0, shoe in fold 1" in facts["findings"]


def test_imbalance_tiny_classes_and_odd_sizes_are_found(tmp_path: Path, packed: PackedSet) -> None:
    facts, _ = told(tmp_path, packed)
    assert facts["findings"] == [
        "<i>hat</i> has 12 times as many pictures as shoe (12 and 1)",
        "shoe: fewer than 10 pictures",
        "1 picture is more than twice as wide for their height, or as high for their width, as"
        " the middle one",
        "1 picture is smaller than what they were resized to",
    ]
    assert facts["sizes"]["odd"] == [11]
    assert facts["sizes"]["common"][0] == {"width": 100, "height": 100, "n": 11}
    events = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert "12 times as many pictures as shoe" in events


def test_the_strangest_pictures_are_found(tmp_path: Path, packed: PackedSet) -> None:
    facts, _ = told(tmp_path, packed, pictures=2)
    assert facts["strangest"]["darkest"][0] == 3
    assert facts["strangest"]["brightest"][0] == 12
    assert facts["strangest"]["flattest"] == [3, 12]


def test_the_page_needs_no_other_file_and_escapes_names(tmp_path: Path, packed: PackedSet) -> None:
    _, text = told(tmp_path, packed)
    page = Page(text)
    assert all((p["src"] or "").startswith("data:image/png;base64,") for p in page.all("img"))
    assert all(p["alt"] for p in page.all("img"))
    assert not page.all("script") and not page.all("i") and "&lt;i&gt;hat&lt;/i&gt;" in text
    assert "http" not in text and str(tmp_path) not in text


def test_the_mean_picture_of_a_class_is_drawn(tmp_path: Path, packed: PackedSet) -> None:
    _, text = told(tmp_path, packed)
    (source,) = [p["src"] for p in Page(text).all("img") if "mean" in (p["alt"] or "")][:1]
    content = base64.b64decode((source or "").partition(",")[2])
    mean = np.asarray(Image.open(io.BytesIO(content)))
    assert mean.shape == (8, 8, 3)
    assert mean[0, 0].tolist() == [round(200 * 11 / 12), 0, 0] and not mean[7, 7].any()


def test_labels_values_and_sets_without_targets_have_a_page(tmp_path: Path) -> None:
    columns = {"tags": ["a|b", "", "b"], "price": ["1.5", "", "3"]}
    targets = [Target("tags", "multilabel", ("a", "b")), Target("price", "value")]
    facts, text = told(tmp_path / "1", table_set(tmp_path / "x", columns, targets))
    tags, price = facts["targets"]
    assert [row["n"] for row in tags["classes"]] == [1, 2]
    assert price["quartiles"] == [1.5, 1.875, 2.25, 2.625, 3] and price["unknown"] == 1
    Page(text)
    facts, text = told(tmp_path / "2", table_set(tmp_path / "y", {"unused": [""]}, []))
    assert facts["targets"] == [] and Page(text).all("h1")


def test_pictures_of_their_own_sizes_and_of_many_bits_have_a_page(tmp_path: Path) -> None:
    sizes = np.array([[3, 4], [70, 90], [5, 2]])
    target = Target("label", "class", ("a", "b"))
    with BlobWriter(tmp_path / "data", sizes=sizes, channels=2, dtype="uint16") as writer:
        pictures = [np.full((*size, 2), [100, 5000 * n], np.uint16) for n, size in enumerate(sizes)]
        for row, picture in enumerate(pictures):
            writer.places().put(row, picture)
        samples = [Sample(n, str(n), f"{n}.tif", targets={"label": "ab"[n % 2]}) for n in range(3)]
        data = writer.finish(samples, [target], channels=["near", "far"], made_by={})
    facts, text = told(tmp_path, data)
    assert len(Page(text).all("img")) == 2 + 3 * 3
    assert facts["channels"][0]["mean"] == 100 and facts["channels"][0]["std"] == 0
    assert sum(facts["channels"][1]["histogram"]) == (sizes[:, 0] * sizes[:, 1]).sum()
    assert facts["strangest"]["brightest"][0] == 2


def test_pixels_that_are_no_number_are_counted_and_left_out(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).normal(5, 2, (4, 8, 8, 2)).astype(np.float32)
    pixels[1, 2, 3, 0], pixels[3, :, :, 0] = np.inf, np.nan
    with PackedWriter(tmp_path / "data", shape=pixels.shape, dtype="float32") as writer:
        writer.images()[:] = pixels
        samples = [Sample(n, str(n), f"{n}.tif", targets={"label": "ab"[n % 2]}) for n in range(4)]
        target = Target("label", "class", ("a", "b"))
        data = writer.finish(samples, [target], channels=["near", "far"], made_by={})
    write_rows(data.folder / "folds.csv", ("id", "fold"), [(0, 0), (1, 0), (2, 1), (3, 1)])
    facts, text = told(tmp_path, data)
    near, far = facts["channels"]
    finite = pixels[..., 0][np.isfinite(pixels[..., 0])].astype(np.float64)
    assert (near["not_finite"], far["not_finite"]) == (65, 0)
    assert sum(near["histogram"]) == len(finite)
    assert near["mean"] == pytest.approx(finite.mean()) and near["std"] == pytest.approx(
        finite.std()
    )
    assert "near: 65 pixels are no number (NaN or infinity)" in facts["findings"]
    assert facts["folds"][0]["mean"][0] is None
    Page(text)


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    pixels = np.full((3, 2, 2, 1), np.nan, dtype=np.float32)
    with PackedWriter(tmp_path / "data", shape=pixels.shape, dtype="float32") as writer:
        writer.images()[:] = pixels
        cells = ("inf", "2", "nan")
        samples = [Sample(n, str(n), f"{n}.tif", targets={"depth": cells[n]}) for n in range(3)]
        data = writer.finish(samples, [Target("depth", "value")], channels=["a"], made_by={})
    write_rows(data.folder / "folds.csv", ("id", "fold"), [(0, 0), (1, 0), (2, 1)])
    facts, text = told(tmp_path, data)
    assert facts["channels"][0]["not_finite"] == 12 and facts["folds"][0]["mean"] == [None]
    (depth,) = facts["targets"]
    assert (depth["mean"], depth["unknown"]) == (2, 2)
    assert [row["name"] for row in depth["classes"]] == ["2"]
    Page(text)


def test_years_have_one_bar_each(tmp_path: Path) -> None:
    columns = {"year": ["2000"] * 30 + ["2001"] * 5 + ["2003"]}
    facts, _text = told(tmp_path, table_set(tmp_path / "x", columns, [Target("year", "value")]))
    rows = facts["targets"][0]["classes"]
    assert [(row["name"], row["n"]) for row in rows] == [("2000", 30), ("2001", 5), ("2003", 1)]


def test_a_request_to_stop_ends_it_before_anything_is_published(
    tmp_path: Path, packed: PackedSet
) -> None:
    ctx = skint.Context.for_test(tmp_path, inputs={"packed": packed.folder})
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        stats(Params(), ctx)
    assert list(ctx.out.iterdir()) == []


def test_the_same_set_gives_the_same_bytes(tmp_path: Path, packed: PackedSet) -> None:
    told(tmp_path / "a", packed)
    told(tmp_path / "b", packed)
    for name in ("stats.json", "stats.html"):
        one, two = ((tmp_path / which / "out" / name).read_bytes() for which in "ab")
        assert one == two


def test_a_target_that_is_not_there_is_refused(tmp_path: Path, packed: PackedSet) -> None:
    with pytest.raises(DatasetError, match="called colour"):
        told(tmp_path, packed, target="colour")
