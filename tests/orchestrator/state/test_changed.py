"""A frozen record with other values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.state.changed import changed
from orchestrator.state.job_state import JobState

WAITS = JobState("train.fold0", reason="turn", sentence="waits for its turn", until_ms=7)


def test_it_is_what_replacing_the_fields_gives_and_the_old_one_stays() -> None:
    runs = changed(WAITS, status="running", reason="", attempts=("run-1.train.fold0.1",))
    assert runs == replace(WAITS, status="running", reason="", attempts=("run-1.train.fold0.1",))
    assert (WAITS.status, WAITS.reason) == ("waiting", "turn")


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="JobState has no colour, size"):
        changed(WAITS, size=3, status="done", colour="red")
