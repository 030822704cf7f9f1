from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.folds.strata import StrataError, quantiles, strata_of, strata_target
from skint.dataset import Target
from tests.jobs.table_set import table_set

TARGETS = (
    Target("segments", "mask"),
    Target("kind", "class", ("hat", "shoe")),
    Target("tags", "multilabel", ("new", "red", "wool")),
    Target("price", "value"),
)
COLUMNS = {
    "segments": ["", "", ""],
    "kind": ["shoe", "", "hat"],
    "tags": ["red|wool", "", "new"],
    "price": ["3.5", "1", ""],
}


def test_the_first_target_that_is_no_mask_is_spread_or_the_one_named(tmp_path: Path) -> None:
    data = table_set(tmp_path, COLUMNS, TARGETS)
    found = [strata_target(data, wish, "folds") for wish in (None, True, "price", False)]
    assert [target and target.name for target in found] == ["kind", "kind", "price", None]
    with pytest.raises(StrataError, match="nothing to stratify by") as error:
        strata_target(data, "colour", "folds")
    assert "kind (class)" in str(error.value.got)


def test_a_set_without_targets_is_only_stratified_when_it_must_be(tmp_path: Path) -> None:
    data = table_set(tmp_path, {"segments": ["a"]}, [Target("segments", "mask")])
    assert strata_target(data, None, "folds") is None
    with pytest.raises(StrataError):
        strata_target(data, True, "folds")


def test_what_is_not_known_is_a_stratum_of_its_own(tmp_path: Path) -> None:
    data = table_set(tmp_path, COLUMNS, TARGETS)
    rows = np.array([2, 0, 1])
    strata = {target.name: strata_of(data, target, rows, 2).tolist() for target in TARGETS[1:]}
    assert strata["kind"] == [1, 2, 0]
    assert strata["tags"] == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert strata["price"] == [0, 1, 1]
    assert strata_of(data, None, rows, 2).tolist() == [0, 0, 0]


@given(st.lists(st.floats(-9, 9) | st.just(float("nan")), max_size=80), st.integers(1, 9))
def test_ranges_of_values_are_ordered_and_equally_full(values: list[float], parts: int) -> None:
    array = np.array(values, dtype=np.float64)
    ranges = quantiles(array, parts)
    known = ~np.isnan(array)
    assert ((ranges == 0) == ~known).all()
    if known.any():
        counts = np.bincount(ranges[known])[1:]
        assert np.ptp(counts) <= 1 and len(counts) <= 10
        assert counts.min() >= min(parts, known.sum())
        edges = [array[ranges == n] for n in range(1, len(counts) + 1)]
        assert all(a.max() <= b.min() for a, b in pairwise(edges))
