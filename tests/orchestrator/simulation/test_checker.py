"""The checker is checked: deliberate bugs, one at a time, must break an invariant of CI's weeks."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from orchestrator.simulation.soak import soak
from tests.orchestrator.simulation import mutants_of_ledger, mutants_of_scheduler

MUTANTS = {**mutants_of_ledger.MUTANTS, **mutants_of_scheduler.MUTANTS}

SEEDS = range(300)
"""Of CI's weeks. All but a few bugs are found in the first ten."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_there_are_enough_bugs() -> None:
    assert len(MUTANTS) >= 20


def test_the_weeks_hold_without_them() -> None:
    """Else anything would break an invariant."""
    assert soak(range(5)).broken == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bug_breaks_an_invariant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    for seed in SEEDS:
        broken = soak([seed]).broken
        if broken:
            what = broken[seed].splitlines()[0]
            print(f"{name}: caught by seed {seed}: {what}")
            return
    pytest.fail(f"{name} escapes {len(SEEDS)} weeks")
