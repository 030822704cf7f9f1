from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import skint
from jobs.folds.job import Params, fold_count, folds
from jobs.folds.splits import FoldsError
from skint.attempt import StopRequest
from skint.dataset import Folds, PackedSet, PackedWriter, Sample, Target, read_folds
from tests.jobs.table_set import table_set


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


def made(folder: Path, data: PackedSet, **params: object) -> Folds:
    ctx = skint.Context.for_test(folder, inputs={"packed": data.folder})
    folds(Params.model_validate(params), ctx)
    return read_folds(ctx.out / "folds.csv", len(data))


@given(
    sizes=st.lists(st.integers(10, 30), min_size=2, max_size=4),
    k=st.integers(2, 4),
    repeats=st.integers(1, 3),
    test=st.none() | st.floats(0.05, 0.4),
    seed=st.integers(0, 5),
)
@settings(max_examples=25, deadline=None)
def test_every_sample_is_held_out_once_a_repeat_and_classes_are_spread(
    sizes: list[int], k: int, repeats: int, test: float | None, seed: int
) -> None:
    labels = np.repeat([f"class{c}" for c in range(len(sizes))], sizes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = table_set(folder / "data", {"label": labels.tolist()})
        found = made(folder, data, k=k, repeats=repeats, test=test, seed=seed)
    assert len(found) == k * repeats
    kept = np.setdiff1d(np.arange(len(labels)), found.test)
    for repeat in range(repeats):
        parts = found.held_out[repeat * k : (repeat + 1) * k]
        assert sorted(np.concatenate(parts).tolist()) == kept.tolist()
        assert np.ptp([len(part) for part in parts]) <= 1
        for label in set(labels):
            assert np.ptp([(labels[part] == label).sum() for part in parts]) <= 1
    for label, size in zip(sorted(set(labels)), sizes, strict=True):
        assert abs((labels[found.test] == label).sum() - (test or 0) * size) < 1
    for fold in range(len(found)):
        both = np.concatenate([found.training(fold), found.validation(fold)])
        assert sorted(both.tolist()) == kept.tolist()
    if repeats > 1:
        first, second = ([set(p.tolist()) for p in found.held_out[n * k :][:k]] for n in (0, 1))
        assert first != second


@given(
    groups=st.lists(st.integers(0, 9), min_size=30, max_size=60),
    k=st.integers(2, 3),
    test=st.none() | st.floats(0.1, 0.3),
    stratify=st.booleans(),
    seed=st.integers(0, 5),
)
@settings(max_examples=25, deadline=None)
def test_no_group_is_ever_split(
    groups: list[int], k: int, test: float | None, stratify: bool, seed: int
) -> None:
    labels = ["a" if n % 3 else "b" for n in range(len(groups))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [f"patient {group}" for group in groups]
        data = table_set(folder / "data", {"label": labels}, groups=names)
        try:
            found = made(folder, data, k=k, group=True, test=test, stratify=stratify, seed=seed)
        except FoldsError:
            return  # too few groups, or a class that one of them holds alone
    parts = [{groups[row] for row in rows.tolist()} for rows in (*found.held_out, found.test)]
    assert sum(map(len, parts)) == len(set(groups))


@given(order=st.permutations(range(24)), grouped=st.booleans(), test=st.none() | st.just(0.2))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_samples_changes_nothing(
    order: list[int], grouped: bool, test: float | None
) -> None:
    columns = {"label": [*"aabb"] * 6}
    groups = [f"g{n // 3}" for n in range(24)]
    found = []
    with tempfile.TemporaryDirectory() as name:
        for number, way in enumerate((range(24), order)):
            folder = Path(name, str(number))
            data = table_set(folder / "data", columns, groups=groups, order=way)
            rows = made(folder, data, k=3, group=grouped, test=test)
            parts = (*rows.held_out, rows.test)
            found.append([{data.samples[row].path for row in part} for part in parts])
    assert found[0] == found[1]


@given(st.lists(st.integers(2000, 2012), min_size=20, max_size=60), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_by_time_a_fold_trains_on_what_is_strictly_earlier(years: list[int], k: int) -> None:
    taken = np.array(years)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        columns = {"year": [*map(str, years)]}
        data = table_set(folder / "data", columns, [Target("year", "value")])
        try:
            found = made(folder, data, k=k, time="year", test=0.2)
        except FoldsError:
            # Only pictures of one year that fill a whole block can leave a fold empty.
            block = (len(years) - round(0.2 * len(years))) // (k + 1)
            assert max(years.count(year) for year in years) >= block
            return
    assert len(found) == k
    latest = -1
    for fold in range(k):
        now = taken[found.validation(fold)]
        assert taken[found.training(fold)].max() < now.min()
        assert latest < now.min()
        latest = now.max()
    assert not len(found.test) or latest < taken[found.test].min()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_hold_out_is_one_fold(tmp_path: Path, share: float) -> None:
    data = table_set(tmp_path / "data", {"label": ["a"] * 40 + ["b"] * 20})
    found = made(tmp_path, data, holdout=share, test=0.1)
    assert len(found) == 1 and len(found.test) == 6
    labels = data.labels()
    assert np.bincount(labels[found.validation(0)]).tolist() == pytest.approx(
        [36 * share, 18 * share], abs=0.99
    )
    assert len(found.training(0)) == 54 - len(found.validation(0))


@pytest.mark.parametrize("params", [{"group": True}, {"stratify": "tags"}])
def test_a_request_to_stop_is_obeyed(tmp_path: Path, params: dict[str, object]) -> None:
    columns = {"label": [*"ab"] * 20, "tags": ["x", "", "x|y", "y"] * 10}
    targets = [Target("label", "class", ("a", "b")), Target("tags", "multilabel", ("x", "y"))]
    groups = [f"g{n // 4}" for n in range(40)]
    data = table_set(tmp_path / "data", columns, targets, groups=groups)
    ctx = skint.Context.for_test(tmp_path, inputs={"packed": data.folder})
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        folds(Params.model_validate({"k": 2, **params}), ctx)


def test_a_hold_out_by_time_is_the_latest(tmp_path: Path) -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 21)]
    data = table_set(tmp_path / "data", {"day": days}, [Target("day", "class", tuple(days))])
    found = made(tmp_path, data, holdout=0.25, time="day")
    assert found.validation(0).tolist() == [15, 16, 17, 18, 19]
    assert found.training(0).tolist() == [*range(15)]


def test_labels_and_values_are_spread(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tags = [
        "|".join(t for t, p in zip("xyz", (0.5, 0.2, 0.05), strict=True) if rng.random() < p)
        for _ in range(200)
    ]
    values = rng.lognormal(size=200)
    targets = [Target("tags", "multilabel", ("x", "y", "z")), Target("price", "value")]
    columns = {"tags": tags, "price": [f"{value:.3f}" for value in values]}
    data = table_set(tmp_path / "data", columns, targets)
    by_tags = made(tmp_path / "a", data, k=4)
    counts = [data.multi_hot()[rows].sum(axis=0) for rows in by_tags.held_out]
    assert np.ptp(counts, axis=0).max() <= 1
    summary = json.loads((tmp_path / "a" / "out" / "folds.json").read_text())
    assert summary["classes"]["z"] == [int(count[2]) for count in counts]
    by_price = made(tmp_path / "b", data, k=4, stratify="price")
    deciles = np.quantile(data.values(), np.linspace(0.1, 0.9, 9))
    for edge in deciles:
        below = [(data.values()[rows] < edge).sum() for rows in by_price.held_out]
        assert np.ptp(below) <= 3  # of 5 a decile


def test_what_has_no_label_is_in_no_fold(tmp_path: Path) -> None:
    data = table_set(tmp_path / "data", {"label": ["a", "b", ""] * 4})
    found = made(tmp_path, data, k=2)
    assert sorted(np.concatenate(found.held_out).tolist()) == [0, 1, 3, 4, 6, 7, 9, 10]
    assert found.training(0).tolist() == found.validation(1).tolist()
    assert "without a label" in (tmp_path / "events.jsonl").read_text(encoding="utf-8")


def test_a_set_without_targets_is_split_by_size(tmp_path: Path) -> None:
    data = table_set(tmp_path / "data", {"unused": [""] * 10}, [])
    found = made(tmp_path, data, k=3)
    assert sorted(len(rows) for rows in found.held_out) == [3, 3, 4]


@pytest.mark.parametrize(
    ("params", "jobs"),
    [
        ({}, 5),
        ({"k": 3}, 3),
        ({"k": 3, "repeats": 4}, 12),
        ({"holdout": 0.2}, 1),
        ({"time": "t"}, 5),
    ],
)
def test_the_number_of_folds_is_known_from_the_parameters(
    params: dict[str, object], jobs: int
) -> None:
    dumped = Params.model_validate(params).model_dump(mode="json")
    assert fold_count(dumped) == fold_count(params) == jobs
    assert Params.model_validate(dumped) == Params.model_validate(params)


@pytest.mark.parametrize(
    "params",
    [
        {"holdout": 0.2, "k": 5},
        {"holdout": 0.2, "repeats": 2},
        {"time": "year", "group": True},
        {"time": "year", "stratify": "label"},
        {"time": "year", "repeats": 2},
        {"test": 1.0},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)


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
    split(tmp_path, data, k=3, copies="apart")
    events = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    first, second = [line for line in events.splitlines() if '"kind":"note"' in line]
    assert "stand in two parts" in first and "3 folds of 60 pictures" in second


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


@pytest.mark.parametrize(
    ("count", "way"),
    [(1, "leave the class out with `subset`"), (2, "set `k: 2` or `stratify: false`, or leave")],
)
def test_a_class_with_too_few_samples_is_told_only_what_would_help(
    tmp_path: Path, count: int, way: str
) -> None:
    data = packed(tmp_path / "data", ["a"] * 9 + ["b"] * count)
    with pytest.raises(FoldsError) as error:
        split(tmp_path, data, k=3)
    assert error.value.next is not None and error.value.next.startswith(way)
