"""The finished groups of a state, by what they were given. Pure, and cheap to ask again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.baselines.attempts import attempts_of
from orchestrator.baselines.comparing import Asked, compared
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.facts import facts_of
from orchestrator.baselines.given import given_by
from orchestrator.baselines.group import Candidate, Group, candidate_of, group_of, groups_of
from orchestrator.graph import Job
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State


class Book:
    """Remembers what it read of runs that have not changed, as
    `orchestrator.forecasts.history` does.

    A scheduler that keeps one pays, at each step, for the runs whose jobs have ended since the last
    one; asking again about a group costs little while no other one ends.
    """

    def __init__(self) -> None:
        self._runs: dict[str, _Read] = {}
        self._all: Mapping[str, RunState] = {}
        self._is_behind = False
        self._candidates: tuple[Candidate, ...] | None = None
        """The oldest first; None until they are asked for again after a change."""
        self._answers: dict[Asked, Comparison] = {}

    def update(self, state: State) -> Book:
        """Take in `state`; itself, so that it can be used at once."""
        if state.runs is not self._all:
            self._all = state.runs
            self._is_behind = True
        return self

    def _catch_up(self) -> None:
        """Read what has changed: not before somebody asks."""
        if not self._is_behind:
            return
        self._is_behind = False
        for name in self._runs.keys() - self._all.keys():
            del self._runs[name]
            self._forget()
        for name, run in self._all.items():
            known = self._runs.get(name)
            if known is None or known.run is not run:
                self._runs[name] = self._read(run, known)

    def comparison(self, run: RunState, job: Job) -> Comparison:
        """What the group of `job`, any of its folds, may be compared with.

        In a matrix each combination is a group of its own.
        """
        return self.compare(self.asked(run, group_of(run.graph, job)))

    def asked(self, run: RunState, group: Group) -> Asked:
        """A group of a run, as far as it has come."""
        results = tuple(run.jobs[job.id].result_of for job in group.jobs)
        return Asked(
            run=run.name,
            graph=run.graph.name,
            group=group.name,
            folds=tuple(job.fold for job in group.jobs),
            given=given_by(run, group.jobs[0]),
            facts=tuple(
                facts_of(attempts_of(run, job, self._all) or (), job.metric) for job in group.jobs
            ),
            results=results if all(results) else (),
        )

    def compare(self, asked: Asked) -> Comparison:
        """The same of a group that may be of no run yet."""
        self._catch_up()
        if asked not in self._answers:
            chosen = [known.run for known in self._runs.values() if known.run.baseline_ms]
            chosen.sort(key=lambda run: run.baseline_ms or 0, reverse=True)
            self._answers[asked] = compared(asked, self._finished(), chosen, self._why_none)
        return self._answers[asked]

    def walls_s(self) -> tuple[float, ...]:
        """How many seconds each group that has finished kept its devices, of all runs."""
        return tuple(one.finished.wall_s for one in self._finished())

    def _why_none(self, run: RunState) -> str:
        """Why a run has no group that could be compared, as a clause."""
        found = [entry.found for entry in self._runs[run.name].entries.values()]
        return next((why for why in found if isinstance(why, str)), NO_FOLDS)

    def _finished(self) -> tuple[Candidate, ...]:
        """The oldest first."""
        self._catch_up()
        if self._candidates is None:
            entries = [one for known in self._runs.values() for one in known.entries.values()]
            found = [one.found for one in entries if isinstance(one.found, Candidate)]
            self._candidates = tuple(sorted(found, key=_age))
        return self._candidates

    def _read(self, run: RunState, known: _Read | None) -> _Read:
        if known is not None and known.run.graph is not run.graph:
            known = None
        if known is None or known.run.baseline_ms != run.baseline_ms:
            self._forget()
        if known is not None and known.run.jobs is run.jobs:
            return replace(known, run=run)  # something was reported
        groups = known.groups if known is not None else tuple(groups_of(run.graph))
        entries: dict[str, _Entry] = {}
        for group in groups:
            jobs = tuple(run.jobs[job.id] for job in group.jobs)
            entry = known.entries[group.name] if known is not None else None
            if entry is None or any(a is not b for a, b in zip(entry.jobs, jobs, strict=True)):
                entry = self._entry(run, group, jobs, entry)
            entries[group.name] = entry
        return _Read(run, groups, entries)

    def _entry(
        self, run: RunState, group: Group, jobs: tuple[JobState, ...], before: _Entry | None
    ) -> _Entry:
        found = candidate_of(run, group, self._all)
        was_one = before is not None and isinstance(before.found, Candidate)
        # Of a chosen run it is told how far it has come.
        if isinstance(found, Candidate) or was_one or run.baseline_ms is not None:
            self._forget()
        return _Entry(jobs, found)

    def _forget(self) -> None:
        self._candidates = None
        self._answers.clear()


NO_FOLDS = "it has no group of folds"


def why_no_baseline(state: State, run: RunState) -> str:
    """Why a run cannot be chosen as a baseline, as a clause; empty where it can."""
    found = [candidate_of(run, group, state.runs) for group in groups_of(run.graph)]
    if any(isinstance(one, Candidate) for one in found):
        return ""
    return next((why for why in found if isinstance(why, str)), NO_FOLDS)


def _age(candidate: Candidate) -> tuple[int, str]:
    return candidate.submitted_ms, candidate.run


@dataclass(frozen=True, slots=True)
class _Entry:
    jobs: tuple[JobState, ...]
    found: Candidate | str
    """Or why there is none."""


@dataclass(frozen=True, slots=True)
class _Read:
    run: RunState
    groups: tuple[Group, ...]
    entries: Mapping[str, _Entry]
