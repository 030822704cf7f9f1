"""When and how a job is asked to stop at the edge of a session or a window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from budget.forecasts.edge import Ask, Piece, Tail, ask, is_worth_starting, piece, tail

MINUTE = 60_000


def test_the_tail_is_what_is_declared_until_a_stop_has_taken_longer() -> None:
    assert tail(30_000, []) == Tail(30_000, "declared grace")
    assert tail(30_000, [1_000, 24_000]) == Tail(30_000, "declared grace")
    assert tail(30_000, [1_000, 40_000]) == Tail(50_000, "measured: the longest of 2 stops")


def test_the_tail_is_inside_the_session() -> None:
    """Edge 33: validation, saving and the upload are inside the limit."""
    cut = piece(left_ms=120 * MINUTE, tail_ms=6 * MINUTE, teardown_ms=2_000, room_ms=60 * MINUTE)
    assert cut == Piece(54 * MINUTE - 2_000, 6 * MINUTE, whole=False)
    assert cut.limit_ms + cut.tail_ms + 2_000 == 60 * MINUTE


def test_what_fits_is_not_cut() -> None:
    assert piece(10 * MINUTE, MINUTE, 2_000, None) == Piece(10 * MINUTE, MINUTE, whole=True)
    exactly = 11 * MINUTE + 2_000
    assert piece(10 * MINUTE, MINUTE, 2_000, exactly).whole
    assert not piece(10 * MINUTE, MINUTE, 2_000, exactly - 1).whole


def test_a_session_shorter_than_its_tail_leaves_no_time_to_work() -> None:
    """Edge 47: the longest session is shorter than the tail."""
    cut = piece(60 * MINUTE, 10 * MINUTE, 2_000, 9 * MINUTE)
    assert cut.limit_ms < 0
    assert not is_worth_starting(cut.limit_ms, cut.tail_ms, [])


def test_a_piece_has_room_for_an_epoch_and_for_more_than_its_end() -> None:
    assert is_worth_starting(5 * MINUTE, MINUTE, [])
    assert not is_worth_starting(MINUTE - 1, MINUTE, [])
    assert not is_worth_starting(5 * MINUTE, MINUTE, [6 * MINUTE])
    # Epochs of long ago say nothing: the last three do.
    assert is_worth_starting(5 * MINUTE, MINUTE, [9 * MINUTE, *[4 * MINUTE] * 3])


def when(policy: str, *, limit_end: int, last: int, epochs: list[int]) -> Ask | None:
    return ask(
        policy,  # type: ignore[arg-type]
        limit_end_ms=limit_end * MINUTE,
        last_epoch_end_ms=last * MINUTE,
        epoch_ms=[epoch * MINUTE for epoch in epochs],
    )


def test_park_is_asked_for_where_the_tail_begins_and_hard_stop_never() -> None:
    """Edge 44: exhaustion in mid-epoch, with the policy that the plan names."""
    assert when("park", limit_end=54, last=50, epochs=[10]) == Ask(54 * MINUTE, "step")
    assert when("hard-stop", limit_end=54, last=50, epochs=[10]) is None


def test_an_epoch_is_the_last_one_when_the_one_after_it_would_not_end_in_time() -> None:
    assert when("finish-epoch", limit_end=54, last=30, epochs=[12, 10, 10]) is None
    assert when("finish-epoch", limit_end=49, last=30, epochs=[12, 10, 10]) == Ask(
        30 * MINUTE, "epoch"
    )


def test_the_first_epoch_is_no_measure_where_there_is_another() -> None:
    assert when("finish-epoch", limit_end=51, last=30, epochs=[90, 10]) is None
    assert when("finish-epoch", limit_end=51, last=30, epochs=[10]) is None
    assert when("finish-epoch", limit_end=49, last=30, epochs=[10]) == Ask(30 * MINUTE, "epoch")


def test_an_epoch_that_will_not_end_in_time_is_parked_in_its_middle() -> None:
    assert when("finish-epoch", limit_end=39, last=30, epochs=[10, 10]) == Ask(39 * MINUTE, "step")
    assert when("finish-epoch", limit_end=39, last=0, epochs=[]) == Ask(39 * MINUTE, "step")


@given(
    epoch=st.integers(1, 50),
    limit_end=st.integers(51, 500),
    tail_ms=st.integers(1, 50),
)
def test_epochs_of_even_length_all_end_before_the_tail_and_none_is_left_out(
    epoch: int, limit_end: int, tail_ms: int
) -> None:
    done, asked = 0, False
    while not asked:
        end = (done + 1) * epoch  # of the epoch that runs now
        found = ask(
            "finish-epoch",
            limit_end_ms=limit_end,
            last_epoch_end_ms=done * epoch,
            epoch_ms=[epoch] * max(1, done),
        )
        assert found is None or found.how == "epoch"
        asked = found is not None
        assert end <= limit_end
        done += 1
    assert (done + 1) * epoch > limit_end
