"""What is seen of several attempts, as what is seen of the submission that has them."""

from __future__ import annotations

import pytest

from orchestrator.executors.base import AttemptSight, Condition
from orchestrator.executors.together import observation
from skint.attempt import Exit


def ended(start_ms: int, end_ms: int) -> AttemptSight:
    return AttemptSight("ended", start_ms, Exit(0, "done", start_ms, end_ms))


RUNS = AttemptSight("running", 5)
ABSENT = AttemptSight("absent")


@pytest.mark.parametrize(
    ("sights", "condition", "times"),
    [
        ((ended(5, 9),), "ended", (5, 9)),
        ((ended(5, 9), ended(6, 7)), "ended", (5, 9)),
        ((ended(5, 9), RUNS), "running", (5, None)),
        ((RUNS, ABSENT), "running", (5, None)),  # the second is still to be started
        ((ended(5, 9), ABSENT), "running", (5, None)),
        ((ABSENT, ABSENT), "absent", (None, None)),
        ((ended(5, 9), AttemptSight("lost", 6, lost_ms=20)), "lost", (5, 20)),
        ((ended(5, 9), AttemptSight("lost", 6)), "lost", (5, None)),
        ((RUNS, AttemptSight("unknown", 6)), "unknown", (5, None)),
        ((AttemptSight("pending"), RUNS), "running", (5, None)),
    ],
)
def test_devices_are_kept_from_the_first_start_to_the_last_end(
    sights: tuple[AttemptSight, ...], condition: Condition, times: tuple[int | None, int | None]
) -> None:
    seen = observation({f"a{n}": sight for n, sight in enumerate(sights)})
    assert (seen.condition, (seen.started_ms, seen.ended_ms)) == (condition, times)
    assert list(seen.attempts.values()) == list(sights)
