"""Three hundred weeks in which everything goes wrong that can, each drawn from its seed.

What goes wrong: `orchestrator.simulation.misfortunes`. What must hold all the same, after each
round and at the end: `orchestrator.simulation.invariants`. The edge cases that they live through:

Edge 3: clocks that step back. Edge 4: and forward, past a reset and back again.
Edge 5: machines that sleep, with their jobs or without them.
Edge 12: a death after the launch and before anybody noted it. Edge 13: jobs that end while no
scheduler lives. Edge 14: both die. Edge 16: events are kept once, with their notices.
Edge 19: no second copy of a live orphan. Edge 20: lost polls start nothing anew.
Edge 22: cancels of what has ended, is queued, or is being cancelled.
Edge 35: a death after the result and before it was noted. Edge 41: an engine that refuses.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from orchestrator.simulation.admitted import InvariantBroken
from orchestrator.simulation.soak import Soaked, render, soak
from orchestrator.simulation.week import FaultWeek, replay_command

WEEKS = 300
SHARE = 20
"""Weeks in one test: a failing one is named by its seed, not by its test."""

lived: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A scheduler in trouble has much to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, WEEKS, SHARE))
def test_whatever_goes_wrong_no_invariant_breaks(first: int) -> None:
    found = soak(range(first, first + SHARE))
    lived.update(found.happened)
    assert not found.broken, render(found)
    assert found.admitted > SHARE


def test_the_weeks_are_as_bad_as_they_are_meant_to_be() -> None:
    """Else all of the above would hold of a scheduler that nothing ever happened to."""
    happened = lived or soak(range(WEEKS // 4)).happened
    wanted = {
        "account changed",
        "answer lost",
        "answer to a rule",
        "baseline chosen",
        "cancel",
        "clock back",
        "clock forward",
        "devices given",
        "hold",
        "jobs suspended",
        "ledger disk full",
        "line doubled",
        "line late",
        "lines swapped",
        "node died",
        "pause",
        "poll lost",
        "reading over",
        "reading under",
        "release",
        "retry",
        "scheduler killed",
        "scheduler restarted",
        "second scheduler",
        "started ahead",
        "store disk full",
        "store lost",
        "submission lost",
        "submission refused",
        "suspended",
        "worker crashed",
        "zombie line",
    }
    wanted |= {"resume", "resume of a run that had ended"}
    assert wanted <= {kind for kind, times in happened.items() if times}


def test_a_seed_lives_the_same_week_twice() -> None:
    weeks = [FaultWeek(7), FaultWeek(7)]
    for week in weeks:
        week.live()
    first, second = ([*week.world.houses[0].store.events()] for week in weeks)
    assert first == second
    assert weeks[0].happened == weeks[1].happened


def test_a_broken_week_names_the_command_that_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: FaultWeek) -> None:
        raise InvariantBroken("nothing holds")

    monkeypatch.setattr("orchestrator.simulation.invariants.Invariants.after_round", breaks)
    found = soak([4711])
    assert replay_command(4711) in found.broken[4711]
    assert "skint simulate --faults --seed 4711" in render(found)
    assert "1 broken invariants" in render(found)


def test_what_a_week_raises_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: FaultWeek) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("orchestrator.simulation.invariants.Invariants.after_round", breaks)
    found = soak([3, 4])
    assert sorted(found.broken) == [3, 4]
    assert "KeyError" in found.broken[3]


def test_weeks_add_up() -> None:
    one = Soaked(1, 10, 2.0, 3, Counter(a=1), {1: "x"})
    one.add(Soaked(2, 20, 3.0, 4, Counter(a=1, b=2), {5: "y"}))
    assert one == Soaked(3, 30, 5.0, 7, Counter(a=2, b=2), {1: "x", 5: "y"})
