"""Whether what `predict` is given was made like what its networks were trained on, as far as a plan
says: the job itself would find out when every fold is paid for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from orchestrator.graph import Graph, Job

_SAME_LOOK = frozenset({"bands", "pca", "subset"})
"""Jobs that make another packed set, of the size and the cut of the one that they read."""
_OTHER_CHANNELS = frozenset({"bands", "pca"})
"""Those of them after which the colours of `resize` say nothing any more."""
_WITHOUT = frozenset({"card", "errors", "folds", "predict", "preview", "probe", "scan", "stats"})
"""Jobs that hand on no pictures and no network."""
Key = Literal["size", "mode", "colour", "fill"]
"""The parameters of `resize` that the network sees. How the pictures are kept it does not."""


class OtherPictures(NamedTuple):
    """Pictures to predict that look otherwise than those that the networks know."""

    predict: str
    """Entries of the plan, as `given` and `trained`, which make the pictures."""
    given: str
    trained: str
    key: Key
    """The parameter that differs, and what it is on either side."""
    given_value: str
    trained_value: str
    fails: bool
    """Whether `predict` cannot take them at all; else it would answer, and be wrong more often."""
    mend: tuple[str, ...]
    """For `--set`: what makes them alike."""


class _Recipe(NamedTuple):
    """None where the plan does not say it."""

    sides_px: tuple[int, ...] | None
    """None, too, of pictures that keep their own shapes."""
    mode: str | None
    colour: str | None
    fill: int


class _Set(NamedTuple):
    entry: str
    resize: str
    recipe: _Recipe


_UNKNOWN = _Recipe(None, None, None, 0)


def other_pictures(graph: Graph) -> Iterator[OtherPictures]:
    """For each entry of `predict` at most one. Where an entry of the user's own may have made the
    pictures or the network, nothing is said."""
    told: set[str] = set()
    for job in graph.jobs:
        if job.uses == "predict" and not job.smoke and job.group not in told:
            told.add(job.group)
            found = _found(graph, job)
            if found is not None:
                yield found


def _found(graph: Graph, predict: Job) -> OtherPictures | None:
    """What is said of the set that `predict` takes: the nearest one that it can take; of the
    nearest, where it can take none."""
    before = [graph.job(name) for names in graph.inputs(predict.id).values() for name in names]
    trainings = [job for job in before if job.uses == "train"]
    one = len({job.group for job in trainings}) == 1
    if not one or any(job.uses in ("better", "fit") for job in before):
        return None
    read = {next(_sets(graph, job), None) for job in trainings}
    trained = read.pop()
    if read or trained is None or trained.recipe.sides_px is None:
        return None
    first: OtherPictures | None = None
    for given in _sets(graph, predict):
        if given.entry == trained.entry:
            break
        if given.recipe.mode is None:
            return None
        other = _compared(predict.group, given, trained)
        if other is None or not other.fails:
            return other
        first = first or other
    return first


def _compared(predict: str, given: _Set, trained: _Set) -> OtherPictures | None:
    ours, theirs = given.recipe, trained.recipe

    def other(key: Key, our: object, their: object, *, fails: bool) -> OtherPictures:
        names = (predict, given.resize, trained.resize)
        shown = (_shown(key, our), _shown(key, their))
        mend = [f"{given.resize}.{key}={_last(their)}"]
        if ours.sides_px is None:  # a size meant the longest side, if there was one
            mend.append(f"{given.resize}.size={_last(theirs.sides_px)}")
        return OtherPictures(*names, key, *shown, fails, tuple(mend))

    if ours.sides_px is None:
        return other("mode", ours.mode, theirs.mode, fails=True)
    if not set(ours.sides_px) & set(theirs.sides_px or ()):
        return other("size", ours.sides_px, theirs.sides_px, fails=True)
    if ours.colour and theirs.colour and ours.colour != theirs.colour:
        fails = "gray" in (ours.colour, theirs.colour)  # one channel; the others have three
        return other("colour", ours.colour, theirs.colour, fails=fails)
    if ours.mode != theirs.mode:
        return other("mode", ours.mode, theirs.mode, fails=False)
    if ours.fill != theirs.fill:
        return other("fill", ours.fill, theirs.fill, fails=False)
    return None


def _shown(key: Key, value: object) -> str:
    return f"{', '.join(map(str, value))} px" if isinstance(value, tuple) else f"{key}: {value}"


def _last(value: object) -> object:
    return value[-1] if isinstance(value, tuple) else value


def _sets(graph: Graph, reader: Job) -> Iterator[_Set]:
    """The packed sets among what a job reads, nearest first."""
    for names in graph.inputs(reader.id).values():
        job = graph.job(names[0])
        if job.uses == "resize":
            recipes = {_recipe(graph.job(name)) for name in names}
            yield _Set(job.group, job.group, recipes.pop() if len(recipes) == 1 else _UNKNOWN)
        elif job.uses in _SAME_LOOK:
            read = next(_sets(graph, job), None)
            if read is None:
                yield _Set(job.group, job.group, _UNKNOWN)
                continue
            colour = None if job.uses in _OTHER_CHANNELS else read.recipe.colour
            yield _Set(job.group, read.resize, read.recipe._replace(colour=colour))
        elif job.uses not in _WITHOUT and job.uses != "train":
            yield _Set(job.group, job.group, _UNKNOWN)


def _recipe(resize: Job) -> _Recipe:
    mode = str(resize.params.get("mode", "crop"))
    colour, fill = str(resize.params.get("colour", "rgb")), int(resize.params.get("fill", 0))
    size = resize.params.get("size")
    if mode == "keep":
        return _Recipe(None, mode, colour, fill)
    if size is None:
        from jobs.resize.job import DEFAULT_PX  # brings pydantic

        size = (DEFAULT_PX,)
    return _Recipe(tuple(sorted(size)), mode, colour, fill)
