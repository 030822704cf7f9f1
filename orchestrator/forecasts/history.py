"""What finished and reporting jobs teach of the next ones like them. Pure.

Two jobs are alike where they are expected to take equally long: the same code on the same data,
prepared in the same way, with the same parameters but for those that cannot change the pace: a
job's own fractions (`lr: 0.003`, `dropout: 0.2`), `epochs`, and what `PACELESS` names. Every
parameter of what it needs counts, such as the size of the images. And the devices are of one kind:
how long a laptop took says nothing about an accelerator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from statistics import median
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State
from orchestrator.views.run.training import epoch_ends, newest_count

PACELESS = frozenset(
    {
        "epochs",
        "label_smoothing",
        "lr",
        "momentum",
        "monitor",
        "schedule",
        "seed",
        "warmup",
        "weight_decay",
        "weights",
    }
)
"""Parameters that change what is learnt, not how long a step takes."""

MOST = 20
"""Of the past of one kind of job, this many of the newest are looked at."""

Kind = tuple[str, ...]
"""Executor and the kinds of the devices, sorted: ("local", "Tesla T4"). A device whose name is not
known is a kind of its own."""


CPU: Kind = ("local",)
"""Of the CPU lane."""


def kind_of(executor: str, devices: Sequence[str], names: Mapping[str, str]) -> Kind:
    """The kind of these devices, given by id; `names` are their models by id."""
    return (executor, *sorted(names.get(device, device) for device in devices))


class Likeness:
    """The likeness of the jobs of one graph, each made when it is first asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._data: dict[tuple[str, ...], str] = {}
        self._found: dict[str, str] = {}
        self._jobs: dict[str, list[str]] | None = None

    def __getitem__(self, job: str) -> str:
        if job not in self._found:
            self._found[job] = self.of(self.graph.job(job))
        return self._found[job]

    def jobs_like(self, like: str) -> Sequence[str]:
        """Ids of the jobs that are so."""
        if self._jobs is None:
            self._jobs = {}
            for job in self.graph.jobs:
                self._jobs.setdefault(self[job.id], []).append(job.id)
        return self._jobs.get(like, ())

    def of(self, job: Job) -> str:
        """The same text for jobs that are expected to take equally long on one kind of device."""
        own = {
            name: value
            for name, value in job.params.items()
            if name not in PACELESS and not isinstance(value, float)
        }
        if job.needs not in self._data:  # the folds of an entry need the same
            self._data[job.needs] = self._data_of(job)
        # The plan entry and its matrix stand for a program's arguments, some of which only tune.
        program = [self.graph.name, job.group, job.argv[:1], _paced(job.matrix)] if job.argv else []
        where = [job.smoke, job.devices, self.graph.base]
        return _text([job.uses, program, own, *where, self._data[job.needs]])

    def _data_of(self, job: Job) -> str:
        needed = [self.graph.job(name) for name in self.graph.ancestors(job.id)]
        return _text(
            sorted(
                _text([other.uses, _program(other), _unseeded(other.params)])
                for other in needed
                if not other.smoke and not other.devices
            )
        )


def _unseeded(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != "seed"}


def _program(job: Job) -> tuple[str, ...]:
    """A program with its arguments, unless those may name the fold."""
    return job.argv if job.fold is None else job.argv[:1]


def _paced(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k not in PACELESS and not isinstance(v, float)}


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class Past:
    """How long a job took, or is taking. Times are wall milliseconds."""

    run: str
    group: str
    job: str
    kind: Kind
    at_ms: int
    """When it started."""
    whole_ms: int | None
    """Of a job that was done in one attempt; None while it runs, or if it was stopped."""
    first_ms: int | None
    """From its start to the end of its first epoch."""
    epoch_ms: int | None
    """Median of its later epochs."""
    tail_ms: int
    """From its last epoch to its end."""
    epochs: int | None
    """How many it was to have at most."""
    ran: int
    """How many it had."""

    def duration_ms(self, epochs: int | None) -> int | None:
        """How long one like it takes that has `epochs` epochs; None if this one cannot tell."""
        if epochs is not None and self.epoch_ms is not None:
            first_ms = self.epoch_ms if self.first_ms is None else self.first_ms
            return first_ms + max(0, epochs - 1) * self.epoch_ms + self.tail_ms
        same = epochs is None or epochs == self.epochs
        return self.whole_ms if same else None

    @property
    def stopped_early(self) -> bool:
        """It ended by itself before it had all its epochs."""
        return self.whole_ms is not None and self.epochs is not None and 0 < self.ran < self.epochs


class History:
    """The past of a state, by likeness.

    It remembers what it read of runs that have not changed: a scheduler that keeps one pays, at
    each step, for the runs that moved since the last. And it reads no more than it is asked for.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """`names` are the models of devices by id."""
        self._names = dict(names or {})
        self._all: Mapping[str, RunState] = {}
        self._runs: dict[str, _Read] = {}
        self._alike: dict[int, Likeness] = {}
        """By the identity of their graphs, which they keep alive."""
        self._found: dict[tuple[str, Kind], list[Past]] = {}
        """By likeness and kind; forgotten after a change."""

    def know(self, names: Mapping[str, str]) -> None:
        """Take in models of devices by id; what was read of runs is read again if any is new."""
        if not names.items() <= self._names.items():
            self._names.update(names)
            self._runs.clear()
            self._all = {}
            self._found.clear()

    def update(self, state: State) -> History:
        """Take in `state`; itself, so that it can be used at once."""
        if state.runs is self._all:
            return self
        self._all = state.runs
        for name in self._runs.keys() - state.runs.keys():
            del self._runs[name]
            self._found.clear()
        for name, run in state.runs.items():
            known = self._runs.get(name)
            if known is None or known.run is not run:
                self._runs[name] = _Read(run, self._likeness(run), known.pasts if known else {})
                self._found.clear()
        return self

    def kind_of(self, executor: str, devices: Sequence[str]) -> Kind:
        return kind_of(executor, devices, self._names)

    def likeness(self, run: RunState, job: Job) -> str:
        """Remembered for the runs of the state."""
        return self._likeness(run)[job.id]

    def _likeness(self, run: RunState) -> Likeness:
        known = self._alike.get(id(run.graph))
        if known is None:
            known = self._alike[id(run.graph)] = Likeness(run.graph)
        return known

    def usual_kind(self, account: str, devices: int) -> Kind | None:
        """The kind that the newest allocation of so many devices on an account had."""
        newest: tuple[int, Kind] | None = None
        for known in self._runs.values():
            for allocation in known.run.allocations.values():
                if allocation.account == account and len(allocation.devices) == devices:
                    at_ms = allocation.start_ms
                    if at_ms is not None and (newest is None or at_ms > newest[0]):
                        newest = (at_ms, self.kind_of(allocation.executor, allocation.devices))
        return newest[1] if newest else None

    def of(self, like: str, kind: Kind) -> list[Past]:
        """Jobs that were like it, on this kind of devices, the newest first."""
        if (like, kind) not in self._found:
            pasts = [past for known in self._runs.values() for past in self._of_run(known, like)]
            found = sorted(
                (past for past in pasts if past.kind == kind), key=_start_ms, reverse=True
            )
            self._found[like, kind] = found[:MOST]
        return self._found[like, kind]

    def _of_run(self, known: _Read, like: str) -> Sequence[Past]:
        if like not in known.found:
            known.found[like] = tuple(self._pasts(known, like))
        return known.found[like]

    def _pasts(self, known: _Read, like: str) -> Iterator[Past]:
        run = known.run
        if not run.attempts:
            return  # what its thousands of jobs are like is not looked at
        for job in known.alike.jobs_like(like):
            now = run.jobs[job]
            for name in now.attempts:
                attempt = run.attempts[name]
                if attempt.started_ms is None:
                    continue
                before = known.pasts.get(name)
                if before is None or before[0] is not attempt or before[1] is not now:
                    kind = self.kind_of(attempt.executor, attempt.devices)
                    before = known.pasts[name] = (attempt, now, past_of(run, attempt, kind))
                yield before[2]


_start_ms = attrgetter("at_ms")


@dataclass(frozen=True, slots=True)
class _Read:
    run: RunState
    alike: Likeness
    pasts: dict[str, tuple[AttemptState, JobState, Past]]
    """By attempt, with what they were read of; handed on from one state of the run to the next."""
    found: dict[str, tuple[Past, ...]] = field(default_factory=dict)
    """By likeness, as far as it was asked for."""


def past_of(run: RunState, attempt: AttemptState, kind: Kind) -> Past:
    """What an attempt that has started teaches."""
    job = run.graph.job(attempt.job)
    started_ms = attempt.started_ms or 0
    ends = ends_of(attempt)
    each_ms = epochs_of(ends)
    done = attempt.outcome == "done" and attempt.ended_ms is not None
    ended_ms = attempt.ended_ms or 0
    alone = len(run.jobs[job.id].attempts) == 1 and attempt.previous is None
    whole = done and alone
    first_ms = ends[1] - started_ms if 1 in ends else None
    return Past(
        run=run.name,
        group=job.group,
        job=job.id,
        kind=kind,
        at_ms=started_ms,
        whole_ms=ended_ms - started_ms if whole else None,
        first_ms=first_ms,
        epoch_ms=round(median(each_ms)) if each_ms else None,
        tail_ms=max(0, ended_ms - max(ends.values())) if done and ends else 0,
        epochs=newest_count(attempt.reports, "epochs"),
        ran=max(ends, default=0),
    )


def ends_of(attempt: AttemptState) -> dict[int, int]:
    """When each of its epochs was over, by number from 1. Epoch 0 is a report within the first."""
    return {number: at_ms for number, at_ms in epoch_ends(attempt.reports).items() if number}


def epochs_of(ends: Mapping[int, int]) -> list[int]:
    """Durations of the epochs after the first that was reported; `ends` are their ends by number.

    Where a job reports every other epoch, what lies between is shared out evenly.
    """
    found: list[int] = []
    for before, after in pairwise(sorted(ends)):
        share_ms = max(0, ends[after] - ends[before]) / (after - before)
        found += [round(share_ms)] * min(after - before, MOST)
    return found
