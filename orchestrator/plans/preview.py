"""What would happen if a graph were submitted now, and why: pure, and it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from budget.forecasts.forecast import OVER, Forecast, from_history
from orchestrator.forecasts.forecasting import forecast_planned
from orchestrator.forecasts.history import CPU, History, Kind
from orchestrator.graph import Graph, Job
from orchestrator.plans.keys import job_key
from orchestrator.plans.reasons import NOTHING_KEPT, KeptPast, while_it_needs, why_it_runs
from orchestrator.state.state import Result, RunState, State


@dataclass(frozen=True)
class Expectation:
    """What becomes of one job."""

    job: Job
    what: Literal["runs", "reused", "left out"]
    why: str
    key: str | None
    """None while it depends on results that are not there yet."""
    result: Result | None = None
    forecast: Forecast = OVER
    """How long it will run; nothing where it does not."""
    digest: str | None = None
    """Of its output, as far as it can be known: a result whose files are gone will be made again as
    it was, so that what was paid for on top of it is not counted twice."""

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
    wrong_with: Callable[[str], str] = lambda _: "",
    history: History | None = None,
    kind_for: Callable[[Job], Kind | None] = lambda _: None,
    past: KeptPast = NOTHING_KEPT,
) -> tuple[Expectation, ...]:
    """One expectation for each job, in the graph's order.

    `kind_for` says which devices an accelerator job would get; where that is not known, neither is
    its time. `wrong_with` says why an earlier result cannot be used, empty where it can.
    """
    expected: dict[str, Expectation] = {}
    before = _last_run(graph, state)
    history = (history or History()).update(state)
    for job in graph.jobs:
        found = _expect(job, graph, state, expected, past, cpu_only, again, wrong_with)
        if found.what == "runs":
            kind = kind_for(job) if job.devices else CPU
            forecast = forecast_planned(graph, job, history, kind)
            found = replace(found, forecast=_or_last_time(job, forecast, before))
        expected[job.id] = found
    return tuple(expected.values())


def _or_last_time(job: Job, forecast: Forecast, before: RunState | None) -> Forecast:
    """CPU work of which nothing better is known takes about as long as it did the last time."""
    last_ms = None if job.devices else _last_wall_ms(job, before)
    if forecast.source != "unknown" or last_ms is None or before is None:
        return forecast
    return from_history([last_ms], f"{job.id} in {before.name}")


def _last_run(graph: Graph, state: State) -> RunState | None:
    same = [run for run in state.runs.values() if run.graph.name == graph.name]
    return max(same, key=lambda run: run.submitted_ms, default=None)


def _expect(
    job: Job,
    graph: Graph,
    state: State,
    expected: dict[str, Expectation],
    past: KeptPast,
    cpu_only: bool,
    again: bool,
    wrong_with: Callable[[str], str],
) -> Expectation:
    left_out = [need for need in job.needs if expected[need].what == "left out"]
    if cpu_only and (job.devices or left_out):
        why = "needs an accelerator" if job.devices else f"needs {left_out[0]}"
        return Expectation(job, "left out", f"{why} (--cpu-only)", None)
    digests: dict[str, str] = {}
    for name in graph.ancestors(job.id):
        digest = expected[name].digest
        if digest is None:
            return Expectation(
                job,
                "runs",
                while_it_needs(graph.job(name).group, job, graph.base, state, past),
                None,
            )
        if not graph.job(name).smoke:
            digests[name] = digest
    key = job_key(job.static_key, digests)
    result = state.results.get(key)
    if result is not None and (wrong := wrong_with(result.out)):
        why = f"{result.job} of {result.run} cannot be used: {wrong}"
        return Expectation(job, "runs", why, key, digest=result.digest)
    if result is None:
        return Expectation(
            job, "runs", why_it_runs(job, key, digests, graph.base, state, past), key
        )
    if again and graph.runs_again(job):
        return Expectation(job, "runs", f"done in {result.run}, asked for again", key)
    return Expectation(job, "reused", f"same as in {result.run}", key, result, digest=result.digest)


def _last_wall_ms(job: Job, before: RunState | None) -> int | None:
    if before is None or job.id not in before.jobs:
        return None
    done = before.jobs[job.id]
    attempt = before.attempts.get(done.result_of)
    if attempt is None or attempt.started_ms is None or attempt.ended_ms is None:
        return done.saved_ms or None
    return attempt.ended_ms - attempt.started_ms
