from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skint
from jobs.folds import FoldsError, Params, folds
from skint.dataset import PackedSet, PackedWriter, Sample, Target, read_folds


def packed(folder: Path, labels: list[str], groups: list[str] | None = None) -> Path:
    samples = [
        Sample(
            n,
            str(n),
            f"{n}.png",
            group=groups[n] if groups else "",
            sha256=str(n % 90),
            targets={"label": label},
        )
        for n, label in enumerate(labels)
    ]
    with PackedWriter(folder, shape=(len(labels), 1, 1, 3), dtype="uint8") as writer:
        targets = [Target("label", "class", tuple(sorted(set(labels))))]
        writer.finish(samples, targets, channels="RGB", made_by={})
    return folder


def split(folder: Path, data: Path, **params: object) -> np.ndarray:
    ctx = skint.Context.for_test(folder, inputs={"packed": data})
    folds(Params.model_validate(params), ctx)
    found = read_folds(ctx.out / "folds.csv", len(PackedSet.open(data)))
    assigned = np.full(len(PackedSet.open(data)), -1)
    for number, rows in enumerate(found.held_out):
        assigned[rows] = number
    return assigned


@given(
    sizes=st.lists(st.integers(4, 30), min_size=2, max_size=4),
    k=st.integers(2, 4),
    seed=st.integers(0, 5),
    stratify=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_every_sample_is_held_out_once_and_classes_are_spread(
    sizes: list[int], k: int, seed: int, stratify: bool
) -> None:
    labels = [f"class{c}" for c, size in enumerate(sizes) for _ in range(size)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = packed(folder / "data", labels)
        try:
            assigned = split(folder, data, k=k, seed=seed, stratify=stratify)
        except FoldsError:
            assert not stratify  # only chance can put a whole class into one fold
            return
    counts = np.bincount(assigned, minlength=k)
    assert len(counts) == k and counts.sum() == len(labels)
    assert stratify or counts.max() - counts.min() <= 1
    if stratify:
        for label in set(labels):
            of_class = np.bincount(assigned[np.array(labels) == label], minlength=k)
            assert of_class.max() - of_class.min() <= 1


@pytest.mark.parametrize("stratify", [True, False])
def test_a_group_is_never_split(tmp_path: Path, stratify: bool) -> None:
    labels = ["a", "b"] * 60
    groups = [f"patient{n // 5}" for n in range(120)]
    data = packed(tmp_path / "data", labels, groups)
    assigned = split(tmp_path, data, k=4, group=True, stratify=stratify)
    for group in set(groups):
        assert len(set(assigned[np.array(groups) == group])) == 1
    assert len(set(assigned)) == 4


def test_the_seed_decides_and_repeats(tmp_path: Path) -> None:
    data = packed(tmp_path / "data", ["a", "b"] * 20)
    runs = [split(tmp_path / str(n), data, k=2, seed=seed) for n, seed in enumerate((0, 0, 1))]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_the_summary_counts_classes_in_each_fold(tmp_path: Path) -> None:
    data = packed(tmp_path / "data", ["a"] * 6 + ["b"] * 12)
    split(tmp_path, data, k=3)
    summary = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert summary["sizes"] == [6, 6, 6]
    assert summary["classes"] == {"a": [2, 2, 2], "b": [4, 4, 4]}


def test_copies_in_two_folds_are_told(tmp_path: Path) -> None:
    data = packed(tmp_path / "data", ["a", "b"] * 90)  # 180 samples, 90 different hashes
    split(tmp_path, data, k=3)
    events = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert "stand in two folds" in events


@pytest.mark.parametrize(
    ("labels", "groups", "params", "words"),
    [
        (["a"] * 9 + ["b"] * 2, None, {"k": 3}, "the class b has fewer samples than there are"),
        (["a", "b"], None, {"k": 3, "stratify": False}, "2 samples cannot fill 3 folds"),
        (["a", "b"] * 5, None, {"k": 2, "group": True}, "10 of 10 samples have no group"),
        (["a", "b"] * 5, ["x"] * 5 + ["y"] * 5, {"k": 3, "group": True}, "2 groups cannot fill"),
        (
            ["a"] * 6 + ["b"] * 3,
            ["x", "y", "z", "x", "y", "z", "u", "u", "u"],
            {"k": 2, "group": True},
            "all samples of the class b are in one group",
        ),
        (
            ["a"] * 8 + ["b"],
            [*"pqrstuvw", "w"],
            {"k": 2, "group": True, "stratify": False},
            "holds all samples of the class b",
        ),
    ],
)
def test_a_split_that_cannot_be_says_why(
    tmp_path: Path,
    labels: list[str],
    groups: list[str] | None,
    params: dict[str, object],
    words: str,
) -> None:
    with pytest.raises(FoldsError, match=words) as error:
        split(tmp_path, packed(tmp_path / "data", labels, groups), **params)
    assert error.value.where == str(tmp_path / "data" / "samples.csv")
    assert not (tmp_path / "out" / "folds.csv").exists()
