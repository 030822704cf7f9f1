"""The search for the largest batch: few tries, and only what was tried is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.probe.search import MULTIPLE, largest


@given(limit=st.integers(2, 3000), first=st.integers(2, 64), most=st.integers(2, 2048))
def test_what_is_found_was_tried_fits_and_is_near_the_limit(
    limit: int, first: int, most: int
) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= limit

    found = largest(fits, first, most)
    assert found is not None and found in tried
    assert found <= min(limit, most)
    assert found == most or found > limit - 2 * MULTIPLE
    assert max(tried) <= most
    assert len(tried) <= 20


def test_nothing_fits() -> None:
    assert largest(lambda _: False, 16, 512) is None


@pytest.mark.parametrize(("limit", "found"), [(512, 512), (511, 504), (100, 96), (3, 2)])
def test_from_sixteen(limit: int, found: int) -> None:
    assert largest(lambda batch: batch <= limit, 16, 512) == found
