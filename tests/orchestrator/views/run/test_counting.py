from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.forecasts.pace import Marks
from orchestrator.state.attempt_state import AttemptState
from orchestrator.views.run.counting import counted

RUNNING = AttemptState("a-1.packed.1", "packed", 1, "", "", "local", 1, 0, status="running")


def seconds(*seen: tuple[float, float]) -> Marks:
    return tuple((round(at_s * 1000), done) for at_s, done in seen)


@pytest.mark.parametrize(
    ("progress", "marks", "now_s", "words"),
    [
        ((412, 1000), seconds((0, 136), (3, 412)), 3, "412 of 1,000 · 92/s · 7 s left"),
        ((0, 1000), (), 3, "0 of 1,000"),
        ((3, 40), seconds((0, 1), (60, 3)), 60, "3 of 40 · 2.0/min · 19 min left"),
        ((2, 9), seconds((0, 0), (7200, 2)), 7200, "2 of 9 · 1.0/h · 7.0 h left"),
        ((5, 10), seconds((0, 0), (2, 5)), 60, "5 of 10"),  # it says nothing any more
        ((5, 10), seconds((0, 0), (2, 5)), 5, "5 of 10 · 2.5/s"),  # it should be over by now
        ((10, 10), seconds((0, 0), (2, 10)), 2, "10 of 10"),
        ((2.5, 10), seconds((0, 0), (1, 2.5)), 1, "2.5 of 10 · 2.5/s · 3 s left"),
        ((5, 0), (), 1, ""),
    ],
)
def test_what_is_known_is_said_and_nothing_else(
    progress: tuple[float, float], marks: Marks, now_s: float, words: str
) -> None:
    attempt = replace(RUNNING, progress=progress, marks=marks)
    assert counted(attempt, round(now_s * 1000)) == words


def test_an_attempt_that_is_over_counts_no_more() -> None:
    over = replace(RUNNING, progress=(5, 10), marks=seconds((0, 0), (2, 5)), status="ended")
    assert counted(over, 2000) == ""
    assert counted(RUNNING, 0) == ""
