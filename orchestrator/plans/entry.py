"""One entry of a plan on its way to jobs: its cells, its command."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.graph import AtEdge
from orchestrator.plans.complaints import nearest
from orchestrator.plans.describe import JobType
from orchestrator.plans.document import Keys
from orchestrator.plans.plan import Plan, PlanError, first_of
from orchestrator.plans.spec import JobSpec

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][\w-]*)\}")

_QUOTED = "a program and its arguments, every quote closed"
_SHELL = frozenset({"&&", "||", "|", ";", ">", ">>", "<", "&", "2>&1"})
"""Words that mean something to a shell and nothing to a program."""


@dataclass(frozen=True)
class Problems:
    """Everything that is wrong with a plan, collected so that a person hears of it at once."""

    plan: Plan
    found: dict[str, PlanError] = field(default_factory=dict)
    """By their words: the five folds of an entry make one mistake, not five."""

    def add(self, keys: Keys, what: str, **parts: Any) -> None:
        self.keep(self.plan.error(keys, what, **parts))

    def keep(self, error: PlanError) -> None:
        self.found.setdefault(str(error), error)

    def raise_first(self) -> None:
        if self.found:
            raise first_of(self.found.values())


@dataclass(frozen=True)
class Cell:
    """One cell of an entry's matrix, in one fold: what becomes a job."""

    suffix: str
    """What follows the entry's name in the job's id."""
    matrix: Mapping[str, Any]
    positions: Mapping[str, int]
    """Which value of each matrix key it is."""
    fold: int | None


@dataclass(frozen=True)
class Entry:
    name: str
    spec: JobSpec
    kind: JobType | None
    """None for a `run:` job, and for one that could not be described."""
    folds_entry: str | None = None
    """The entry whose folds it is repeated for."""
    folds: int | None = None

    @property
    def keys(self) -> Keys:
        return ("jobs", self.name)

    @property
    def devices(self) -> int:
        if self.spec.devices is not None:
            return self.spec.devices
        return self.kind.devices if self.kind else 0

    @property
    def cpus(self) -> int:
        if self.spec.cpus is not None:
            return self.spec.cpus
        return self.kind.cpus if self.kind else 1

    @property
    def offers_smoke(self) -> bool:
        return self.devices > 0 and self.kind is not None and self.kind.smoke

    @property
    def resumes(self) -> bool:
        """Whether a new attempt goes on where the one before was stopped."""
        if self.spec.resume is not None:
            return self.spec.resume
        return self.kind.resume if self.kind else False

    @property
    def at_edge(self) -> AtEdge:
        if self.spec.at_edge is not None:
            return self.spec.at_edge
        return "park" if self.resumes else "hard-stop"

    def cells(self) -> Iterator[Cell]:
        """Folds within values; nothing when the folds are not known."""
        if self.spec.per and self.folds is None:
            return
        matrix = self.spec.matrix
        words = {key: _words(values) for key, values in matrix.items()}
        folds = [None] if self.folds is None else list(range(self.folds))
        for cell in itertools.product(*(range(len(values)) for values in matrix.values())):
            positions = dict(zip(matrix, cell, strict=True))
            named = "+".join(f"{key}={words[key][number]}" for key, number in positions.items())
            values = {key: matrix[key][number] for key, number in positions.items()}
            for fold in folds:
                suffix = f".{named}" if named else ""
                suffix += "" if fold is None else f".fold{fold}"
                yield Cell(suffix, values, positions, fold)


def argv_of(entry: Entry, cell: Cell, problems: Problems) -> tuple[str, ...]:
    """The words of a `run:` command with `{fold}` and the other placeholders filled in."""
    run = entry.spec.run
    if not run:
        return ()
    place: Keys = (*entry.keys, "run")
    values = {**entry.spec.with_, **cell.matrix}
    if cell.fold is not None:
        values |= {"fold": cell.fold, "folds": entry.folds}
    try:
        words = shlex.split(run)
    except ValueError as error:
        problems.add(place, f"cannot read this command: {error}".lower(), got=run, wanted=_QUOTED)
        return ()
    if operators := _SHELL.intersection(words):
        sign = min(operators)
        problems.add(
            place,
            "`run` is one program and its arguments; no shell reads it",
            got=sign,
            wanted=f"""sh -c '... {sign} ...'""",
        )
    used: set[str] = set()

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        used.add(name)
        if name not in values:
            wanted = "a key of `with` or `matrix`, or {fold} in an entry that is `per: fold`"
            wanted = nearest(name, values) if values else wanted
            wanted += " ({{ and }} write braces)"
            problems.add(place, "this placeholder has no value", got=match[0], wanted=wanted)
        return str(values.get(name, ""))

    # Split first: a value with a space in it stays one argument.
    argv = tuple(_PLACEHOLDER.sub(fill, word) for word in words)
    for key in sorted(cell.matrix.keys() - used):
        what = f"`run` does not use {{{key}}}: every job of this matrix would do the same"
        place = (*entry.keys, "matrix", key)
        problems.add(place, what, got=run, wanted=f"{{{key}}} in `run`")
    for key in sorted(entry.spec.with_.keys() - used):  # nothing else would read it
        place = (*entry.keys, "with", key)
        what = f"`run` does not use {{{key}}}, so its value would do nothing"
        problems.add(place, what, got=run, wanted=f"{{{key}}} in `run`")
    return argv


def find_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """A cycle as `[a, b, a]`, beginning with what stands first in the plan, or nothing."""
    safe: set[str] = set()
    for start in needs:
        path: list[str] = [start]
        waiting = [iter(needs[start])]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                safe.add(path.pop())
                waiting.pop()
            elif name in path:
                cycle = path[path.index(name) :]
                first = min(cycle, key=list(needs).index)
                turn = cycle.index(first)
                return [*cycle[turn:], *cycle[:turn], first]
            elif name not in safe:
                path.append(name)
                waiting.append(iter(needs[name]))
    return []


def _words(values: list[Any]) -> list[str]:
    """A word for each value that may stand in the name of a job, and of a folder; all different."""
    words: list[str] = []
    for number, value in enumerate(values):
        word = re.sub(r"[^A-Za-z0-9._-]+", "-", str(value)).strip("-")[:40] or str(number)
        words.append(word if word not in words else f"{word}-{number}")
    return words
