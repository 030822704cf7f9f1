"""What the end of a worker or of a program means."""

from __future__ import annotations

import pytest

from skint.attempt import EXIT_STOPPED, EXIT_UNSAVED, StopRequest
from skint.watch import Watch, exit_reason

TERM = 143
ASKED = Watch(asked_s=1.0)
EPOCH = Watch(request=StopRequest("epoch", "requeue", "paused"))


@pytest.mark.parametrize("code", [1, 2, 6, EXIT_UNSAVED, EXIT_STOPPED, 130, 141, TERM])
def test_the_codes_of_a_program_that_nobody_told_to_stop_are_its_own(code: int) -> None:
    assert exit_reason(code, Watch(), program=True) == "failed"


@pytest.mark.parametrize("watch", [ASKED, EPOCH, Watch(terminated=True)])
def test_a_program_that_was_told_to_stop_says_with_75_that_it_has(watch: Watch) -> None:
    assert exit_reason(EXIT_STOPPED, watch, program=True) == "stopped"


def test_a_worker_has_that_code_only_because_it_was_told() -> None:
    assert exit_reason(EXIT_STOPPED, Watch(), program=False) == "stopped"


def test_only_a_program_may_have_finished_or_stopped_with_0_nobody_knows() -> None:
    assert exit_reason(0, ASKED, program=True) == "stopped"
    assert exit_reason(0, ASKED, program=False) == "done"
    assert exit_reason(0, EPOCH, program=True) == "done"


def test_who_ended_it_is_known_by_what_was_done() -> None:
    limit = Watch(asked_s=1.0, by_deadline=True)
    assert exit_reason(TERM, limit, program=True) == "deadline"
    assert exit_reason(137, Watch(asked_s=1.0, killed=True), program=True) == "killed"
    assert exit_reason(3, limit, program=True) == "failed"
