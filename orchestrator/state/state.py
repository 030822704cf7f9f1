"""What is known of every run: records that `orchestrator.state.projection` derives from the events.

State
├─ runs         RunState by name
│  ├─ jobs        JobState by id      what each node of the graph has come to
│  ├─ attempts    AttemptState by id  executions, with what they reported
│  └─ allocations AllocationState     periods in which devices are kept, and their charge
└─ results      finished attempts by job key, for reuse
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from orchestrator.events.holding import Hold
from orchestrator.events.outcomes import RunOutcome
from orchestrator.events.standby import StandbyState
from orchestrator.events.stop import StopAsked
from orchestrator.events.verdict import JobsResumed, VerdictAnswered, VerdictGiven
from orchestrator.graph import Graph, Job
from orchestrator.state import sorts
from orchestrator.state.aims import Aim, aims_of
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.records import with_entries
from orchestrator.state.saving_state import SavingState
from orchestrator.state.selection import Selection, with_run


@dataclass(frozen=True)
class RunState:
    name: str
    graph: Graph
    submitted_ms: int
    uid: str = ""
    cpu_only: bool = False
    again: bool = False
    priority: int = 0
    park: bool = False
    by: str = "cli"
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    attempts: Mapping[str, AttemptState] = field(default_factory=dict)
    allocations: Mapping[str, AllocationState] = field(default_factory=dict)
    standbys: Mapping[str, StandbyState] = field(default_factory=dict)
    """Those that have not ended, by the name of the attempt that each may become."""
    stops: tuple[StopAsked, ...] = ()
    verdicts: tuple[VerdictGiven, ...] = ()
    answers: tuple[VerdictAnswered, ...] = ()
    resumptions: tuple[JobsResumed, ...] = ()
    savings: Mapping[str, SavingState] = field(default_factory=dict)
    baseline_ms: int | None = None
    """When it was chosen as what later runs are compared with; None where it is not chosen."""
    outcome: RunOutcome | None = None
    sentence: str = ""
    ended_ms: int | None = None

    @property
    def live(self) -> bool:
        return self.outcome is None

    selections: ClassVar[dict[str, list[Selection[Any]]]] = {}
    """By the field that they choose from."""
    by_status: ClassVar[list[Selection[Any]]] = []
    """Those of the jobs that go by nothing but how far each has come."""
    by_more: ClassVar[list[Selection[Any]]] = []
    """The others of the jobs."""
    sorts_of: ClassVar[dict[str, Callable[[RunState, Any], int]]] = {
        "jobs": sorts.of_job,
        "by status": lambda run, job: sorts.by_status(job),
        "attempts": sorts.of_attempt,
        "allocations": sorts.of_allocation,
        "savings": sorts.of_saving,
    }

    @property
    def id(self) -> str:
        return self.name

    open_jobs = Selection[JobState]("jobs", sorts.OPEN, by_status=True)
    running_jobs = Selection[JobState]("jobs", sorts.RUNNING, by_status=True)
    fruitless_jobs = Selection[JobState]("jobs", sorts.FRUITLESS, by_status=True)
    cpu_ready = Selection[JobState]("jobs", sorts.CPU_READY, wide=True)
    cpu_untold = Selection[JobState]("jobs", sorts.CPU_UNTOLD, wide=True)
    cpu_awaiting = Selection[JobState]("jobs", sorts.CPU_AWAITING, wide=True)
    queue = Selection[JobState]("jobs", sorts.QUEUE)
    ready = Selection[JobState]("jobs", sorts.READY, wide=True)
    untold = Selection[JobState]("jobs", sorts.UNTOLD, wide=True)
    timed = Selection[JobState]("jobs", sorts.TIMED)
    doomed = Selection[JobState]("jobs", sorts.DOOMED, wide=True)
    live_attempts = Selection[AttemptState]("attempts", sorts.LIVE)
    interrupted = Selection[AttemptState]("attempts", sorts.INTERRUPTED)
    open_allocations = Selection[AllocationState]("allocations", sorts.OWING)
    kept = Selection[AllocationState]("allocations", sorts.KEPT)
    refused = Selection[AllocationState]("allocations", sorts.REFUSED)
    unbooked = Selection[SavingState]("savings", sorts.UNBOOKED)

    @cached_property
    def failed_groups(self) -> dict[str, str]:
        """The groups of the accelerator lane of which a job has failed by itself, and which."""
        found: dict[str, str] = {}
        for known in self.fruitless_jobs:
            if sorts.by_status(known) & sorts.FAILED and known.id in self.graph:
                job = self.graph.job(known.id)
                if job.devices:
                    found.setdefault(job.group, job.id)
        return found

    def concerned(self, job: str, sort: int) -> Sequence[str]:
        """Ids of the jobs that it means something to that `job` has, or had, these sorts."""
        others = self.graph.needed_by(job)
        known = self.graph.job(job)
        if sort & sorts.FRUITLESS and known.devices:
            return (*others, *(one.id for one in self.graph.groups()[known.group]))
        return others

    @property
    def settled(self) -> bool:
        """Nothing of it is running, reserved, unpaid or unbooked."""
        return (
            self.outcome is not None
            and not self.open_allocations
            and not self.standbys
            and not self.unbooked
        )

    def current(self, job: str) -> AttemptState | None:
        """The newest attempt of a job."""
        names = self.jobs[job].attempts
        return self.attempts[names[-1]] if names else None

    def standby_of(self, job: str) -> StandbyState | None:
        """The worker that stands by for a job, and is wanted."""
        for standby in self.standbys.values():
            if standby.job == job and not standby.dropped:
                return standby
        return None

    def allocation_of(self, job: str) -> AllocationState | None:
        """The newest allocation that is meant to carry the job."""
        carrier = self.carriers.get(job)
        return None if carrier is None else self.allocations[carrier]

    @cached_property
    def carriers(self) -> Mapping[str, str]:
        """Of each job the newest allocation meant to carry it; `with_record` hands it on."""
        return {job_of(name): one.id for one in self.allocations.values() for name in one.attempts}

    def also_carried_by(self, allocation: AllocationState) -> Mapping[str, str]:
        """`carriers` with one more allocation."""
        return with_entries(
            self.carriers, {job_of(name): allocation.id for name in allocation.attempts}
        )

    def aimed_at(self, aim: Aim) -> tuple[str, ...]:
        """The live attempts that a stop of this scope and target reaches."""
        return tuple(
            a.id
            for a in self.live_attempts
            if aim.scope == "run" or aim.target == a.id or a.job in self.graph.named(aim.target)
        )

    def stop_of(self, job: Job) -> StopAsked | None:
        """The stop that is asked of a job, the strictest first; see `orchestrator.state.aims`."""
        return aims_of(self).strictest(job, self.jobs[job.id]) if self.stops else None


@dataclass(frozen=True)
class Result:
    """A finished attempt that another run may use instead of running the same again."""

    key: str
    run: str
    job: str
    attempt: str
    out: str
    digest: str
    wall_ms: int


@dataclass(frozen=True)
class State:
    runs: Mapping[str, RunState] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    """Where no new job is to start, the oldest first."""

    selections: ClassVar[dict[str, list[Selection[Any]]]] = {}
    sorts_of: ClassVar[dict[str, Callable[[State, Any], int]]] = {"runs": sorts.of_run}

    unsettled = Selection[RunState]("runs", sorts.UNSETTLED)
    busy = Selection[RunState]("runs", sorts.BUSY)
    asking = Selection[RunState]("runs", sorts.ASKING)
    with_untold = Selection[RunState]("runs", sorts.WITH_UNTOLD)
    with_awaiting = Selection[RunState]("runs", sorts.WITH_AWAITING)
    with_queue = Selection[RunState]("runs", sorts.WITH_QUEUE)
    with_timed = Selection[RunState]("runs", sorts.WITH_TIMED)

    def live_runs(self) -> Sequence[RunState]:
        """Those that have not ended, or of which something is still owed, the oldest first."""
        return self.unsettled

    def with_run(self, run: RunState) -> State:
        """The same with `run` as it is now."""
        return with_run(self, run)

    @cached_property
    def kept_devices(self) -> Set[tuple[str, str]]:
        """Executor and id of each device that an allocation of any run keeps."""
        return {
            (allocation.executor, device)
            for run in self.busy
            for allocation in run.kept
            for device in allocation.devices
        }

    def live_attempts(self) -> Iterator[tuple[RunState, AttemptState]]:
        for run in self.busy:
            for attempt in run.live_attempts:
                yield run, attempt

    def live_standbys(self) -> Iterator[tuple[RunState, StandbyState]]:
        for run in self.busy:
            for standby in run.standbys.values():
                yield run, standby

    def standby(self, name: str) -> StandbyState | None:
        """The worker that was started ahead under that name, while it has not ended."""
        run = self.runs.get(run_of(name))
        return run.standbys.get(name) if run else None

    def attempt(self, name: str) -> AttemptState | None:
        """An attempt of any run, by its name; the run's name stands before the first dot."""
        run = self.runs.get(run_of(name))
        return run.attempts.get(name) if run else None


def run_of(attempt: str) -> str:
    """The run an attempt or allocation belongs to: names are `RUN.JOB.FENCE`."""
    return attempt.split(".", 1)[0]


def job_of(attempt: str) -> str:
    """The job an attempt executes."""
    return attempt.split(".", 1)[1].rsplit(".", 1)[0]
