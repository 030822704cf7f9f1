"""Copies of pictures, and how `folds` deals them out."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import skint
from jobs.folds.job import Params, folds
from jobs.folds.splits import FoldsError
from jobs.resize.job import Params as ResizeParams
from jobs.resize.job import resize
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.dataset import Folds, PackedSet, Target, read_folds
from tests.jobs.folds.test_job import made
from tests.jobs.table_set import table_set


def assert_whole(found: Folds, k: int, contents: list[str]) -> None:
    """Nothing of one content is in two parts of any of the splits."""
    for repeat in range(0, len(found), k):
        parts = [*found.held_out[repeat : repeat + k], found.test]
        held = [{contents[row] for row in part.tolist()} for part in parts]
        assert sum(map(len, held)) == len(set().union(*held))
    for fold in range(len(found)):
        judging = {contents[row] for row in found.validation(fold).tolist()}
        assert not judging & {contents[row] for row in found.training(fold).tolist()}


@given(
    contents=st.lists(st.integers(0, 40), min_size=40, max_size=70),
    groups=st.none() | st.lists(st.integers(0, 12), min_size=70, max_size=70),
    params=st.sampled_from(
        [{"k": 3}, {"k": 2, "repeats": 2}, {"holdout": 0.3}, {"k": 3, "stratify": False}]
    ),
    test=st.none() | st.floats(0.1, 0.3),
    labelled=st.sampled_from(["class", "tags"]),
)
@settings(max_examples=40, deadline=None)
def test_copies_are_never_split(
    contents: list[int],
    groups: list[int] | None,
    params: dict[str, object],
    test: float | None,
    labelled: str,
) -> None:
    hashes = [f"{content:x}" for content in contents]
    names = None if groups is None else [f"p{group}" for group in groups[: len(contents)]]
    columns = {"label": ["ab"[n % 2] for n in range(len(contents))]}
    targets = [Target("label", "class" if labelled == "class" else "multilabel", ("a", "b"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = table_set(folder / "data", columns, targets, groups=names, hashes=hashes)
        try:
            found = made(folder, data, group=names is not None, test=test, **params)
        except FoldsError:
            # Too few groups are left when copies join them, or half the set is one picture.
            assert names is not None or max(map(contents.count, contents)) > len(contents) / 6
            return
    k = 1 if "holdout" in params else int(str(params["k"]))
    assert_whole(found, k, hashes)
    if names is not None:
        assert_whole(found, k, names)


@given(
    years=st.lists(st.integers(2000, 2012), min_size=30, max_size=60),
    contents=st.lists(st.integers(0, 60), min_size=60, max_size=60),
)
@settings(max_examples=30, deadline=None)
def test_by_time_no_copy_judges_what_was_trained_on(years: list[int], contents: list[int]) -> None:
    hashes = [f"{content:x}" for content in contents[: len(years)]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        columns = {"year": [*map(str, years)]}
        data = table_set(folder / "data", columns, [Target("year", "value")], hashes=hashes)
        try:
            found = made(folder, data, k=2, time="year", test=0.2)
        except FoldsError:
            return
    assert_whole(found, 2, hashes)
    taken = np.array(years)
    for fold in range(2):
        assert taken[found.training(fold)].max() < taken[found.validation(fold)].min()


@pytest.mark.parametrize("params", [{"k": 4}, {"k": 5, "test": 0.2}, {"k": 3, "repeats": 2}])
def test_folds_with_copies_in_them_are_as_even_as_without(
    tmp_path: Path, params: dict[str, object]
) -> None:
    hashes = [f"{n}" if n % 10 else f"{n // 30 * 30}" for n in range(240)]  # eight in threes
    labels = [*"aab"] * 80
    data = table_set(tmp_path / "data", {"label": labels}, hashes=hashes)
    found = made(tmp_path, data, **params)
    k = int(str(params["k"]))
    assert_whole(found, k, hashes)
    for start in range(0, len(found), k):
        for label in (0, 1):
            held = found.held_out[start : start + k]
            assert np.ptp([(data.labels()[rows] == label).sum() for rows in held]) <= 1
    events = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert "16 copies are kept together" in events
    facts = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert facts["kept_together"] == {"exact": 16, "near": 0}


def test_a_class_of_one_picture_copied_cannot_be_split(tmp_path: Path) -> None:
    columns = {"label": ["a"] * 10 + ["b"] * 5}
    hashes = [f"{min(n, 10)}" for n in range(15)]
    data = table_set(tmp_path / "data", columns, hashes=hashes)
    with pytest.raises(FoldsError, match="class b are copies of one picture") as error:
        made(tmp_path, data, k=2)
    assert "copies: apart" in str(error.value)
    assert len(made(tmp_path, data, k=2, copies="apart")) == 2


def test_pictures_that_the_scan_finds_nearly_the_same_stay_together(tmp_path: Path) -> None:
    photos = Path(__file__).resolve().parents[3] / "examples" / "photos" / "data"
    for label in ("hat", "shoes"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for file in sorted((photos / label).iterdir())[:12]:
            shutil.copy(file, tmp_path / "photos" / label)
            with Image.open(file) as image:
                image.save(tmp_path / "photos" / label / f"{file.stem}-again.jpg", quality=90)
    scanned = skint.Context.for_test(tmp_path / "scan")
    scan(ScanParams(source=tmp_path / "photos"), scanned)
    packed = skint.Context.for_test(tmp_path / "packed", inputs={"scan": scanned.out})
    resize(ResizeParams(size=(16,)), packed)
    data = PackedSet.open(packed.out)
    contents = [sample.path.replace("-again", "") for sample in data.samples]
    inputs = {"packed": packed.out, "scan": scanned.out}
    for name, params in (("a", {"k": 3}), ("b", {"k": 2, "test": 0.3}), ("c", {"holdout": 0.25})):
        ctx = skint.Context.for_test(tmp_path / name, inputs=inputs)
        folds(Params.model_validate(params), ctx)
        found = read_folds(ctx.out / "folds.csv", len(data))
        assert_whole(found, len(found), contents)
        told = (tmp_path / name / "events.jsonl").read_text(encoding="utf-8")
        assert "24 near copies are kept together" in told
