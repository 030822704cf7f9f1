"""The folds of a plan entry in one combination of its matrix: what is compared with its like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from orchestrator.baselines.attempts import attempts_of
from orchestrator.baselines.facts import Facts, facts_of, together
from orchestrator.baselines.fold_view import fold_view
from orchestrator.baselines.given import Given, given_by
from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import Finished


@dataclass(frozen=True)
class Group:
    """Folds that belong together. In a matrix there are as many groups as combinations."""

    name: str
    """`train`, or `sweep.lr=0.1` of a matrix."""
    jobs: tuple[Job, ...]
    """Ascending by fold."""


@dataclass(frozen=True)
class Candidate:
    """A group of which all folds have a result."""

    run: str
    graph: str
    """The plan's name."""
    submitted_ms: int
    given: Given
    by_fold: Mapping[int, Facts]
    results: tuple[str, ...]
    """The attempts that made the folds' results."""
    finished: Finished
    walls_s: tuple[float, ...]
    """How long each of its folds kept its devices."""

    @property
    def facts(self) -> Facts:
        return together(self.by_fold.values())

    def on_folds(self, folds: frozenset[int | None]) -> Finished:
        """What it came to on some of its folds."""
        kept = [
            (fold, wall_s)
            for fold, wall_s in zip(self.finished.folds, self.walls_s, strict=True)
            if fold.fold in folds
        ]
        if len(kept) == len(self.walls_s):
            return self.finished
        return replace(
            self.finished,
            folds=tuple(fold for fold, _ in kept),
            wall_s=sum(wall_s for _, wall_s in kept),
        )


def scores_of(finished: Finished) -> list[float]:
    """Of its folds, in their order."""
    return [fold.best for fold in finished.folds if fold.best is not None]


def mean_of(finished: Finished) -> float:
    """Of the scores of its folds."""
    scores = scores_of(finished)
    return sum(scores) / len(scores)


def groups_of(graph: Graph) -> Iterator[Group]:
    """All of a graph that are folds and no rehearsal."""
    for name, jobs in graph.cells().items():
        folds = [job for job in jobs if job.fold is not None and not job.smoke]
        if folds:
            yield Group(name, tuple(sorted(folds, key=lambda job: job.fold or 0)))


def group_of(graph: Graph, job: Job) -> Group:
    """The group of a fold; of another job itself."""
    jobs = graph.cells()[job.cell] if job.fold is not None else (job,)
    return Group(job.cell, tuple(sorted(jobs, key=lambda job: job.fold or 0)))


def unfinished(run: RunState, group: Group) -> str:
    """Why a group has not all its scores, as a clause; empty where it has."""
    done = sum(run.jobs[job.id].has_result for job in group.jobs)
    folds = group.jobs[0].folds or len(group.jobs)
    if done < len(group.jobs):
        return f"{done} of {folds} folds of {group.name} are done"
    if done < folds:
        return f"only {done} of {folds} folds of {group.name} were asked for"
    return ""


def candidate_of(run: RunState, group: Group, runs: Mapping[str, RunState]) -> Candidate | str:
    """The group as others are compared with it, or why it cannot be, as a clause."""
    if why := unfinished(run, group):
        return why
    given = given_by(run, group.jobs[0])
    if given is None:
        return f"nothing says how {group.name} is split"
    tried = [attempts_of(run, job, runs) or () for job in group.jobs]
    if not all(tried):
        return f"what the reused folds of {group.name} reported is not known any more"
    by_fold = {
        job.fold or 0: facts_of(attempts, job.metric)
        for job, attempts in zip(group.jobs, tried, strict=True)
    }
    folds = tuple(fold_view(run, job, runs, 0) for job in group.jobs)
    # Numbers of other CPU jobs are no scores; a training in the CPU lane counts epochs.
    trains = any(job.lane == "accelerator" for job in group.jobs) or any(f.epochs for f in folds)
    if not trains or not all(facts.metric for facts in by_fold.values()):
        return f"{group.name} has reported no metric"
    if not all(fold.best is not None and isfinite(fold.best) for fold in folds):
        return f"a fold of {group.name} has no score that is a number"
    walls_s = tuple(map(_wall_s, tried))
    return Candidate(
        run=run.name,
        graph=run.graph.name,
        submitted_ms=run.submitted_ms,
        given=given,
        by_fold=by_fold,
        results=tuple(run.jobs[job.id].result_of for job in group.jobs),
        finished=Finished(run.name, group.name, folds, sum(walls_s)),
        walls_s=walls_s,
    )


def _wall_s(attempts: tuple[AttemptState, ...]) -> float:
    spans = ((a.started_ms, a.ended_ms) for a in attempts)
    return sum(end - start for start, end in spans if start and end) / 1000
