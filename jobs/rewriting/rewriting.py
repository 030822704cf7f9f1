"""The same packed set with other channels: samples, targets, masks and ladder stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import skint
from jobs.rewriting.in_order import in_order
from skint.dataset import PackedSet, PackedWriter
from skint.dataset.blob_writer import BlobWriter
from skint.dataset.blobs import BlobImages
from skint.dataset.packed import LADDER


@dataclass(frozen=True)
class Rewriting:
    """What becomes of the pixels."""

    change: Callable[[NDArray[Any]], NDArray[Any]]
    """From pixels (n, bands) to pixels (n, channels), in `dtype`."""
    channels: tuple[str, ...]
    dtype: str
    made_by: Mapping[str, Any]


def pictures_in(data: PackedSet) -> int:
    """Pictures of all sizes, for progress."""
    return len(data) * max(1, len(data.meta.sizes))


def rewrite(
    data: PackedSet, rewriting: Rewriting, ctx: skint.Context, *, before: int, total: int
) -> None:
    """Write the set to `ctx.out`. `before` of `total` pictures of the work are done already."""
    sizes = data.meta.sizes
    # The root last: a folder whose dataset.json is there has all sizes.
    for number, size in enumerate(sizes[:-1]):
        done = before + number * len(data)
        folder = ctx.out / LADDER / str(size)
        _rewrite(data.at(size), folder, rewriting, ctx, before=done, total=total)
    _rewrite(data, ctx.out, rewriting, ctx, before=total - len(data), total=total, sizes=sizes)


def _rewrite(
    data: PackedSet,
    folder: Path,
    rewriting: Rewriting,
    ctx: skint.Context,
    *,
    before: int,
    total: int,
    sizes: tuple[int, ...] = (),
) -> None:
    images = data.images()
    samples, targets = data.samples, data.meta.targets
    more: dict[str, Any] = {
        "channels": rewriting.channels,
        "made_by": rewriting.made_by,
        "sizes": sizes,
    }
    count, height, width, _ = data.meta.shape
    shape = (count, height, width, len(rewriting.channels))
    masked = [target.name for target in targets if target.kind == "mask"]
    masks = {name: data.masks(name).dtype.name for name in masked}
    with ExitStack() as stack:
        writer: PackedWriter | BlobWriter
        if isinstance(images, BlobImages) and not (height and width):
            writer = stack.enter_context(
                BlobWriter(
                    folder,
                    sizes=images.sizes,
                    channels=len(rewriting.channels),
                    dtype=rewriting.dtype,
                )
            )
            put: Any = writer.places().put
        else:
            writer = stack.enter_context(
                PackedWriter(folder, shape=shape, dtype=rewriting.dtype, masks=masks)
            )
            put = writer.rows().put
        done = 0
        for block in in_order(images):
            # Mapped anew for each block, so that the pages of the last one are let go.
            maps = {name: data.masks(name) for name in masked}
            for picture in block:
                ctx.check()
                pixels = rewriting.change(picture.reshape(-1, picture.shape[2]))
                changed = pixels.reshape(*picture.shape[:2], -1)
                own = {name: array[done] for name, array in maps.items()}
                put(done, changed, own) if own else put(done, changed)
                done += 1
            writer.settled(done)
            ctx.progress(before + done, total)
        if isinstance(writer, PackedWriter):
            writer.finish(samples, targets, summed=True, **more)
        else:
            writer.finish(samples, targets, **more)
