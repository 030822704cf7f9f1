"""What the folds of a group were given: which pictures, how they are split. Pure.

The pictures are told by the results of the jobs above the folds: `scan` and whatever may leave some
out or change what is said of them. What only prepares them, such as `resize`, may differ: accuracy
at another size, on the same pictures held out, is what people want to compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.plans.differences import told, values_that_differ
from orchestrator.state.state import RunState

FOLDS = "folds"
"""What `uses` names the job that splits."""

PREPARES = frozenset(
    {"bands", "features", "pca", "preview", "probe", "resize", "stats"},
)
"""Built-in jobs after which there are the same pictures with the same targets in the same rows."""


@dataclass(frozen=True)
class Maker:
    """A job whose result says which pictures there are, or how they are split."""

    id: str
    uses: str
    params: Mapping[str, Any]
    digest: str
    """Of what it made; empty where that is not known yet."""


@dataclass(frozen=True)
class Given:
    folds: int
    """How many there are, whether or not the run trains them all."""
    split: Maker
    pictures: tuple[Maker, ...]
    """In the order of the graph."""

    @property
    def known(self) -> bool:
        return all(maker.digest for maker in (self.split, *self.pictures))

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for groups on the same pictures, split in the same way."""
        return (self.folds, self.split.digest, *sorted(maker.digest for maker in self.pictures))


def given_of(graph: Graph, job: Job, digests: Mapping[str, str]) -> Given | None:
    """What a fold was given; `digests` are those of results by job. None where it is no fold."""
    if job.fold is None or job.folds is None:
        return None
    above = [graph.job(name) for name in graph.ancestors(job.id)]
    split = next((one for one in above if one.uses == FOLDS), None)
    if split is None:
        return None
    before = set(graph.ancestors(split.id))
    makers = [
        _maker(one, digests)
        for one in graph.jobs
        if one.id in before and not (one.needs and one.uses in PREPARES)
    ]
    return Given(job.folds, _maker(split, digests), tuple(makers))


def given_by(run: RunState, job: Job) -> Given | None:
    """The same with the results that a run has by now."""
    return given_of(run.graph, job, {name: known.digest for name, known in run.jobs.items()})


def difference(here: Given, there: Given) -> str:
    """Why the pictures or the folds are not the same, as a clause; empty where they are."""
    if here.folds != there.folds:
        return f"other folds: {here.folds} here, {there.folds} there"
    if not (here.known and there.known):
        return "what its folds are made of is not known"
    if here.key == there.key:
        return ""
    for word, ours, theirs in (
        ("pictures", here.pictures, there.pictures),
        ("folds", (here.split,), (there.split,)),
    ):
        if sorted(one.digest for one in ours) != sorted(one.digest for one in theirs):
            return f"other {word}: {'; '.join(_differences(ours, theirs))}"
    return ""


def _differences(here: tuple[Maker, ...], there: tuple[Maker, ...]) -> Iterator[str]:
    """From there to here."""
    before = {maker.id: maker for maker in there}
    for maker in here:
        other = before.pop(maker.id, None)
        if other is None:
            yield f"{maker.id} is new"
        elif other.digest != maker.digest:
            changed = told([*values_that_differ(other.params, maker.params)])
            yield f"{maker.id}: {changed}" if changed else f"{maker.id} made something else"
    yield from (f"without {name}" for name in before)


def _maker(job: Job, digests: Mapping[str, str]) -> Maker:
    return Maker(job.id, job.uses, job.params, digests.get(job.id, ""))
