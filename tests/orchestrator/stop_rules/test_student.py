"""Student's t without scipy, against scipy's."""

from __future__ import annotations

import pytest
from scipy.stats import t as students

from orchestrator.stop_rules.student import student_cdf


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 6, 7, 12, 31])
def test_it_is_scipys_distribution(freedom: int) -> None:
    for tenths in range(-300, 301, 7):
        wanted = float(students.cdf(tenths / 10, freedom))
        assert student_cdf(tenths / 10, freedom) == pytest.approx(wanted, rel=1e-9, abs=1e-14)


def test_no_freedom_is_no_distribution() -> None:
    with pytest.raises(ValueError, match="not 0"):
        student_cdf(1.0, 0)
