"""One group against all finished ones: which are like it, and which is the baseline. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.baselines.comparison import Comparison, Refusal
from orchestrator.baselines.facts import Facts, together
from orchestrator.baselines.given import Given, difference
from orchestrator.baselines.group import Candidate, mean_of
from orchestrator.baselines.metric import Metric, metric_of
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import Finished

NONE_YET = "no group on the same pictures and folds has finished yet"
NOT_SPLIT = "it is not split into folds"
NOT_MADE = "its folds are not made yet"
"""What they will be like, and so what compares, is not known before."""


@dataclass(frozen=True)
class Asked:
    """A group that is to be compared, as far as it has come."""

    run: str
    """Empty where it is of no run yet."""
    graph: str
    """The plan's name."""
    group: str
    folds: tuple[int | None, ...]
    """Those that it has: a run may be asked for some of them only."""
    given: Given | None
    facts: tuple[Facts, ...]
    """By fold."""
    results: tuple[str, ...] = ()
    """The attempts that made its results, where it has them all."""

    def __hash__(self) -> int:
        return hash((self.run, self.group, self.facts, self.results))


def compared(
    asked: Asked,
    candidates: Sequence[Candidate],
    chosen: Sequence[RunState],
    why_none: Callable[[RunState], str],
) -> Comparison:
    """`candidates` are the oldest first, `chosen` the newest choice first; `why_none` says why a
    run has no candidate."""
    metric, facts = _metric(asked, candidates), together(asked.facts)
    if asked.given is None:
        return Comparison(metric, facts, why=NOT_SPLIT)
    if not asked.given.known:
        return Comparison(metric, facts, why=NOT_MADE if candidates else NONE_YET)
    refused: list[Refusal] = []
    alike: list[Candidate] = []
    for one in _others(asked, candidates, {run.name for run in chosen}):
        why = why_not(asked, metric, one)
        if why:
            refused.append(Refusal(one.run, one.finished.group, why))
        else:
            alike.append(one)
    folds = frozenset(asked.folds)
    finished = tuple(one.on_folds(folds) for one in alike)
    refused.reverse()
    baseline, why, passed_over = _baseline(asked, metric, finished, refused, chosen, why_none)
    return Comparison(
        metric=metric,
        facts=facts,
        finished=finished,
        baseline=baseline,
        chosen=baseline is not None and baseline.run in {run.name for run in chosen},
        why=why,
        passed_over=passed_over,
        refused=tuple(refused),
    )


def why_not(asked: Asked, metric: Metric, other: Candidate) -> str:
    """Why a finished group is not compared with one that was asked about, as a clause; empty where
    it is."""
    assert asked.given is not None
    why = difference(asked.given, other.given)
    theirs = other.facts
    if why:
        return why
    if metric.name != theirs.metric:
        return f"another metric: {metric.name} here, {theirs.metric} there"
    ours = together(asked.facts)
    if ours.classes and theirs.classes and ours.classes != theirs.classes:
        return f"other classes: {ours.classes} here, {theirs.classes} there"
    for fold, facts in zip(asked.folds, asked.facts, strict=True):
        items = other.by_fold[fold or 0].items
        if facts.items is not None and items is not None and facts.items != items:
            return f"fold {fold} validates on {facts.items:,} pictures here, on {items:,} there"
    return ""


def _metric(asked: Asked, candidates: Sequence[Candidate]) -> Metric:
    """What the group measures; before it has said so, what the newest one like it measured."""
    said = together(asked.facts)
    if not said.metric and asked.given is not None and asked.given.known:
        alike = [one for one in reversed(candidates) if one.given.key == asked.given.key]
        alike.sort(key=lambda one: one.graph != asked.graph)
        said = alike[0].facts if alike else said
    return metric_of(said.metric, said.larger_is_better)


def _others(asked: Asked, candidates: Iterable[Candidate], chosen: set[str]) -> Iterable[Candidate]:
    """Those of other groups; of several with the same results the oldest, or one that is chosen."""
    found: dict[tuple[str, ...], Candidate] = {}
    for one in candidates:
        own = (one.run, one.finished.group) == (asked.run, asked.group)
        if own or one.results == asked.results:
            continue
        known = found.get(one.results)
        if known is None or (one.run in chosen and known.run not in chosen):
            found[one.results] = one
    return found.values()


def _baseline(
    asked: Asked,
    metric: Metric,
    finished: Sequence[Finished],
    refused: Sequence[Refusal],
    chosen: Sequence[RunState],
    why_none: Callable[[RunState], str],
) -> tuple[Finished | None, str, str]:
    """The baseline, why there is none, and the chosen run that cannot be it."""
    for run in chosen:
        best = best_of(metric, [one for one in finished if one.run == run.name])
        if best is not None:
            return best, "", ""
    # A choice is about its plan: on other pictures the best one stands, as if nothing was chosen.
    own = next((run for run in chosen if run.graph.name == asked.graph), None)
    if own is not None and own.name != asked.run:
        why = next((one.why for one in refused if one.run == own.name), "") or why_none(own)
        return None, f"{own.name} was chosen, and cannot be compared: {why}", own.name
    best = best_of(metric, finished)
    if best is not None:
        return best, "", ""
    near = next(iter(refused), None)
    if near is None:
        return None, NONE_YET, ""
    return None, f"{NONE_YET}; {near.run}: {near.why}", ""


def best_of(metric: Metric, finished: Iterable[Finished]) -> Finished | None:
    """By the mean over its folds; of equals the first."""
    best: Finished | None = None
    for one in finished:
        if best is None or metric.better(mean_of(one), mean_of(best)):
            best = one
    return best
