from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.forecasts.pace import APART_MS, MOST, Marks, left_ms, per_s, with_mark


def counted(*seen: tuple[int, float]) -> Marks:
    marks: Marks = ()
    for at_ms, done in seen:
        marks = with_mark(marks, at_ms, done)
    return marks


def test_nothing_is_known_of_one_observation_or_of_a_moment() -> None:
    assert per_s((), 0) is None
    assert per_s(counted((0, 5)), 0) is None
    assert per_s(counted((0, 0), (400, 20)), 400) is None
    assert left_ms(counted((0, 0), (400, 20)), 100, 400) is None


def test_a_steady_job_has_its_pace_and_its_time() -> None:
    marks = counted(*((second * 1000, second * 92.0) for second in range(11)))
    assert per_s(marks, 10_000) == 92
    assert left_ms(marks, 920 + 92 * 6, 10_000) == 6_000
    assert left_ms(marks, 920 + 92 * 6, 12_000) == 4_000, "time that passed has passed"
    assert left_ms(marks, 920, 10_000) == 0


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    slow = [(second * 1000, float(second)) for second in range(100)]
    fast = [(100_000 + second * 1000, 100 + second * 50.0) for second in range(60)]
    assert per_s(counted(*slow, *fast), 159_000) == 50


def test_a_job_that_says_nothing_any_more_has_no_pace() -> None:
    marks = counted((0, 0), (60_000, 1), (120_000, 2))  # one a minute
    assert per_s(marks, 121_000) == 1 / 60
    assert per_s(marks, 300_000) == 1 / 60, "the next may take a little longer"
    assert per_s(marks, 400_000) is None
    assert left_ms(marks, 10, 400_000) is None


def test_counting_that_goes_backwards_or_a_clock_that_does_begins_anew() -> None:
    assert [*counted((0, 0), (5_000, 50), (6_000, 3))] == [(6_000, 3)]
    assert [*counted((5_000, 1), (4_000, 2))] == [(4_000, 2)]


def test_the_same_count_again_is_no_observation() -> None:
    assert counted((0, 0), (5_000, 5), (90_000, 5)) == ((0, 0), (5_000, 5))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1e9)), max_size=60))
def test_whatever_is_told_few_marks_are_kept_and_a_pace_is_positive(
    seen: list[tuple[int, float]],
) -> None:
    marks = counted(*sorted(seen))
    assert len(marks) <= MOST
    assert all(b[0] - a[0] >= APART_MS for a, b in zip(marks[:-2], marks[2:], strict=False))
    pace = per_s(marks, 10**6)
    assert pace is None or pace > 0
    rest = left_ms(marks, 1e9, 10**6)
    assert (rest is None) == (pace is None) and (rest is None or rest >= 0)
