"""What has happened, in the past tense: the ordered event table is the truth about runs.

Each event is a frozen record of facts; the state is what they add up to
(`orchestrator.state.state`). Events carry everything that applying them needs, so that replaying
asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.events.event import Event as Event
from orchestrator.events.holding import HoldReleased as HoldReleased
from orchestrator.events.holding import HoldSet as HoldSet
from orchestrator.events.holding import HoldWidened as HoldWidened
from orchestrator.events.outcomes import AttemptOutcome as AttemptOutcome
from orchestrator.events.outcomes import Edge as Edge
from orchestrator.events.outcomes import JobOutcome as JobOutcome
from orchestrator.events.outcomes import RunOutcome as RunOutcome
from orchestrator.events.pausing import JobsPaused as JobsPaused
from orchestrator.events.pausing import JobsUnpaused as JobsUnpaused
from orchestrator.events.retrying import JobsRetried as JobsRetried
from orchestrator.events.standby import StandbyAccepted as StandbyAccepted
from orchestrator.events.standby import StandbyDropped as StandbyDropped
from orchestrator.events.standby import StandbyEnded as StandbyEnded
from orchestrator.events.standby import StandbyPlanned as StandbyPlanned
from orchestrator.events.standby import StandbyReady as StandbyReady
from orchestrator.events.standby import StandbyStarted as StandbyStarted
from orchestrator.events.stop import StopAsked as StopAsked
from orchestrator.events.stop import StopSent as StopSent
from orchestrator.events.verdict import BaselineSet as BaselineSet
from orchestrator.events.verdict import JobsResumed as JobsResumed
from orchestrator.events.verdict import StopScope as StopScope
from orchestrator.events.verdict import VerdictAnswered as VerdictAnswered
from orchestrator.events.verdict import VerdictGiven as VerdictGiven


@dataclass(frozen=True, kw_only=True)
class RunSubmitted(Event):
    graph: Mapping[str, Any]
    """`Graph.to_json()`."""
    uid: str = ""
    """Unlike the run's name never used twice, not even after the store was lost: the ledger, which
    outlives it, knows allocations by it."""
    cpu_only: bool = False
    again: bool = False
    """Pay for accelerator jobs again even when their result is known."""
    priority: int = 0
    """Added to that of each of its jobs."""
    park: bool = False
    """Begin although not all fits, and let jobs span windows by parking them."""
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class JobReused(Event):
    """The result of an earlier attempt with the same key stands in for running the job."""

    job: str
    key: str
    attempt: str
    """The attempt that produced it."""
    out: str
    digest: str
    saved_ms: int
    """Wall milliseconds the earlier attempt took."""


@dataclass(frozen=True, kw_only=True)
class JobWaited(Event):
    """A job that could start does not; written when the reason changes."""

    job: str
    reason: str
    sentence: str
    until_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class JobRemarked(Event):
    """Something to know about how a job starts: from what it goes on, why it is made again."""

    job: str
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class AllocationPlanned(Event):
    """Devices will be kept for these attempts. Written before anything is reserved."""

    allocation: str
    account: str
    executor: str
    devices: tuple[str, ...]
    wall_ms: int
    """From its start to its deadline, grace included."""
    amount_ms: int
    """What that costs the account: this much is reserved."""
    attempts: tuple[str, ...]
    limits_s: tuple[float, ...] = ()
    """Of each attempt, in seconds; empty in events of version 1, where the job's own limit held."""
    graces_s: tuple[float, ...] = ()
    edge: Edge = ""
    """What cuts its attempts shorter than their jobs' limits, if anything does."""
    edge_until_ms: int | None = None
    """When a job that is cut there may go on; None: at once."""
    unit: str = "device"
    """What the account counts by then."""
    together: bool = False
    """Its attempts run side by side, each on its part of the devices; else in turn on all."""


@dataclass(frozen=True, kw_only=True)
class AllocationReserved(Event):
    allocation: str


@dataclass(frozen=True, kw_only=True)
class AllocationRefused(Event):
    allocation: str
    reason: str
    sentence: str
    until_ms: int | None
    """When what was refused comes back by itself, where that is known."""
    again_ms: int = 0
    """Before this nothing is asked for the same job again, whatever seems to be free."""
    after: int = 0
    """Only in events of version 1."""


@dataclass(frozen=True, kw_only=True)
class AllocationStarted(Event):
    allocation: str
    start_ms: int


@dataclass(frozen=True, kw_only=True)
class AllocationEnded(Event):
    """The devices are no longer kept. `start_ms` and `end_ms` are what is charged."""

    allocation: str
    start_ms: int
    end_ms: int
    shares: Mapping[str, int] = field(default_factory=dict)
    """Weights by attempt for the attribution of the charge."""
    estimated: bool = False


@dataclass(frozen=True, kw_only=True)
class AllocationSettled(Event):
    allocation: str
    charged_ms: int
    shares: Mapping[str, int] = field(default_factory=dict)
    """Charged device-milliseconds by attempt; they add up to `charged_ms`."""


@dataclass(frozen=True, kw_only=True)
class AllocationReleased(Event):
    """It never started, so nothing is charged."""

    allocation: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AttemptPlanned(Event):
    """An execution has a name. Written before it is submitted."""

    job: str
    attempt: str
    fence: int
    key: str
    folder: str
    """The attempt directory."""
    executor: str
    cpus: int
    mem_mb: int
    devices: tuple[str, ...] = ()
    allocation: str | None = None
    previous: str | None = None
    """`out/` of the attempt it goes on from."""
    limit_s: float | None = None
    """Of this attempt; None: the job's own."""
    grace_s: float | None = None
    edge: Edge = ""
    """What ends it before its job's limit is used up, if anything does."""
    edge_until_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class AttemptAccepted(Event):
    """The executor has taken it."""

    attempt: str


@dataclass(frozen=True, kw_only=True)
class AttemptStarted(Event):
    attempt: str
    started_ms: int


@dataclass(frozen=True, kw_only=True)
class AttemptUnreachable(Event):
    """No answer about it. Unknown is not failed: its slot and its reservation stay."""

    attempt: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class AttemptReached(Event):
    attempt: str


@dataclass(frozen=True, kw_only=True)
class StageEntered(Event):
    """A part of the work that has a name has begun."""

    attempt: str
    name: str
    entered_ms: int
    """On the clock of the attempt."""


@dataclass(frozen=True, kw_only=True)
class ProgressMade(Event):
    attempt: str
    done: float
    total: float
    told_ms: int = 0
    """When the job said so, on its own clock; 0 where that was not kept."""


@dataclass(frozen=True, kw_only=True)
class MetricsReported(Event):
    attempt: str
    reported_ms: int
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Event):
    attempt: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CheckpointKept(Event):
    """A checkpoint is whole on disk."""

    attempt: str
    path: str
    """Relative to `out/`."""
    epoch: int
    step: int
    kept_ms: int
    """When it was, on the clock of the attempt."""


@dataclass(frozen=True, kw_only=True)
class JobOvertaken(Event):
    """A job that comes later in the order has started before it; written the first time."""

    job: str
    by: str
    """RUN.JOB of the other one."""


@dataclass(frozen=True, kw_only=True)
class ErrorReported(Event):
    attempt: str
    what: str
    where: str = ""
    got: str = ""
    wanted: str = ""
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class AttemptEnded(Event):
    attempt: str
    outcome: AttemptOutcome
    code: int | None
    reason: str
    sentence: str
    started_ms: int | None
    ended_ms: int | None
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class AttemptMetered(Event):
    """What meters have read of it by now; written seldom, and at its end."""

    attempt: str
    metered: Mapping[str, Any]
    """`Metered.to_json()`."""


@dataclass(frozen=True, kw_only=True)
class KeptIdle(Event):
    """Its devices are paid for and idle; written once for an attempt."""

    attempt: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class SavingFound(Event):
    """Hours were not spent; written in the step that knows it, and booked afterwards."""

    saving: str
    """Its id in the ledger."""
    job: str
    account: str
    unit: str
    """Of the account: credits are no hours."""
    kind: str
    amount_ms: int
    derivation: str
    takes_back: str = ""
    """The saving that came to nothing: as much is less than nothing here, where that counted."""


@dataclass(frozen=True, kw_only=True)
class SavingBooked(Event):
    """The ledger has it."""

    saving: str


@dataclass(frozen=True, kw_only=True)
class JobEnded(Event):
    job: str
    outcome: JobOutcome
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    outcome: RunOutcome
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CommandAnswered(Event):
    """The reply to a command; `run` is empty where the command named none."""

    command: str
    ok: bool
    text: str


def _kinds(cls: type[Event]) -> dict[str, type[Event]]:
    return {sub.__name__: sub for sub in cls.__subclasses__()}


KINDS = _kinds(Event)
"""Every kind of event by its name; the name is what the store keeps."""

_TUPLES = ("devices", "attempts", "limits_s", "graces_s", "jobs", "accounts")


def to_json(event: Event) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies every value deeply: an event never changes."""
    return {**vars(event)}


def from_json(kind: str, data: Mapping[str, Any]) -> Event:
    """The event that `to_json` wrote. KeyError for an unknown kind, TypeError for other fields."""
    fixed = {name: tuple(data[name]) for name in _TUPLES if name in data}
    return KINDS[kind](**{**data, **fixed})
