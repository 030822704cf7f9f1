"""What would happen if a graph were submitted now, and why: pure, and it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from orchestrator.graph import Graph, Job
from orchestrator.plans.keys import job_key
from orchestrator.state import Result, RunState, State


@dataclass(frozen=True)
class Expectation:
    """What becomes of one job."""

    job: Job
    what: Literal["runs", "reused", "left out"]
    why: str
    key: str | None
    """None while it depends on results that are not there yet."""
    result: Result | None = None
    wall_ms: int | None = None
    """How long it took the last time; None if it never ran."""

    @property
    def reserve_ms(self) -> int:
        """Wall milliseconds that are reserved for it, grace included."""
        return self.job.wall_limit_ms if self.what == "runs" and self.job.devices else 0


def preview(
    graph: Graph,
    state: State,
    *,
    cpu_only: bool = False,
    again: bool = False,
    has_output: Callable[[str], bool] = lambda _: True,
) -> tuple[Expectation, ...]:
    """One expectation for each job, in the graph's order."""
    expected: dict[str, Expectation] = {}
    before = _last_run(graph, state)
    for job in graph.jobs:
        expected[job.id] = _expect(job, graph, state, expected, before, cpu_only, again, has_output)
    return tuple(expected.values())


def _last_run(graph: Graph, state: State) -> RunState | None:
    same = [run for run in state.runs.values() if run.graph.name == graph.name]
    return max(same, key=lambda run: run.submitted_ms, default=None)


def _expect(
    job: Job,
    graph: Graph,
    state: State,
    expected: dict[str, Expectation],
    before: RunState | None,
    cpu_only: bool,
    again: bool,
    has_output: Callable[[str], bool],
) -> Expectation:
    wall_ms = _last_wall_ms(job, before)
    left_out = [need for need in job.needs if expected[need].what == "left out"]
    if cpu_only and (job.devices or left_out):
        why = "needs an accelerator" if job.devices else f"needs {left_out[0]}"
        return Expectation(job, "left out", f"{why} (--cpu-only)", None)
    digests: dict[str, str] = {}
    for name in graph.ancestors(job.id):
        found = expected[name].result
        if found is None:
            return Expectation(job, "runs", f"needs {name}", None, wall_ms=wall_ms)
        if not graph.job(name).smoke:
            digests[name] = found.digest
    key = job_key(job.static_key, digests)
    result = state.results.get(key)
    if result is not None and not has_output(result.out):
        why = f"the files of {result.job} of {result.run} are gone"
        return Expectation(job, "runs", why, key, wall_ms=wall_ms)
    if result is None:
        return Expectation(job, "runs", _what_changed(job, before), key, wall_ms=wall_ms)
    if again and graph.runs_again(job):
        why = f"done in {result.run}, asked for again"
        return Expectation(job, "runs", why, key, wall_ms=wall_ms)
    return Expectation(job, "reused", f"same as in {result.run}", key, result, wall_ms)


def _last_wall_ms(job: Job, before: RunState | None) -> int | None:
    if before is None or job.id not in before.jobs:
        return None
    done = before.jobs[job.id]
    attempt = before.attempts.get(done.result_of)
    if attempt is None or attempt.started_ms is None or attempt.ended_ms is None:
        return done.saved_ms or None
    return attempt.ended_ms - attempt.started_ms


def _what_changed(job: Job, before: RunState | None) -> str:
    """Against the last run of the same plan."""
    if before is None or job.id not in before.graph:
        return "never done"
    old = before.graph.job(job.id)
    for name in sorted(job.params.keys() | old.params.keys()):
        was, now = old.params.get(name), job.params.get(name)
        if was != now:
            return f"{name} was {was}, is {now}"
    if old.static_key != job.static_key:
        return f"its code or files changed since {before.name}"
    if not before.jobs[job.id].has_result:
        return f"it was {before.jobs[job.id].status} in {before.name}"
    return f"its inputs changed since {before.name}"
