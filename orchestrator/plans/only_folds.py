"""A graph with some of its folds left out: `--folds 0,1`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.graph import Graph
from skint.errors import USAGE, SkintError


class NoSuchFold(SkintError):
    """The plan has no job for this fold."""

    exit_code = USAGE


def parse_folds(text: str) -> frozenset[int]:
    """ "0,1" or "0-2". Raises NoSuchFold."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise NoSuchFold("these are not folds", got=text, wanted="--folds 0,1 or --folds 0-2")
        found.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(found)


def only_folds(graph: Graph, folds: Collection[int]) -> Graph:
    """`graph` with the jobs of these folds alone; what needed the others does without them.

    The folds themselves stay as they are: fold 1 of 5 is the same fold, and its result can be used
    by a later run of all of them. Raises NoSuchFold.
    """
    known = {job.fold for job in graph.jobs if job.fold is not None}
    missing = sorted(set(folds) - known)
    if missing or not folds:
        got = ", ".join(map(str, missing)) or "none"
        wanted = ", ".join(map(str, sorted(known))) or "a plan with an entry `per: fold`"
        raise NoSuchFold("the plan has no such fold", got=got, wanted=wanted)
    kept = tuple(job for job in graph.jobs if job.fold is None or job.smoke or job.fold in folds)
    names = {job.id for job in kept}
    jobs = tuple(
        replace(job, needs=tuple(need for need in job.needs if need in names)) for job in kept
    )
    text = f"{graph.plan_text}# --folds {','.join(map(str, sorted(folds)))}\n"
    return replace(graph, jobs=jobs, plan_text=text)
