from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.attribution import attribute

WEIGHTS = st.dictionaries(st.text(max_size=3), st.integers(0, 10**13), min_size=1, max_size=6)


@given(st.integers(0, 10**12), WEIGHTS)
def test_attributed_milliseconds_add_up_and_are_less_than_one_from_fair(
    amount_ms: int, weights: dict[str, int]
) -> None:
    parts = attribute(amount_ms, weights)
    assert sum(parts.values()) == amount_ms
    assert parts.keys() == weights.keys()
    total = sum(weights.values())
    for name, weight in weights.items():
        fair_times_total = amount_ms * (weight if total else 1)
        assert abs(parts[name] * (total or len(weights)) - fair_times_total) < (
            total or len(weights)
        )


def test_the_largest_remainders_get_what_is_left_and_ties_go_by_name() -> None:
    assert attribute(10, {"c": 1, "b": 1, "a": 1}) == {"a": 4, "b": 3, "c": 3}
    assert attribute(10, {"a": 26, "b": 26, "c": 48}) == {"a": 3, "b": 2, "c": 5}
    assert attribute(3, {"a": 0, "b": 0}) == {"a": 2, "b": 1}


def test_nobody_and_less_than_nobody_cannot_be_charged() -> None:
    for weights in ({}, {"a": 2, "b": -1}):
        with pytest.raises(ValueError, match="cannot attribute"):
            attribute(10, weights)
