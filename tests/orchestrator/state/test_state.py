"""What a run's record remembers of itself is what it would work out again."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from orchestrator.events.events import MetricsReported
from orchestrator.simulation.week import FaultWeek
from orchestrator.state.projection import apply
from orchestrator.state.state import RunState, State

SELECTIONS = tuple(one.name for one in chain(*RunState.selections.values()))


def test_what_follows_from_a_run_is_right_after_each_event_of_a_bad_week() -> None:
    week = FaultWeek(7)
    week.live()
    seen = set()
    for house in week.world.houses:
        state = State()
        for _, event in house.store.events():
            state = apply(state, event)
            seen.add(type(event).__name__)
            for run in state.runs.values():
                anew = replace(run)
                for name in SELECTIONS:
                    assert getattr(run, name) == getattr(anew, name), (name, event)
            if isinstance(event, MetricsReported):
                attempt = state.runs[event.run].attempts[event.attempt]
                assert attempt.losses == replace(attempt).losses
            assert state.live_runs() == tuple(r for r in state.runs.values() if not r.settled)
    assert {"JobWaited", "AllocationSettled", "AttemptEnded", "JobEnded", "RunEnded"} <= seen
