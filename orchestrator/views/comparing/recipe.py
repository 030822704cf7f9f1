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
    them: "packed.size". Parameters of a group are told one by one: "mixup.alpha". Where one runs
    another job, what that one cannot have is no difference: the job is."""
    recipes = [_recipe(one) for one in groups]
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe.values))
    names.sort(key=lambda name: not any(name in recipe.own for recipe in recipes))
    return [row for name in names if (row := _row(name, recipes)) is not None]


@dataclass(frozen=True)
class _Recipe:
    values: Mapping[str, Any]
    own: frozenset[str]
    """The names of the parameters of the training itself."""
    runs: Mapping[str, str]
    """What each job of it runs, by entry; that of the training is ""."""


def _row(name: str, recipes: Sequence[_Recipe]) -> Row | None:
    """None where it does not differ."""
    has = [recipe for recipe in recipes if name in recipe.values]
    entry = "" if name in has[0].own else name.partition(".")[0]
    kinds = {recipe.runs.get(entry) for recipe in has}
    could = [recipe for recipe in recipes if recipe.runs.get(entry) in kinds]
    values = [recipe.values.get(name) for recipe in (could if entry != name else recipes)]
    if all(value == values[0] for value in values):
        return None
    return Row(name, tuple(recipe.values.get(name) for recipe in recipes))


def code_changes(
    one: Trained, other: Trained, record: Callable[[str], Record | None], detail: Detail
) -> list[str]:
    """From `one` to `other`: what differs in code, libraries and files, where that was kept, with
    the entries that it is about; what `recipe_rows` tells is left out."""
    found: dict[str, list[str]] = {}
    for entry, said in _changes(one, other, record, detail):
        found.setdefault(said, []).append(entry)
    return [f"{', '.join(entries)}: {said}" for said, entries in found.items()]


def _changes(
    one: Trained, other: Trained, record: Callable[[str], Record | None], detail: Detail
) -> Iterator[tuple[str, str]]:
    before = {job.group: job for job in _jobs(one)}
    for job in _jobs(other):
        known = before.get(job.group)
        if known is None or known.static_key == job.static_key or known.fold != job.fold:
            continue
        old, new = record(known.static_key), record(job.static_key)
        if old is None or new is None:
            continue
        told = {*values_that_differ(old.get("params", {}), new.get("params", {}))}
        old = {**old, "argv": new.get("argv", [])}  # a row has the commands
        for said in differences(old, new, detail):
            if said not in told:
                yield job.group, said


def _recipe(one: Trained) -> _Recipe:
    found: dict[str, Any] = {}
    own: set[str] = set()
    runs: dict[str, str] = {}
    for job in _jobs(one):
        if job is one.job:
            found.update(_flat(job.params, ""))
            found.update({"devices": job.devices} if job.devices else {})
            own.update(found)
        else:
            found.update(_flat(job.params, f"{job.group}."))
        word = "uses" if job is one.job else job.group
        runs["" if job is one.job else job.group] = job.uses
        found[word] = " ".join(_template(job)) if job.argv else job.uses
    own.add("uses")
    return _Recipe(found, frozenset(own), runs)


def _template(job: Job) -> Iterator[str]:
    """A command with the names of its parameters, which have rows of their own, for their values;
    as it is, where that cannot be told."""
    values = {name: str(value) for name, value in {**job.params, "fold": job.fold}.items()}
    for word in job.argv:
        option, equals, value = word.rpartition("=")
        name = next((name for name, known in values.items() if known == value), None)
        yield word if name is None else f"{option}{equals}{{{name}}}"


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
