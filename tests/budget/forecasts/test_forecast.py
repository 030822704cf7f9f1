"""Forecasts from epochs and from history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.duration import HOUR_MS
from budget.forecasts.forecast import OVER, from_epochs, from_history, unknown


def test_the_first_epoch_does_not_count_for_the_rate() -> None:
    """Edge 52: the first epoch is slow (it compiles, and fills caches)."""
    slow = from_epochs([90_000, 10_000], 12)
    assert slow.likely_ms == 100_000
    assert slow.low_ms < slow.likely_ms < slow.high_ms < 150_000
    assert slow.basis == "2 epochs of its own" and slow.source == "own-epochs"


def test_a_single_epoch_counts_with_a_wider_range_than_two() -> None:
    """Edge 52: nothing but the first epoch is there."""
    one, two = from_epochs([10_000], 11), from_epochs([10_000, 10_000], 11)
    assert 80_000 < one.likely_ms < 100_000
    assert one.high_ms / one.likely_ms > two.high_ms / two.likely_ms
    assert one.low_ms / one.likely_ms < two.low_ms / two.likely_ms
    assert one.basis == "1 epoch of its own"


def test_a_stall_widens_the_range_and_moves_the_likely_figure_little() -> None:
    """Edge 53: an epoch that took ten times as long."""
    calm = from_epochs([10_000] * 6, 12)
    stalled = from_epochs([10_000, 10_000, 10_000, 100_000, 10_000, 10_000], 12)
    assert stalled.likely_ms == calm.likely_ms == 60_000
    assert stalled.high_ms > 2 * calm.high_ms
    assert stalled.low_ms < calm.low_ms


def test_a_pace_that_changed_for_good_is_followed_after_two_epochs() -> None:
    """Edge 53: a neighbour came, and stayed."""
    once = from_epochs([10_000] * 5 + [20_000], 12)
    twice = from_epochs([10_000] * 5 + [20_000, 20_000], 12)
    assert once.likely_ms == 60_000
    assert twice.likely_ms == 100_000
    faster = from_epochs([20_000] * 5 + [10_000, 11_000], 12)
    assert faster.likely_ms == 52_500


def test_an_epoch_that_is_late_moves_only_the_far_end() -> None:
    """Edge 53: nothing is heard for longer than an epoch takes."""
    epochs = [10_000, 10_000, 10_000]
    on_time, late = (from_epochs(epochs, 6, since_ms=since) for since in (4_000, 70_000))
    assert on_time.likely_ms == 26_000
    assert late.likely_ms == 20_000
    assert late.high_ms == from_epochs(epochs, 6, since_ms=10_000).high_ms + 60_000
    assert "late" in late.basis and "late" not in on_time.basis


def test_epochs_of_no_length_at_all_are_no_crash() -> None:
    """Edge 53: a program reports its epochs all at once."""
    assert from_epochs([0, 0, 0], 6).high_ms == 0


def test_all_epochs_are_the_worst_case_where_others_stopped_early() -> None:
    """Edge 54: with an early stop the number of epochs is an upper bound."""
    full = from_epochs([10_000] * 4, 20)
    early = from_epochs([10_000] * 4, 20, ended_after=[8, 10, 12])
    assert full.likely_ms == 160_000
    assert early.likely_ms == 60_000
    assert early.high_ms == full.high_ms
    assert early.low_ms < 40_000
    beyond = from_epochs([10_000] * 9, 20, ended_after=[4, 4, 4])
    assert (beyond.low_ms, beyond.likely_ms) == (0, 0) and beyond.high_ms > 110_000


def test_the_tail_comes_after_the_last_epoch() -> None:
    """Edge 33: validation, saving and upload come after the last epoch."""
    assert from_epochs([10_000] * 12, 12, tail_ms=7_000).likely_ms == 7_000
    assert from_epochs([10_000] * 11, 12, tail_ms=7_000).likely_ms == 17_000


def test_more_epochs_of_its_own_make_the_range_narrower() -> None:
    def width(forecasts: int) -> float:
        found = from_epochs([10_000] * forecasts, 30)
        return (found.high_ms - found.low_ms) / found.likely_ms

    assert width(2) > width(4) > width(12)


def test_no_epoch_and_no_history_are_refused() -> None:
    with pytest.raises(ValueError, match="epoch"):
        from_epochs([], 12)
    with pytest.raises(ValueError, match="history"):
        from_history([], "resnet18")


def test_history_is_as_wide_as_the_runs_differ_and_never_certain() -> None:
    one = from_history([HOUR_MS], "resnet18 at 224 px")
    same = from_history([HOUR_MS] * 8, "resnet18")
    mixed = from_history([HOUR_MS, HOUR_MS // 2, 2 * HOUR_MS], "resnet18")
    assert one.likely_ms == same.likely_ms == mixed.likely_ms == HOUR_MS
    assert mixed.high_ms > one.high_ms > same.high_ms > HOUR_MS
    assert mixed.low_ms < one.low_ms < same.low_ms < HOUR_MS
    assert one.basis == "1 run of resnet18 at 224 px"
    assert same.basis == "8 runs of resnet18"
    assert from_history([HOUR_MS], "it", most_ms=9 * HOUR_MS).high_ms == 9 * HOUR_MS


def test_the_unknown_counts_with_its_limit() -> None:
    """Edge 52: no history."""
    found = unknown(2 * HOUR_MS)
    assert (found.low_ms, found.likely_ms, found.high_ms) == (0, 2 * HOUR_MS, 2 * HOUR_MS)
    assert found.basis == "unknown: reserving limit 2.00 h"
    assert unknown(None).basis == "unknown"


def test_time_that_passes_is_taken_off_and_never_below_nothing() -> None:
    found = from_history([10_000], "it").after(9_000)
    assert found.low_ms == 0 and found.likely_ms == 1_000 and found.high_ms > 1_000
    assert OVER.after(1) == OVER


@given(
    epoch_ms=st.lists(st.integers(0, 10**9), min_size=1, max_size=30),
    epochs=st.integers(0, 60),
    tail_ms=st.integers(0, 10**7),
    since_ms=st.integers(0, 10**10),
    ended_after=st.lists(st.integers(0, 60), max_size=5),
)
def test_the_likely_figure_is_always_inside_the_range_and_nothing_is_negative(
    epoch_ms: list[int], epochs: int, tail_ms: int, since_ms: int, ended_after: list[int]
) -> None:
    """Edge 53 and 54: whatever is reported, the forecast is a forecast."""
    found = from_epochs(
        epoch_ms, epochs, tail_ms=tail_ms, since_ms=since_ms, ended_after=ended_after
    )
    assert tail_ms <= found.low_ms <= found.likely_ms <= found.high_ms
    whole = from_history(epoch_ms, "it")
    assert 0 <= whole.low_ms <= whole.likely_ms <= whole.high_ms
