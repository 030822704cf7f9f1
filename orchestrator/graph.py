"""The graph of a run: jobs and what they need. Pure values; they travel in `RunSubmitted`.

Importing this module is cheap, because every command that shows a state needs it. What builds a
graph from a plan stands in `orchestrator.plans.expand`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

from orchestrator.state.changed import made

GRAPH_VERSION = 5
GRAPHS_READ = (1, 2, 3, 4, 5)
"""What an earlier version does not have yet has its default: in version 1 no priority, and nothing
is cut at an edge; in version 2 nothing is started ahead or side by side; in version 3 every stop
rule acts by itself, and no run explores; in version 4 no program was started by `skint exec`."""

TEARDOWN_S = 2.0
"""Seconds beyond limit and grace that killing the last process may take; reserved as well."""

Lane = Literal["cpu", "accelerator"]
AtEdge = Literal["finish-epoch", "park", "hard-stop"]
WhenShort = Literal["wait", "begin"]
OWN_RULE = ":"
"""Stands in the name of a stop rule that is a function of the user's: `./rules.py:too_slow`."""
ALWAYS = "broken"
"""The rule that holds on a run that explores too; it is shown what was reported and no more."""


@dataclass(frozen=True)
class StopRule:
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: Literal["auto", "ask", "warn", "off"] = "auto"
    """Whether it acts by itself, asks before it does, or only says so."""
    default: Literal["stop", "let-run"] = "stop"
    """With `ask`: what happens where nobody has answered after `after_s`."""
    after_s: float = 600.0

    @property
    def is_own(self) -> bool:
        """It runs in a process of its own."""
        return OWN_RULE in self.name


@dataclass(frozen=True)
class Job:
    """A node of the graph. `limit_s` and `grace_s` are seconds, `mem_mb` is MiB."""

    id: str
    """`scan`, `train.fold0`, `train.smoke`, `sweep.lr=0.1+wd=0.fold2`; `[A-Za-z0-9._=+-]` only."""
    group: str
    """The plan entry it was expanded from; the implied smoke test is a group of its own."""
    uses: str = ""
    """`resize`, `my_module:my_job` or `./train.py:fit`; empty when `argv` is set."""
    argv: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Ids of the jobs it depends on directly."""
    fold: int | None = None
    folds: int | None = None
    matrix: Mapping[str, Any] = field(default_factory=dict)
    devices: int = 0
    cpus: int = 1
    """Cores; 0 means all of them."""
    mem_mb: int = 0
    """Memory to keep free for it; 0 means that nothing is known."""
    limit_s: float | None = None
    """None only in the CPU lane."""
    limit_given: bool = False
    """False where `limit_s` is skint's default and not the plan's word."""
    grace_s: float = 30.0
    retries: int = 0
    env: tuple[str, ...] = ()
    """Names of environment variables to pass on; their values are stored nowhere."""
    python: str = ""
    caller: Mapping[str, Any] = field(default_factory=dict)
    """The process that has asked for it and gives it its environment, as
    `skint.process.Identity`; empty: the scheduler does."""
    smoke: bool = False
    stop: tuple[StopRule, ...] = ()
    metric: str | None = None
    priority: int = 0
    """Larger goes first; that of the run is added."""
    value: float = 1.0
    """What its result is worth beside others, in any unit; 0 or more."""
    resumes: bool = False
    """Whether a new attempt goes on from the checkpoint of the one before."""
    standby: bool = False
    """Whether it may be started ahead, without devices, and be given them later."""
    together: int = 1
    """So many jobs of its group are started side by side, in one allocation of all their devices,
    where there are so many."""
    at_edge: AtEdge = "hard-stop"
    """What happens where a session or a window ends before it does."""
    when_short: WhenShort = "begin"
    """Whether its group begins although the hours that are free do not reach for all of it."""
    static_key: str = ""
    """SHA-256 over everything about the job that is known before its inputs are."""

    @property
    def cell(self) -> str:
        """The folds that belong together: its group, or one combination of the group's matrix."""
        if not self.matrix:
            return self.group
        return self.id if self.fold is None else self.id.removesuffix(f".fold{self.fold}")

    @property
    def lane(self) -> Lane:
        return "accelerator" if self.devices else "cpu"

    @property
    def parks(self) -> bool:
        """Whether it may be cut at the edge of a session or a window and go on afterwards."""
        return self.resumes and self.at_edge != "hard-stop"

    @property
    def wall_limit_ms(self) -> int:
        """Milliseconds an attempt can keep its devices: limit, grace, and the last process gone."""
        return round(((self.limit_s or 0) + self.grace_s + TEARDOWN_S) * 1000)


@dataclass(frozen=True)
class Graph:
    """Jobs in topological order, each entry's jobs in the order of the plan."""

    name: str
    account: str | None
    base: str
    """The plan's folder, absolute: relative paths are resolved against it."""
    jobs: tuple[Job, ...]
    notify: Mapping[str, Any] = field(default_factory=dict)
    plan_text: str = ""
    explore: bool = False
    """It is tried for what there is to be learnt: no rule but `broken` stops it."""

    def runs_again(self, job: Job) -> bool:
        """Whether `--again` means this job: those that cost hours, or all where none does."""
        return bool(job.devices) or not self.has_accelerator_jobs

    def __contains__(self, id: str) -> bool:
        return id in self._by_id

    def job(self, id: str) -> Job:
        """KeyError if there is none."""
        return self._by_id[id]

    def groups(self) -> dict[str, tuple[Job, ...]]:
        """Jobs by plan entry, in topological order of the entries' first jobs."""
        return self._groups

    def cells(self) -> dict[str, tuple[Job, ...]]:
        """As `groups`, with a group for each combination of a matrix."""
        return self._cells

    def lanes(self) -> Mapping[str, Lane]:
        """Of each job, by its id."""
        return self._lanes

    def ancestors(self, id: str) -> tuple[str, ...]:
        """Everything `id` depends on, nearest first; at equal distance in the order of `jobs`."""
        return self._all_before(self._needs, self._ancestors, id)

    def needed_by(self, id: str) -> tuple[str, ...]:
        """What depends on `id` directly."""
        return self._needed_by.get(id, ())

    def named(self, name: str) -> tuple[str, ...]:
        """Ids of the jobs that a group, a combination of its matrix, or a job's own id means."""
        return self._named.get(name, ())

    def place(self, id: str) -> int:
        """Its number among the jobs, from 0."""
        return self._order[id]

    def inputs(self, id: str) -> dict[str, tuple[str, ...]]:
        """Ancestors by plan entry, nearest entry first.

        A smoke test has no results to hand on, and what only it has read is none of the job's:
        all folds wait for the test of the first, which reads that fold's pictures.
        """
        found: dict[str, tuple[str, ...]] = {}
        for ancestor in self._all_before(self._hands_on, self._givers, id):
            group = self.job(ancestor).group
            found[group] = (*found.get(group, ()), ancestor)
        return found

    def to_json(self) -> dict[str, Any]:
        """As `dataclasses.asdict`, which copies every value deeply: a graph never changes."""
        return {
            "version": GRAPH_VERSION,
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "jobs": tuple(_job_to_json(job) for job in self.jobs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Graph:
        """The graph that `to_json` wrote. ValueError for one of a newer version."""
        rest = dict(data)
        version = rest.pop("version")
        if version not in GRAPHS_READ:
            raise ValueError(f"graph of version {version}, this skint reads up to {GRAPH_VERSION}")
        return cls(**{**rest, "jobs": tuple(_job_from_json(job) for job in rest["jobs"])})

    @cached_property
    def has_accelerator_jobs(self) -> bool:
        return any(job.devices for job in self.jobs)

    @cached_property
    def least_cpus(self) -> int:
        """Cores that each of its jobs of the CPU lane takes at least; 0 where that is all."""
        return min((job.cpus for job in self.jobs if not job.devices and job.cpus), default=0)

    @cached_property
    def has_standby(self) -> bool:
        """Whether any of its jobs may be started ahead."""
        return any(job.standby for job in self.jobs)

    @cached_property
    def has_own_rules(self) -> bool:
        """Whether a function of the user's own may stop any of its jobs."""
        return any(rule.is_own for job in self.jobs for rule in job.stop)

    @cached_property
    def has_several_trainings(self) -> bool:
        """Whether folds stand in more than one entry of the plan, so that one alone names none."""
        return len({job.group for job in self.jobs if job.fold is not None and not job.smoke}) > 1

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        return {job.id: job for job in self.jobs}

    def _all_before(
        self,
        edges: Mapping[str, tuple[str, ...]],
        known: dict[tuple[str, ...], tuple[str, ...]],
        id: str,
    ) -> tuple[str, ...]:
        """What `edges` lead to from `id`; the folds of an entry, which need the same, share it."""
        if edges[id] not in known:
            known[edges[id]] = self._reached(edges, id)
        return known[edges[id]]

    @cached_property
    def _ancestors(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Those that somebody has asked for, by what is needed directly."""
        return {}

    @cached_property
    def _givers(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Those of them that hand on results."""
        return {}

    @cached_property
    def _groups(self) -> dict[str, tuple[Job, ...]]:
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.group, []).append(job)
        return {name: tuple(jobs) for name, jobs in found.items()}

    @cached_property
    def _cells(self) -> dict[str, tuple[Job, ...]]:
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.cell, []).append(job)
        return {name: tuple(jobs) for name, jobs in found.items()}

    @cached_property
    def _lanes(self) -> dict[str, Lane]:
        return {job.id: job.lane for job in self.jobs}

    @cached_property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {job.id: job.needs for job in self.jobs}

    @cached_property
    def _hands_on(self) -> dict[str, tuple[str, ...]]:
        return {
            job.id: tuple(need for need in job.needs if not self.job(need).smoke)
            for job in self.jobs
        }

    @cached_property
    def _needed_by(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for job in self.jobs:
            for need in job.needs:
                found.setdefault(need, []).append(job.id)
        return {need: tuple(dict.fromkeys(jobs)) for need, jobs in found.items()}

    @cached_property
    def _named(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for job in self.jobs:
            for name in {job.group, job.cell, job.id}:
                found.setdefault(name, []).append(job.id)
        return {name: tuple(jobs) for name, jobs in found.items()}

    @cached_property
    def _order(self) -> dict[str, int]:
        return {job.id: number for number, job in enumerate(self.jobs)}

    def _reached(self, edges: Mapping[str, tuple[str, ...]], id: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        level: tuple[str, ...] = (id,)
        while level:
            nearer = {far for near in level for far in edges.get(near, ())} - found.keys()
            level = tuple(sorted(nearer, key=self._order.__getitem__))
            found.update(dict.fromkeys(level))
        return tuple(found)


def exploring(graph: Graph) -> Graph:
    """The same, tried for what there is to be learnt."""
    return replace(graph, explore=True)


def _job_to_json(job: Job) -> dict[str, Any]:
    """Without what has its default, which most has."""
    known = vars(job)
    found = {name: known[name] for name, default in _JOB_FIELDS if known[name] != default}
    if job.stop:
        found["stop"] = tuple({**vars(rule)} for rule in job.stop)
    return found


def _job_from_json(data: Mapping[str, Any]) -> Job:
    known = {name: tuple(value) if type(value) is list else value for name, value in data.items()}
    if known.get("stop"):
        known["stop"] = tuple(StopRule(**rule) for rule in known["stop"])
    return made(Job, known)


_JOB_FIELDS = tuple(
    (one.name, one.default_factory() if one.default_factory is not MISSING else one.default)
    for one in fields(Job)
)
