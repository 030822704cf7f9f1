"""Which pictures are predicted, and whether they are of the kind that the networks know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.predict.models import Model, PredictError
from jobs.training.results.published import Published
from skint.dataset import META, PackedSet, read_folds
from skint.outputs import sha256_of


@dataclass(frozen=True, eq=False)
class Pictures:
    """What is predicted."""

    packed: tuple[PackedSet, ...]
    """One for all networks, or one for each: pictures that a fold's own `pca` has made."""
    rows: NDArray[np.int64]
    """(n,) of it, ascending."""
    note: str = ""
    """For the person."""

    @property
    def first(self) -> PackedSet:
        return self.packed[0]


def find_pictures(ctx: skint.Context, models: Sequence[Model]) -> Pictures:
    """The nearest packed set that the networks can take, at their size.

    Of the set that they were trained on, only pictures that no fold trained on or judged by: what
    `folds` set aside as a test part, and what has no label. Raises PredictError where there are
    none, or where all sets are of another size, dtype or other channels.
    """
    published = [model.published for model in models]
    misfit: PredictError | None = None
    for files in _sets(ctx):
        own = any(sha256_of(file) == one.dataset_sha256 for file in files for one in published)
        try:
            packed = _fitting_all(files, published)
        except PredictError as error:
            misfit = misfit or error
            continue
        if not own:
            trained = training_sets(ctx, models)
            _refuse_other_features(packed, trained)
            rows = np.arange(len(packed[0]))
            return Pictures(packed, rows, _otherwise(packed[0], trained[0]))
        if misfit is None:
            return _set_aside(ctx, packed)
        break  # what the training set itself was made of is not meant either
    if misfit is None:
        ctx.find(META)  # raises InputNotFound
    assert misfit is not None
    raise misfit


def _sets(ctx: skint.Context) -> Iterator[tuple[Path, ...]]:
    """The files `dataset.json` of each entry that has them, nearest first."""
    for folders in ctx.task.inputs.values():
        files = tuple(file for folder in folders if (file := Path(folder, META)).is_file())
        if files:
            yield files


def _fitting_all(files: Sequence[Path], published: Sequence[Published]) -> tuple[PackedSet, ...]:
    """The sets of an entry: one for all networks, or one for each. Raises PredictError."""
    if len(files) not in (1, len(published)):
        raise PredictError(
            "it is not clear which packed set is to be predicted",
            where=str(files[0].parent.parent),
            got=f"{len(files)} packed sets, {len(published)} networks",
            wanted="one set for all networks, or one for each",
        )
    packed = tuple(
        fitting(PackedSet.open(file.parent), one)
        for file, one in zip(files, published, strict=False)
    )
    if len({tuple(sample.name for sample in one.samples) for one in packed}) > 1:
        raise PredictError(
            "the packed sets of the folds hold different pictures", where=str(files[0].parent)
        )
    return packed


def _set_aside(ctx: skint.Context, packed: tuple[PackedSet, ...]) -> Pictures:
    """Of the set that trained, what is in no fold."""
    rows = _unused(ctx, len(packed[0]))
    if not len(rows):
        raise PredictError(
            "the nearest packed set is the one that these networks were trained on",
            where=str(packed[0].folder),
            got="every picture of it trains or is held out by a fold",
            wanted="the packed set of the pictures to predict among `needs`",
            next="what a fold has held out is predicted already: predictions.npz of the training",
        )
    note = f"the {len(rows):,} pictures of the training's own set that are in no fold"
    return Pictures(packed, rows, note)


def fitting(packed: PackedSet, published: Published) -> PackedSet:
    """The set at the network's size. Raises PredictError where it cannot take these pictures."""
    meta = packed.meta
    if not all(meta.shape[1:3]):
        raise PredictError(
            "pictures of different sizes do not fit into a batch",
            where=str(packed.folder),
            got="a packed set of kept sizes",
            wanted=f"pictures of {_size(published.size_px)}, as in the training",
            next="`resize` them as the pictures that trained",
        )
    height, width = published.size_px
    if meta.shape[1:3] != published.size_px and height == width and height in meta.sizes:
        packed = packed.at(height)
        meta = packed.meta
    wanted: dict[str, tuple[Any, Any]] = {
        "size": (meta.shape[1:3], published.size_px),
        "channels": (meta.channels, published.channels),
        "dtype": (meta.dtype, published.dtype),
    }
    shown: dict[str, Callable[[Any], str]] = {"size": _size, "channels": _listed, "dtype": str}
    for what, (given, known) in wanted.items():
        if given != known:
            raise PredictError(
                f"the networks do not know pictures of this {what}"
                if what != "channels"
                else "the networks do not know these channels",
                where=str(packed.folder),
                got=shown[what](given),
                wanted=f"{shown[what](known)}, as in the training",
                next="make these pictures by the same jobs with the same parameters",
            )
    return packed


def _refuse_other_features(
    packed: Sequence[PackedSet], training: Sequence[PackedSet | None]
) -> None:
    """Features of another network, size or normalisation say nothing to a head."""
    for one, trained in zip(packed, training, strict=False):
        if trained is None:
            continue
        ours, theirs = one.meta.made_by, trained.meta.made_by
        if "features" not in (ours.get("job"), theirs.get("job")):
            continue
        for key in ("job", "weights_sha256", "normalisation", "picture"):
            if ours.get(key) != theirs.get(key):
                raise PredictError(
                    "these features were not made like those that trained",
                    where=str(one.folder),
                    got=f"another {'set' if key == 'job' else key}",
                    wanted="the same network, weights, size and normalisation",
                    next="give the `features` of the new pictures `like: ENTRY`, naming the other",
                )


def training_sets(ctx: skint.Context, models: Sequence[Model]) -> tuple[PackedSet | None, ...]:
    """For each network the set that it was trained on, where it is among what this job needs."""
    files = [
        Path(folder, META)
        for folders in ctx.task.inputs.values()
        for folder in folders
        if Path(folder, META).is_file()
    ]
    by_digest = {sha256_of(file): file.parent for file in files}
    found = []
    for model in models:
        folder = by_digest.get(model.published.dataset_sha256)
        found.append(None if folder is None else fitting(PackedSet.open(folder), model.published))
    return tuple(found)


def _unused(ctx: skint.Context, count: int) -> NDArray[np.int64]:
    """Rows that no fold trains on, and none holds out."""
    folds = read_folds(ctx.find("folds.csv"), count)
    unused = folds.trains_from >= len(folds)
    for held_out in folds.held_out:
        unused[held_out] = False
    return np.flatnonzero(unused)


def _otherwise(packed: PackedSet, trained: PackedSet | None) -> str:
    """A doubt where these pictures were made in another way than those that trained."""
    if trained is None:
        return ""
    ours, theirs = (dict(_ways(one.meta.made_by)) for one in (packed, trained))
    for key in {**ours, **theirs}:
        if ours.get(key) != theirs.get(key):
            return (
                f"these pictures were made otherwise than those that trained: {key} "
                f"{ours.get(key, 'not')} instead of {theirs.get(key, 'not')}"
            )
    return ""


def _ways(made_by: Any) -> Iterator[tuple[str, Any]]:
    """What changes the look of a picture, of all jobs that had a part in it."""
    while isinstance(made_by, Mapping):
        job, params = made_by.get("job"), made_by.get("params") or {}
        yield f"{job}", "done"
        for name in ("mode", "colour", "fill", "model", "weights", "views", "whiten"):
            if name in params:
                yield f"{job}: {name}", params[name]
        made_by = made_by.get("from")


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]} × {shape[0]} px"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f", … ({len(names)})" if len(names) > 6 else "")
