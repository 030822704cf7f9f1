"""Whether what `predict` is given has a size that its networks were trained on, as far as a plan
says: the job itself would find out when every fold is paid for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.graph import Graph, Job

_SAME_SIZE = frozenset({"bands", "pca", "subset"})
"""Jobs that make another packed set, of the size of the one that they read."""
_WITHOUT = frozenset({"card", "errors", "folds", "predict", "preview", "probe", "scan", "stats"})
"""Jobs that hand on no pictures and no network."""


class OtherSize(NamedTuple):
    """Pictures to predict of a size that the networks do not know."""

    predict: str
    """Entries of the plan."""
    given: str
    given_px: tuple[int, ...]
    """Sides that the packed set will have."""
    trained: str
    trained_px: tuple[int, ...]


class _Set(NamedTuple):
    entry: str
    resize: str
    sides_px: tuple[int, ...] | None
    """None where the plan does not say it."""


def other_sizes(graph: Graph) -> Iterator[OtherSize]:
    """For each entry of `predict` at most one. Where an entry of the user's own may have made the
    pictures or the network, nothing is said."""
    told: set[str] = set()
    for job in graph.jobs:
        if job.uses == "predict" and not job.smoke and job.group not in told:
            told.add(job.group)
            found = _other_size(graph, job)
            if found is not None:
                yield found


def _other_size(graph: Graph, predict: Job) -> OtherSize | None:
    before = [graph.job(name) for names in graph.inputs(predict.id).values() for name in names]
    trainings = [job for job in before if job.uses == "train"]
    one = len({job.group for job in trainings}) == 1
    if not one or any(job.uses in ("better", "fit") for job in before):
        return None
    read = {next(_sets(graph, job), None) for job in trainings}
    trained = read.pop()
    if read or trained is None or trained.sides_px is None:
        return None
    first: OtherSize | None = None
    for given in _sets(graph, predict):
        if given.entry == trained.entry:
            break
        if given.sides_px is None or set(given.sides_px) & set(trained.sides_px):
            return None
        first = first or OtherSize(
            predict.group, given.resize, given.sides_px, trained.resize, trained.sides_px
        )
    return first


def _sets(graph: Graph, reader: Job) -> Iterator[_Set]:
    """The packed sets among what a job reads, nearest first."""
    for names in graph.inputs(reader.id).values():
        job = graph.job(names[0])
        if job.uses == "resize":
            sides_px = {_sides_px(graph.job(name)) for name in names}
            yield _Set(job.group, job.group, sides_px.pop() if len(sides_px) == 1 else None)
        elif job.uses in _SAME_SIZE:
            read = next(_sets(graph, job), None)
            unknown = _Set(job.group, job.group, None)
            yield unknown if read is None else read._replace(entry=job.group)
        elif job.uses not in _WITHOUT and job.uses != "train":
            yield _Set(job.group, job.group, None)


def _sides_px(resize: Job) -> tuple[int, ...] | None:
    """None of pictures that keep their own shapes."""
    if resize.params.get("mode") == "keep":
        return None
    size = resize.params.get("size")
    if size is None:
        from jobs.resize.job import DEFAULT_PX  # brings pydantic

        return (DEFAULT_PX,)
    return tuple(sorted(size))
