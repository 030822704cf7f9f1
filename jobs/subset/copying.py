"""Copies rows of a packed set into a new one, as they are stored: nothing is compressed twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset import SUMS, PackedSet, PackedWriter, Target
from skint.dataset.array import map_any
from skint.dataset.blob_writer import BlobWriter
from skint.dataset.blobs import BlobImages
from skint.dataset.packed import LADDER


def copy_rows(
    data: PackedSet,
    rows: NDArray[np.int64],
    folder: Path,
    targets: Sequence[Target],
    made_by: Mapping[str, Any],
    copied: Callable[[int], None],
) -> PackedSet:
    """A set of these rows in `folder`, with all sizes of the ladder. `copied(n)` after n pictures.

    Raises DatasetError where the disk has not the room, or a file of `data` is damaged.
    """
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        copied(done)

    for size_px in data.meta.sizes[:-1]:
        smaller = data.at(size_px)
        _copy(smaller, rows, folder / LADDER / str(size_px), targets, made_by, one_more)
    return _copy(data, rows, folder, targets, made_by, one_more)


def _copy(
    data: PackedSet,
    rows: NDArray[np.int64],
    folder: Path,
    targets: Sequence[Target],
    made_by: Mapping[str, Any],
    copied: Callable[[], None],
) -> PackedSet:
    images, sums, meta = data.images(), map_any(data.folder / SUMS), data.meta
    samples = [replace(data.samples[old], id=new) for new, old in enumerate(rows.tolist())]
    finish: dict[str, Any] = {"channels": meta.channels, "made_by": made_by, "sizes": meta.sizes}
    masks = {t.name: data.masks(t.name) for t in meta.targets if t.kind == "mask"}
    dtypes = {name: stack.dtype.name for name, stack in masks.items()}
    if not isinstance(images, BlobImages):
        shape = (len(rows), *meta.shape[1:])
        with PackedWriter(folder, shape=shape, dtype=meta.dtype, masks=dtypes) as writer:
            into = writer.rows()
            for new, old in enumerate(rows.tolist()):
                into.images.put(new, images[old])
                into.sums.put(new, sums[old])
                for name, stack in masks.items():
                    into.masks[name].put(new, stack[old])
                copied()
            return writer.finish(samples, targets, summed=True, **finish)
    with BlobWriter(
        folder,
        sizes=images.sizes[rows],
        channels=meta.shape[3],
        dtype=meta.dtype,
        codec=meta.codec,
        layout=meta.layout,
        masks=dtypes,
    ) as blobs:
        places = blobs.places()
        for new, old in enumerate(rows.tolist()):
            if meta.codec == "raw":
                places.put(new, images[old])
            else:
                part, start, length = images.index[old, :3].tolist()
                blobs.append(new, images.blobs[part][start : start + length].tobytes())
            blobs.sums().put(new, sums[old])
            for name, stack in masks.items():
                blobs.masks()[name].put(new, stack[old])
            copied()
        return blobs.finish(samples, targets, **finish)
