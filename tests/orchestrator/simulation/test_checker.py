"""The checker is checked: deliberate bugs, one at a time, must break an invariant of CI's weeks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain

import pytest

from orchestrator.simulation.soak import soak
from tests.orchestrator.simulation import mutants_of_ledger, mutants_of_scheduler

MUTANTS = {**mutants_of_ledger.MUTANTS, **mutants_of_scheduler.MUTANTS}

SEEDS = range(300)
"""Of CI's weeks. All but a few bugs are found in the first ten."""
TELLING = {
    "requeues_twice": 7,
    "takes_an_ended_attempt_for_a_live_one": 7,
    "admits_without_a_reservation": 9,
    "starts_before_the_reservation": 9,
    "relaunches_on_silence": 11,
    "runs_a_job_beside_itself": 14,
    "frees_at_expiry": 16,
    "never_expires": 16,
    "lets_the_less_important_go_first": 17,
    "loses_remainders": 17,
    "resets_twice_when_clocks_change": 17,
    "begins_groups_that_cannot_finish": 34,
    "keeps_offsets_before_events": 40,
    "settles_twice": 42,
}
"""The seed that last found a bug which takes long: tried first. When weeks come to be drawn in
another way this only costs time."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_there_are_enough_bugs() -> None:
    assert len(MUTANTS) >= 20


def test_the_weeks_hold_without_them() -> None:
    """Else anything would break an invariant; that the others of them hold: `test_weeks.py`."""
    assert soak(range(5)).broken == {}
    assert {*TELLING} <= {*MUTANTS} and {*TELLING.values()} <= {*SEEDS}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bug_breaks_an_invariant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    for seed in chain([TELLING.get(name, 0)], SEEDS):
        broken = soak([seed]).broken
        if broken:
            what = broken[seed].splitlines()[0]
            print(f"{name}: caught by seed {seed}: {what}")
            return
    pytest.fail(f"{name} escapes {len(SEEDS)} weeks")
