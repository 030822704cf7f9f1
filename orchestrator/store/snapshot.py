"""Records of a run as JSON, so that screens need not replay the events. Derived, never the truth.

A field that has its default is left out, and has it again when it is read: most have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from budget.meters.log import Metered
from orchestrator.events.standby import StandbyState
from orchestrator.events.stop import StopAsked
from orchestrator.events.verdict import JobsResumed, VerdictAnswered, VerdictGiven
from orchestrator.graph import Graph
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.changed import made
from orchestrator.state.job_state import JobState
from orchestrator.state.saving_state import SavingState
from orchestrator.state.state import Result, RunState

KINDS: Mapping[str, type[Any]] = {
    "attempts": AttemptState,
    "allocations": AllocationState,
    "savings": SavingState,
    "stops": StopAsked,
    "verdicts": VerdictGiven,
    "answers": VerdictAnswered,
    "resumptions": JobsResumed,
}
"""The parts of a run of which there may be many, by its field, each with its record. Its jobs are
parts too; all else is written as a whole (`facts`)."""
KEYED = ("attempts", "allocations", "savings")
"""Those that are mappings by id; the others are sequences."""


def _default(one: Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _fields(record: type[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((one.name, _default(one)) for one in fields(record))


_FIELDS = {record: _fields(record) for record in (*KINDS.values(), JobState, StandbyState, Result)}
_FACTS = tuple(
    (name, default)
    for name, default in _fields(RunState)
    if name not in (*KINDS, "jobs", "graph", "standbys")
)


def facts(run: RunState) -> dict[str, Any]:
    """What is known of the run itself; its graph and its parts are written elsewhere."""
    known = vars(run)
    found = {name: known[name] for name, default in _FACTS if known[name] != default}
    if run.standbys:
        found["standbys"] = {name: record(one) for name, one in run.standbys.items()}
    return found


def record(one: object) -> dict[str, Any]:
    """Of a job or a part of a run. Of an attempt without its reports."""
    known = vars(one)
    found = {name: known[name] for name, default in _FIELDS[type(one)] if known[name] != default}
    if isinstance(one, AttemptState):
        found.pop("reports", None)
        if one.metered is not None:
            found["metered"] = one.metered.to_json()
    return found


def run_of(
    data: Mapping[str, Any], graph: Graph, jobs: Mapping[str, JobState], parts: Mapping[str, Any]
) -> RunState:
    """The run of which `facts` wrote `data`. TypeError for fields that are not known here."""
    standbys = {id: StandbyState(**one) for id, one in data.get("standbys", {}).items()}
    rest = {**_tuples(data), **parts, "graph": graph, "jobs": jobs, "standbys": standbys}
    return RunState(**rest)


def is_other(before: RunState, run: RunState) -> bool:
    """Whether `facts` may say something else of `run` than of the state of it before."""
    old, new = vars(before), vars(run)
    return old["standbys"] is not new["standbys"] or any(
        old[name] is not new[name] for name, _ in _FACTS
    )


def read_record(kind: str, data: Mapping[str, Any], reports: tuple[Any, ...] = ()) -> Any:
    """What `record` wrote of a part of that kind; `reports` are those of an attempt."""
    return _READ.get(kind, _as_it_is)(KINDS[kind], _tuples(data), reports)


def read_job(data: Mapping[str, Any]) -> JobState:
    return made(JobState, _tuples(data))


def _as_it_is(kind: type[Any], data: dict[str, Any], reports: tuple[Any, ...]) -> Any:
    return made(kind, data)


def _attempt(kind: type[Any], data: dict[str, Any], reports: tuple[Any, ...]) -> AttemptState:
    if "metered" in data:
        data["metered"] = Metered.from_json(data["metered"])
    for name in ("marks", "stages"):
        if name in data:
            data[name] = tuple((at_ms, what) for at_ms, what in data[name])
    return made(AttemptState, {**data, "reports": reports})


_READ: Mapping[str, Callable[[type[Any], dict[str, Any], tuple[Any, ...]], Any]] = {
    "attempts": _attempt
}


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no tuples; every list of these records is one."""
    return {k: tuple(v) if type(v) is list else v for k, v in data.items()}


def read_result(data: Mapping[str, Any]) -> Result:
    return Result(**data)
