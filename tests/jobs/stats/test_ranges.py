from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.stats.ranges import FEW, ranges


def counted(values: list[float]) -> dict[str, int]:
    names, member = ranges(np.array(values, dtype=np.float64))
    return dict(zip(names, member.sum(axis=0).tolist(), strict=True))


def test_few_different_values_stand_alone() -> None:
    assert counted([2000, 2000, 2001, 3.5, float("nan")]) == {"3.5": 1, "2000": 2, "2001": 1}
    assert counted([]) == {} and counted([-0.0]) == {"0": 1}


def test_whole_numbers_have_ranges_of_whole_numbers() -> None:
    assert counted([*range(1990, 2020)]) == {
        f"{low} to {low + 4}": 5 for low in range(1990, 2020, 5)
    }
    assert counted([*range(13)] * 2)["4 to 5"] == 4


def test_other_numbers_stand_in_the_range_that_names_them() -> None:
    found = counted([n / 10 for n in range(21)])
    assert list(found)[:2] == ["0 to under 0.2", "0.2 to under 0.4"]
    assert list(found.values()) == [2] * 10 + [1]


@given(
    st.lists(
        st.floats(-1e300, 1e300)
        | st.integers(0, 10**6).map(float)
        | st.just(float("nan"))
        | st.just(float("inf")),
        max_size=60,
    )
)
def test_each_known_value_is_in_one_range_and_ranges_go_up(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    names, member = ranges(array)
    assert (member.sum(axis=1) == np.isfinite(array)).all()
    assert len(names) <= FEW and len(set(names)) <= len(names)
    inside = [array[member[:, number]] for number in range(len(names))]
    filled = [part for part in inside if len(part)]
    assert all(a.max() < b.min() for a, b in pairwise(filled))


@pytest.mark.parametrize("scale", [1e-9, 0.01, 1.0, 30.0, 1e9])
def test_there_are_about_ten_ranges_of_one_width(scale: float) -> None:
    names, member = ranges(np.linspace(0, scale, 1000))
    assert 5 <= len(names) <= FEW
    assert np.ptp(member.sum(axis=0)[:-2]) <= 1
