"""The head of a long run follows at a distance, and is not forgotten."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.events.events import AttemptStarted
from orchestrator.graph import Graph, Job
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State
from orchestrator.words.announce import late_heads, notices
from orchestrator.words.outside import Outside
from orchestrator.words.pacing import FEW, JOB_MS, Pacing


def run_of(count: int, name: str = "long-1") -> RunState:
    jobs = tuple(Job(f"j{n}", f"j{n}") for n in range(count))
    known = {one.id: JobState(one.id) for one in jobs}
    return RunState(name, Graph("long", None, "/plans", jobs), 0, jobs=known)


def started(at_ms: int, run: str = "long-1") -> AttemptStarted:
    return AttemptStarted(at_ms=at_ms, run=run, attempt=f"{run}.j0.1", started_ms=at_ms)


def heads(state: State, at_ms: int, pacing: Pacing) -> int:
    found = notices([started(at_ms)], state, pacing=pacing)
    return sum(notice.topic == "head" for _, notice in found)


def test_of_a_run_of_few_jobs_each_change_is_told() -> None:
    state, pacing = State({"long-1": run_of(FEW)}), Pacing()
    assert [heads(state, at_ms, pacing) for at_ms in (1, 2, 3)] == [1, 1, 1]
    assert not pacing.keeps_back


def test_of_a_long_run_the_head_is_told_now_and_then_and_what_was_kept_back_later() -> None:
    state, pacing, apart_ms = State({"long-1": run_of(1000)}), Pacing(), 1000 * JOB_MS
    told = [heads(state, at_ms, pacing) for at_ms in range(0, 3 * apart_ms, apart_ms // 4)]
    assert told == [1, 0, 0, 0] * 3
    last_ms = 2 * apart_ms
    assert pacing.next_ms(state) == last_ms + apart_ms
    outside = Outside()
    early = late_heads(state, last_ms + apart_ms - 1, lambda accounts: {}, outside, pacing)
    late = late_heads(state, last_ms + apart_ms, lambda accounts: {}, outside, pacing)
    assert (len(early), [notice.topic for _, notice in late]) == (0, ["head"])
    assert not pacing.keeps_back and pacing.next_ms(state) is None


def test_the_last_head_is_told_at_once_and_a_clock_that_was_set_back_silences_nothing() -> None:
    run = run_of(1000)
    state, pacing = State({"long-1": run}), Pacing()
    assert heads(state, 9_000_000, pacing) == 1
    assert heads(state, 1, pacing) == 1
    assert heads(state, 2, pacing) == 0
    over = State({"long-1": replace(run, outcome="done", ended_ms=3)})
    assert heads(over, 3, pacing) == 1
    assert not pacing.keeps_back
