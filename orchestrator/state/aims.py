"""Which stop means which job: looked up, not looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestrator.events.stop import StopAsked
    from orchestrator.events.verdict import StopScope
    from orchestrator.graph import Job
    from orchestrator.state.job_state import JobState
    from orchestrator.state.state import RunState


class Aim(Protocol):
    """What a stop, or the wish for one, is aimed at."""

    @property
    def scope(self) -> StopScope: ...
    @property
    def target(self) -> str: ...


class Aims:
    """The stops of a run by what they are aimed at."""

    def __init__(self, stops: Sequence[StopAsked]) -> None:
        self.stops = stops
        self._found: dict[str, list[tuple[int, StopAsked]]] = {}
        """Each with its number; those of the whole run under an empty name."""
        for number, stop in enumerate(stops):
            aim = "" if stop.scope == "run" else stop.target
            self._found.setdefault(aim, []).append((number, stop))

    def strictest(self, job: Job, known: JobState) -> StopAsked | None:
        """The stop that is asked of a job.

        One that requeues holds for the attempts it was aimed at, and no longer than they count.
        """
        asked = [*self._found.get("", ())]
        for name in {job.group, job.cell, job.id, *known.attempts}:
            asked += self._found.get(name, ())
        held = [one for one in asked if not one[1].attempts or _is_aimed_at(one[1], known)]
        return min(held, key=_strictness)[1] if held else None

    def open_jobs(self, run: RunState) -> Sequence[JobState]:
        """Those that have not ended of which a stop may be asked."""
        if "" in self._found:
            return run.open_jobs
        names = dict.fromkeys(name for aim in self._found for name in _jobs_at(run, aim))
        return [known for name in names if not (known := run.jobs[name]).ended]


def aims_of(run: RunState) -> Aims:
    """Remembered as long as its stops are the same."""
    known: Aims | None = vars(run).get("_aims")
    if known is None or known.stops is not run.stops:
        known = vars(run)["_aims"] = Aims(run.stops)
    return known


def _jobs_at(run: RunState, aim: str) -> Iterator[str]:
    yield from run.graph.named(aim)
    if aim in run.attempts:
        yield run.attempts[aim].job


def _is_aimed_at(stop: StopAsked, job: JobState) -> bool:
    return job.status == "running" and job.attempts[-1] in stop.attempts


def _strictness(asked: tuple[int, StopAsked]) -> tuple[int, bool, int]:
    number, stop = asked
    return ("kill", "step", "epoch").index(stop.how), stop.then == "requeue", number
