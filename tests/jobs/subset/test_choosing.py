from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.subset.choosing import affordable, of_each_class, of_the_whole, quotas
from skint.dataset import Target
from tests.jobs.table_set import table_set


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9), st.integers(1, 300))
def test_quotas_add_up_and_each_class_keeps_its_share(counts: list[int], size: int) -> None:
    found = quotas(counts, size)
    least = [min(2, count) for count in counts]
    share = min(1, size / max(1, sum(counts)))
    assert all(low <= n <= count for low, n, count in zip(least, found, counts, strict=True))
    assert all(
        n == low or abs(n - share * count) < 1
        for low, n, count in zip(least, found, counts, strict=True)
    )
    if sum(max(low, int(share * n)) for low, n in zip(least, counts, strict=True)) <= size:
        assert sum(found) == min(size, sum(counts))


def test_one_class_that_grows_does_not_change_the_others() -> None:
    labels = np.array([0] * 9 + [1] * 9)
    few, more = (of_each_class(np.append(labels, extra), [4, 4], 0) for extra in ([], [0] * 5))
    assert few[labels[few] == 1].tolist() == [row for row in more.tolist() if 9 <= row < 18]


def test_labels_keep_their_share_of_a_part(tmp_path: Path) -> None:
    cells = ["red", "", "red|wool", ""] * 25
    data = table_set(tmp_path, {"tags": cells}, [Target("tags", "multilabel", ("red", "wool"))])
    rows = of_the_whole(data, data.target("multilabel"), np.arange(100), 20, 0)
    assert len(rows) == 20 and (np.diff(rows) > 0).all()
    assert data.multi_hot()[rows].sum(axis=0).tolist() == [10, 5]


@pytest.mark.parametrize(
    ("seconds", "rate", "size"),
    [(10, 123.4, 1200), (10, 8.7, 87), (0.5, 8, 4), (1, 0.1, 1), (10, 129.9, 1200), (2, 5, 10)],
)
def test_a_size_by_time_has_two_digits(seconds: float, rate: float, size: int) -> None:
    assert affordable(seconds, rate) == size
