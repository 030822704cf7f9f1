"""Why a job of a plan is not reused: what differs from the nearest earlier result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.graph import Job
from orchestrator.plans.differences import Detail, Record, differences, distance, told
from orchestrator.resuming.unfinished import is_worth_its_hours
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import Result, RunState, State

NEAREST_OF = 50
"""Earlier results that are compared, the newest."""


@dataclass(frozen=True)
class KeptPast:
    """What is known of the ingredients of keys."""

    record: Callable[[str], Record | None]
    """Of a static key, this plan's or an earlier one's; None where it was not kept."""
    detail: Detail
    has_files: Callable[[str], bool] = lambda _: False
    """Whether an attempt that was interrupted has left anything in its `out/`."""


NOTHING_KEPT = KeptPast(lambda _: None, lambda _: None)


def why_it_runs(
    job: Job,
    key: str,
    inputs: Mapping[str, str],
    base: str,
    state: State,
    past: KeptPast,
) -> str:
    """A clause for a person: "size 128 → 224 since seedlings-3".

    `inputs` are the digests of its ancestors, `base` is the folder of the plan. There is no result
    of this key.
    """
    tried = _tried(key, state)
    if tried is not None:
        return _how_it_went(job, *tried, past)
    nearest = _nearest(job, inputs, base, state, past)
    if nearest is None:
        return "never done"
    run, old = nearest
    found = [*_own(job, old, past), *_other_inputs(run, old, inputs)]
    return f"{told(found)} since {run.name}" if found else f"its inputs changed since {run.name}"


def while_it_needs(need: str, job: Job, base: str, state: State, past: KeptPast) -> str:
    """As `why_it_runs`, while `need` has to run first: "needs scan; size 128 → 224 since run-3"."""
    nearest = _nearest(job, None, base, state, past)
    if nearest is None:
        return f"needs {need}"
    run, old = nearest
    own = _own(job, old, past)
    if own:
        return f"needs {need}; {told(own)} since {run.name}"
    return f"needs {need}, reused if that comes out as in {run.name}"


def _own(job: Job, old: Job, past: KeptPast) -> list[str]:
    was, now = past.record(old.static_key), past.record(job.static_key)
    if was is None or now is None:
        return _by_graph(old, job)
    return differences(was, now, past.detail)


def _tried(key: str, state: State) -> tuple[RunState, AttemptState] | None:
    """The newest attempt at the very same, which came to no result."""
    for run in reversed([*state.runs.values()]):
        if all(job.key != key for job in run.jobs.values()):
            continue  # without a look at what its attempts have reported
        for attempt in reversed([*run.attempts.values()]):
            if attempt.key == key:
                return run, attempt
    return None


def _how_it_went(job: Job, run: RunState, attempt: AttemptState, past: KeptPast) -> str:
    if attempt.live:
        return f"{run.name} is at it: waits for that" if not job.devices else f"{run.name} is at it"
    known = run.jobs[attempt.job]
    went = {"failed": "failed", "stopped": "was stopped"}.get(known.status, "was interrupted")
    worth = not job.devices or is_worth_its_hours(run, attempt)
    goes_on = job.resumes and worth and not job.smoke and past.has_files(attempt.out)
    return f"it {went} in {run.name}{', goes on from there' if goes_on else ''}"


def _nearest(
    job: Job, inputs: Mapping[str, str] | None, base: str, state: State, past: KeptPast
) -> tuple[RunState, Job] | None:
    """The earlier job that differs least; the newest of those. None: inputs are not known yet."""
    now = past.record(job.static_key)
    best: tuple[int, RunState, Job] | None = None
    for run, old in _alike(job, base, state):
        was = past.record(old.static_key)
        if was is not None and now is not None:
            apart = distance(was, now)
        else:
            apart = int(old.static_key != job.static_key)
        if inputs is not None:
            apart += len(_other_inputs(run, old, inputs))
        if best is None or apart < best[0]:
            best = apart, run, old
    return best[1:] if best else None


def _alike(job: Job, base: str, state: State) -> Iterator[tuple[RunState, Job]]:
    """Jobs of the same kind that have a result, of plans in the same folder, the newest first. What
    another project has done is no past of this one, however alike their plans are."""
    results: list[Result] = sorted(
        (result for result in state.results.values() if result.run in state.runs),
        key=lambda result: state.runs[result.run].submitted_ms,
        reverse=True,
    )
    count = 0
    for result in results:
        run = state.runs[result.run]
        if run.graph.base != base or result.job not in run.graph:
            continue
        old = run.graph.job(result.job)
        if _kind(old) == _kind(job):
            yield run, old
            count += 1
            if count == NEAREST_OF:
                return


def _kind(job: Job) -> tuple[object, ...]:
    """A fold is compared with the same fold: another one differs in any case."""
    return job.uses, job.smoke, job.fold, job.argv[:1]


def _by_graph(old: Job, new: Job) -> list[str]:
    """What the graphs alone tell, where the ingredients were not kept."""
    found = []
    for name in sorted(new.params.keys() | old.params.keys()):
        was, now = old.params.get(name), new.params.get(name)
        if was != now:
            found.append(f"{name} {_shown(was)} → {_shown(now)}")
    if not found and old.static_key != new.static_key:
        found.append("its code or files changed")
    return found


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def _other_inputs(run: RunState, old: Job, inputs: Mapping[str, str]) -> list[str]:
    """Which of the jobs that it needs have made something else by now."""
    before = {
        name: run.jobs[name].digest
        for name in run.graph.ancestors(old.id)
        if not run.graph.job(name).smoke
    }
    if before.keys() != inputs.keys():
        return ["other jobs are needed"]
    changed = [name for name in before if before[name] != inputs[name]]
    # What is nearest comes first, and is what the others have led to.
    return [f"{changed[0]} made something else"] if changed else []
