"""What the recipes of several groups of folds have that is not the same in all of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.plans.differences import Detail, Record, differences, values_that_differ


@dataclass(frozen=True)
class Trained:
    """A group of folds, as far as its recipe is concerned."""

    graph: Graph
    job: Job
    """Any of its folds."""


@dataclass(frozen=True)
class Row:
    """One thing that differs, with its value in each group; None where it is not set."""

    name: str
    values: tuple[Any, ...]


def recipe_rows(groups: Sequence[Trained]) -> list[Row]:
    """Parameters of the training by their names, then those of what it needs with the job before
    them: "packed.size". Parameters of a group are told one by one: "mixup.alpha"."""
    recipes = [_recipe(one) for one in groups]
    own = [{name for name, _ in _flat(one.job.params, "")} for one in groups]
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe))
    names.sort(key=lambda name: not any(name in theirs for theirs in own))
    rows = [Row(name, tuple(recipe.get(name) for recipe in recipes)) for name in names]
    return [row for row in rows if any(value != row.values[0] for value in row.values[1:])]


def code_changes(
    one: Trained, other: Trained, record: Callable[[str], Record | None], detail: Detail
) -> Iterator[str]:
    """From `one` to `other`: what differs in code, libraries and files, where that was kept; what
    `recipe_rows` tells is left out."""
    before = {job.group: job for job in _jobs(one)}
    for job in _jobs(other):
        known = before.get(job.group)
        if known is None or known.static_key == job.static_key or known.fold != job.fold:
            continue
        old, new = record(known.static_key), record(job.static_key)
        if old is None or new is None:
            continue
        told = {*values_that_differ(old.get("params", {}), new.get("params", {}))}
        for said in differences(old, new, detail):
            if said not in told:
                yield f"{job.group}: {said}"


def _recipe(one: Trained) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for job in _jobs(one):
        way = "" if job is one.job else f"{job.group}."
        found.update(_flat(job.params, way))
        if job.argv:
            found[f"{way}command"] = " ".join(job.argv)
        elif job is one.job:
            found["uses"] = job.uses
        if job is one.job and job.devices:
            found["devices"] = job.devices
    return found


def _jobs(one: Trained) -> Iterator[Job]:
    """The training, then what it needs, nearest first; one of each entry."""
    yield one.job
    seen = {one.job.group}
    for name in one.graph.ancestors(one.job.id):
        job = one.graph.job(name)
        if not job.smoke and job.group not in seen:
            seen.add(job.group)
            yield job


def _flat(values: Mapping[str, Any], way: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{way}{name}.")
        else:
            yield f"{way}{name}", value
