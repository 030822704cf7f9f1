"""What a run's record remembers of itself is what it would work out again."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import chain, cycle

from orchestrator.events.events import JobWaited, MetricsReported, RunSubmitted
from orchestrator.graph import Graph, Job
from orchestrator.simulation.week import FaultWeek
from orchestrator.state.projection import apply, apply_all
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


def test_many_that_say_why_they_wait_do_so_as_one_by_one() -> None:
    jobs = tuple(Job(f"train.{n}", "train", uses="train", devices=1) for n in range(600))
    submitted = RunSubmitted(at_ms=1, run="r", graph=Graph("r", "lab", "/", jobs).to_json())
    told = [
        JobWaited(at_ms=2, run="r", job=job.id, reason="turn", sentence=job.id, until_ms=until_ms)
        for job, until_ms in zip((*jobs, *jobs[:3]), cycle((None, 9)), strict=False)
    ]
    before = apply(State(), submitted)
    assert len(before.runs["r"].untold) == 600  # known, so that what follows has to follow
    one_by_one = reduce(apply, told, before)
    at_once = apply_all(before, told)
    assert at_once == one_by_one
    for name in SELECTIONS:
        found = [tuple(getattr(state.runs["r"], name)) for state in (at_once, one_by_one)]
        assert found[0] == found[1], name
