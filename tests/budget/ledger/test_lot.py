from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from budget.ledger.lot import Lot, lots_left
from budget.windows.base import NoUsage
from tests.budget.usages import Used, used


def lot(id: str, amount_ms: int, granted_ms: int, expires_ms: int | None) -> Lot:
    return Lot(id, "colab", amount_ms, granted_ms, expires_ms, "bought", granted_ms)


OLD = lot("old", 100, 0, 1_000)
NEW = lot("new", 100, 500, 2_000)
KEPT = lot("kept", 100, 0, None)


def test_the_lot_that_expires_first_is_spent_first() -> None:
    left = lots_left([KEPT, NEW, OLD], used((600, 750)), 800)
    assert left.left_ms == {"old": 0, "new": 50, "kept": 100}
    assert (left.free_ms, left.debt_ms, left.expired_ms) == (150, 0, 0)


def test_only_lots_that_live_at_the_time_of_use_are_spent() -> None:
    left = lots_left([OLD, NEW], used((400, 450), (1_500, 1_530)), 1_600)
    assert left.left_ms == {"new": 70}
    assert left.expired_ms == 50


def test_a_use_across_an_expiry_is_split_at_the_instant() -> None:
    """Edge 6: the part before is the old lot's, the part after the next one's."""
    left = lots_left([OLD, NEW], used((970, 1_040)), 1_100)
    assert (left.left_ms, left.expired_ms) == ({"new": 60}, 70)


def test_an_expired_rest_is_gone_at_the_instant_of_its_expiry() -> None:
    assert lots_left([OLD], NoUsage(), 999).free_ms == 100
    gone = lots_left([OLD], NoUsage(), 1_000)
    assert (gone.left_ms, gone.free_ms, gone.expired_ms) == ({}, 0, 100)


def test_a_lot_is_there_from_the_instant_of_its_grant() -> None:
    assert lots_left([NEW], NoUsage(), 499).left_ms == {}
    assert lots_left([NEW], NoUsage(), 500).left_ms == {"new": 100}


def test_a_debt_is_carried_to_the_next_lots() -> None:
    """Edges 30 and 40: less than nothing is left, it is not cut off, and the next lot pays it."""
    before = lots_left([OLD], used((100, 250)), 400)
    assert (before.left_ms, before.debt_ms, before.free_ms) == ({"old": 0}, 50, -50)
    after = lots_left([OLD, NEW], used((100, 250)), 600)
    assert (after.left_ms, after.debt_ms, after.free_ms) == ({"old": 0, "new": 50}, 0, 50)
    two = lots_left([lot("a", 20, 300, None), lot("b", 20, 350, None)], used((0, 30)), 400)
    assert (two.left_ms, two.debt_ms) == ({"a": 0, "b": 10}, 0)


def test_use_before_any_lot_is_a_debt() -> None:
    assert lots_left([], used((0, 10)), 20).free_ms == -10


def test_what_is_given_back_pays_the_debt_then_fills_the_live_lots_and_never_beyond() -> None:
    paid = lots_left([OLD], Used(((100, 250, 1), (300, 400, -1))), 450)
    assert (paid.left_ms, paid.debt_ms, paid.lost_ms) == ({"old": 50}, 0, 0)
    mark = lot("mark", 5, 760, 3_000)
    two = lots_left([OLD, NEW, mark], Used(((600, 750, 1), (800, 870, -1))), 900)
    assert two.left_ms == {"old": 20, "new": 100, "mark": 5}
    over = lots_left([OLD], Used(((100, 120, 1), (300, 400, -1))), 450)
    assert (over.left_ms, over.lost_ms) == ({"old": 100}, 80)


def test_two_lots_of_one_expiry_are_spent_in_the_order_of_their_grants() -> None:
    first, second = lot("z", 10, 0, 1_000), lot("a", 10, 5, 1_000)
    assert lots_left([second, first], used((10, 15)), 20).left_ms == {"z": 5, "a": 10}


LOTS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 1_000), st.integers(1, 1_000) | st.none()),
    max_size=6,
)
SPANS = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(1, 200), st.integers(-2, 3)), max_size=6
)


@given(LOTS, SPANS, st.integers(0, 2_500))
def test_granted_and_owed_is_used_left_and_expired(
    granted: list[tuple[int, int, int | None]], spans: list[tuple[int, int, int]], now_ms: int
) -> None:
    lots = [
        lot(str(number), amount, from_ms, None if life is None else from_ms + life)
        for number, (amount, from_ms, life) in enumerate(granted)
    ]
    usage = Used(tuple((start, start + length, rate) for start, length, rate in spans))
    left = lots_left(lots, usage, now_ms)
    known = sum(each.amount_ms for each in lots if each.granted_ms <= now_ms)
    in_lots = sum(left.left_ms.values())
    spent = usage.between(0, now_ms)
    assert known + left.debt_ms == spent + left.lost_ms + in_lots + left.expired_ms
    live = {each.id for each in lots if each.granted_ms <= now_ms < each.end_ms}
    assert set(left.left_ms) == live
    assert min(left.left_ms.values(), default=0) >= 0 and left.lost_ms >= 0
    assert left.debt_ms == 0 or in_lots == 0
    assert lots_left(list(reversed(lots)), usage, now_ms) == left
