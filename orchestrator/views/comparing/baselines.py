"""What a run is compared with, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean, stdev

from orchestrator.baselines.book import Book
from orchestrator.baselines.comparing import NOT_MADE, NOT_SPLIT, Asked
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.facts import facts_of
from orchestrator.baselines.given import given_of
from orchestrator.baselines.group import Group, groups_of
from orchestrator.graph import Graph, Job
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import Finished
from orchestrator.views.figures import mean_and_spread

RULE = "beats-baseline"
_TRAINS = ("train", "fit")
_HOUR_S, _MINUTE_S = 3600, 60


def score_of(finished: Finished) -> str:
    """ "0.904 ± 0.006": over its folds."""
    scores = [fold.best for fold in finished.folds if fold.best is not None]
    return mean_and_spread(fmean(scores), stdev(scores) if len(scores) > 1 else None)


def named(finished: Finished, beside: str = "train") -> str:
    """ "seedlings-1 (0.904 ± 0.006, 2.1 h)"; with its group where that is not `beside`."""
    group = "" if finished.group == beside else f"{finished.group} of "
    return f"{group}{finished.run} ({score_of(finished)}, {_hours(finished.wall_s)})"


def sentence(comparison: Comparison, group: Group, *, over: bool = False) -> str:
    """What the group is compared with, or why with nothing, and what that means for one that is
    not `over`."""
    if comparison.baseline is not None:
        chosen = ", chosen" if comparison.chosen else ""
        return named(comparison.baseline, group.name) + chosen
    if comparison.why == NOT_MADE:
        return "known when its folds are made"
    parts = ["no baseline" if comparison.passed_over else "no baseline yet"]
    if not over and any(rule.name == RULE for rule in group.jobs[0].stop):
        parts[0] += f": {RULE} will not fire"
    if comparison.passed_over or comparison.why == NOT_SPLIT:
        parts.append(comparison.why)
    elif comparison.refused:
        near = comparison.refused[0]
        parts.append(f"{near.run} cannot be compared: {near.why}")
    return "; ".join(parts)


def lines(
    comparisons: Mapping[str, tuple[Group, Comparison]], *, over: bool = False
) -> Iterator[tuple[str, str]]:
    """Heads and sentences, one a group that trains; "baseline" alone where there is one."""
    for name, (group, comparison) in comparisons.items():
        head = "baseline" if len(comparisons) == 1 else f"baseline of {name}"
        yield head, sentence(comparison, group, over=over)


def comparisons_of(book: Book, run: RunState) -> dict[str, tuple[Group, Comparison]]:
    """Of each group of folds that a run trains."""
    return {
        group.name: (group, book.compare(book.asked(run, group)))
        for group in groups_of(run.graph)
        if trains(group.jobs[0])
    }


def planned_comparisons(
    book: Book, graph: Graph, digests: Mapping[str, str]
) -> dict[str, tuple[Group, Comparison]]:
    """The same for a plan that was not submitted; `digests` are of the results that are there."""
    return {
        group.name: (group, book.compare(_planned(graph, group, digests)))
        for group in groups_of(graph)
        if trains(group.jobs[0])
    }


def trains(job: Job) -> bool:
    """Whether a job that is a fold is one of those that are compared."""
    return job.lane == "accelerator" or job.uses in _TRAINS or bool(job.stop)


def _planned(graph: Graph, group: Group, digests: Mapping[str, str]) -> Asked:
    return Asked(
        run="",
        graph=graph.name,
        group=group.name,
        folds=tuple(job.fold for job in group.jobs),
        given=given_of(graph, group.jobs[0], digests),
        facts=tuple(facts_of((), job.metric) for job in group.jobs),
    )


def _hours(seconds: float) -> str:
    if seconds >= _HOUR_S / 10:
        return f"{seconds / _HOUR_S:.1f} h"
    return f"{seconds / _MINUTE_S:.0f} min" if seconds >= _MINUTE_S else f"{seconds:.0f} s"
