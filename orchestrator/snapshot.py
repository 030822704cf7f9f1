"""A run's state as JSON, so that screens need not replay the events. Derived, never the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from budget.meters.log import Metered
from orchestrator import events as e
from orchestrator.graph import Graph
from orchestrator.state import (
    STATE_VERSION,
    STATES_READ,
    AllocationState,
    AttemptState,
    JobState,
    Result,
    RunState,
    SavingState,
    StandbyState,
)


def run_to_json(run: RunState) -> dict[str, Any]:
    return {**asdict(run), "graph": run.graph.to_json(), "version": STATE_VERSION}


def run_from_json(data: Mapping[str, Any]) -> RunState:
    """The run that `run_to_json` wrote. ValueError for one of a newer version."""
    rest = dict(data)
    version = rest.pop("version")
    if version not in STATES_READ:
        raise ValueError(f"state of version {version}, this skint reads up to {STATE_VERSION}")
    return RunState(
        **{
            **rest,
            "graph": Graph.from_json(rest["graph"]),
            "jobs": {name: JobState(**_tuples(job)) for name, job in rest["jobs"].items()},
            "attempts": {name: _attempt(a) for name, a in rest["attempts"].items()},
            "allocations": {
                name: AllocationState(**_without(_tuples(a), "refused_after"))
                for name, a in rest["allocations"].items()
            },
            "standbys": {name: StandbyState(**s) for name, s in rest.get("standbys", {}).items()},
            "stops": tuple(e.StopAsked(**_tuples(stop)) for stop in rest["stops"]),
            "savings": {name: SavingState(**s) for name, s in rest.get("savings", {}).items()},
            "verdicts": tuple(e.VerdictGiven(**verdict) for verdict in rest["verdicts"]),
            "answers": tuple(e.VerdictAnswered(**said) for said in rest.get("answers", ())),
            "resumptions": tuple(
                e.JobsResumed(**_tuples(again)) for again in rest.get("resumptions", ())
            ),
        }
    )


def _attempt(data: Mapping[str, Any]) -> AttemptState:
    metered = data.get("metered")
    known = {
        **_tuples(data),
        "metered": Metered.from_json(metered) if metered else None,
        "marks": tuple((at_ms, done) for at_ms, done in data.get("marks", ())),
        "stages": tuple((at_ms, name) for at_ms, name in data.get("stages", ())),
    }
    return AttemptState(**known)


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no tuples; every list of these records is one."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def _without(data: dict[str, Any], key: str) -> dict[str, Any]:
    """A field that version 1 wrote and that means nothing any more."""
    return {k: v for k, v in data.items() if k != key}


def result_to_json(result: Result) -> dict[str, Any]:
    return asdict(result)


def result_from_json(data: Mapping[str, Any]) -> Result:
    return Result(**data)
