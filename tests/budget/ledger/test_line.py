from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.ledger.line import Charge, Reservation, Span


@given(
    start_ms=st.integers(0, 10**6),
    length_ms=st.integers(0, 10**6),
    rate_milli=st.integers(1, 8_000),
    extra_ms=st.integers(0, 100),
    cuts=st.lists(st.integers(-10, 2 * 10**6 + 10), max_size=8),
)
def test_a_span_cut_anywhere_adds_up_to_its_amount(
    start_ms: int, length_ms: int, rate_milli: int, extra_ms: int, cuts: list[int]
) -> None:
    """Edge 6: to the millisecond, however many resets there are in it."""
    amount_ms = -(-rate_milli * length_ms // 1_000) + extra_ms
    span = Span(start_ms, start_ms + length_ms, rate_milli, amount_ms)
    edges = [-1, *sorted(cuts), 3 * 10**6]
    pieces = [span.between(a, b) for a, b in pairwise(edges)]
    assert sum(pieces) == span.amount_ms
    assert min(pieces) >= 0


def test_what_a_part_used_is_the_rate_times_its_time_rounded_down() -> None:
    span = Span(1000, 3000, 1_190, 2380)
    assert [span.before(at) for at in (1000, 1001, 1100, 2000, 2999, 3000)] == [
        0, 1, 119, 1190, 2378, 2380,
    ]  # fmt: skip


@given(
    length_ms=st.integers(1, 10**5),
    rate_milli=st.integers(1, 8_000),
    part=st.floats(0.001, 1),
    at_ms=st.integers(0, 10**5 + 10),
)
def test_a_refund_never_takes_back_what_was_not_used_there(
    length_ms: int, rate_milli: int, part: float, at_ms: int
) -> None:
    """Edge 43: neither week of a charge that spans a reset ends below nothing."""
    amount_ms = -(-rate_milli * length_ms // 1_000)
    span = Span(0, length_ms, rate_milli, amount_ms)
    charge = Charge.replacing(reservation(), kind="settled", span=span, at_ms=0)
    back_ms = max(1, int(amount_ms * part))
    refund = charge.refunded("r", -back_ms, 7, "why")
    assert refund.span.before(10**6) == -back_ms
    assert span.before(at_ms) + refund.span.before(at_ms) >= 0
    assert span.between(at_ms, 10**6) + refund.span.between(at_ms, 10**6) >= 0


def test_a_booking_at_one_instant_counts_from_that_instant() -> None:
    span = Span(1000, 1000, 0, -7)
    assert (span.before(1000), span.before(1001)) == (0, -7)


def reservation(**changed: int | None) -> Reservation:
    values: dict[str, int | str | None] = {
        "devices": 2,
        "machine": "",
        "rate_milli": 2_000,
        "step_ms": 1,
        "minimum_ms": 0,
        "amount_ms": 1001,
        "reserved_at_ms": 0,
        "expires_ms": None,
        "start_ms": 100,
        "closed_ms": None,
    }
    return Reservation("a", "acc", "run", **{**values, **changed})  # type: ignore[arg-type]


def test_what_is_in_flight_grows_with_the_devices_up_to_the_reservation() -> None:
    started = reservation()
    assert [started.in_flight_ms(now) for now in (0, 100, 101, 600, 601, 10**9)] == [
        0, 0, 2, 1000, 1001, 1001,
    ]  # fmt: skip
    assert started.deadline_ms == 601
    assert reservation(start_ms=None).in_flight_ms(10**9) == 0


@pytest.mark.parametrize(
    ("ran_ms", "cost_ms"), [(0, 60_000), (1, 60_000), (60_000, 60_000), (60_001, 120_000)]
)
def test_a_session_is_billed_in_whole_steps_and_at_least_the_minimum(
    ran_ms: int, cost_ms: int
) -> None:
    """Edge 28: zero length, less than a second, a provider's minimum charge and rounding up."""
    made = reservation(rate_milli=1_000, step_ms=60_000, minimum_ms=60_000)
    assert made.used(100, 100 + ran_ms).amount_ms == cost_ms


def test_a_fraction_of_a_weighted_millisecond_is_rounded_up() -> None:
    """Edge 27: a fraction of a device costs its fraction, never less."""
    assert reservation(rate_milli=333).used(0, 10).amount_ms == 4
    assert reservation(rate_milli=333, amount_ms=4).deadline_ms == 100 + 13


def test_a_started_reservation_expires_no_earlier_than_its_deadline() -> None:
    assert not reservation(expires_ms=200).expired(600)
    assert reservation(expires_ms=200).expired(601)
    assert not reservation(expires_ms=700).expired(699)
    assert reservation(expires_ms=200, start_ms=None).expired(200)
    assert not reservation(expires_ms=200, closed_ms=150).expired(10**9)
    assert not reservation().expired(10**15)
