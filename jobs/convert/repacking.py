"""A packed set out of WebDataset tars: at the pictures' own sizes, without a second compression."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import skint
from jobs.convert.records import Record, RecordError, decoded
from jobs.convert.shards import list_shards, read_shards, targets_beside
from skint.dataset import PackedWriter, Sample, Target
from skint.dataset.blob_writer import BlobWriter


def open_shards(
    source: Path, check: Callable[[], None]
) -> tuple[tuple[Target, ...], Iterator[Record]]:
    """Targets and pictures; where nothing beside the tars names the classes, those that occur.

    `check` is called once a picture, and may raise.
    """
    shards, targets = list_shards(source), targets_beside(source)
    if targets is not None:
        targets = tuple(target for target in targets if target.kind != "mask")
        return targets, read_shards(shards, targets)
    cells = set()
    for record in read_shards(shards, None):
        check()
        cells.add(record.cells["label"])
    cells.discard("")
    found = (Target("label", "class", in_order(cells)),) if cells else ()
    return found, read_shards(shards, None)


def in_order(names: set[str]) -> tuple[str, ...]:
    """By number where all are numbers, so that 10 comes after 9; else by name."""
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def pack_shards(source: Path, ctx: skint.Context) -> None:
    """Write a packed set to `ctx.out`: dense where all pictures have one size, else ragged.

    The tars are read twice: the first time for the sizes. Raises RecordError where the pictures
    have different channels or dtypes.
    """
    targets, records = open_shards(source, ctx.check)
    samples, sizes, form = _measured(records, targets, ctx)
    count, (channels, dtype) = len(samples), form
    made_by = {"job": "convert", "params": {"to": "packed"}}
    photo = channels == 3 and dtype == "uint8"
    finish: dict[str, Any] = {
        "channels": "RGB" if photo else [f"band{n}" for n in range(1, channels + 1)],
        "made_by": made_by,
    }
    _, records = open_shards(source, ctx.check)
    if (sizes == sizes[0]).all():
        shape = (count, int(sizes[0, 0]), int(sizes[0, 1]), channels)
        with PackedWriter(ctx.out, shape=shape, dtype=dtype) as writer:
            for row, record in enumerate(records):
                ctx.check()
                writer.rows().put(row, decoded(record))
                ctx.progress(count + row + 1, 2 * count)
            writer.finish(samples, targets, summed=True, **finish)
    else:
        with BlobWriter(ctx.out, sizes=sizes, channels=channels, dtype=dtype) as blobs:
            for row, record in enumerate(records):
                ctx.check()
                blobs.places().put(row, decoded(record))
                ctx.progress(count + row + 1, 2 * count)
            blobs.finish(samples, targets, **finish)
    ctx.note(f"{count:,} pictures packed")


def _measured(
    records: Iterator[Record], targets: tuple[Target, ...], ctx: skint.Context
) -> tuple[list[Sample], Any, tuple[int, str]]:
    """Samples, (N, 2) heights and widths, and the channels and dtype that all share."""
    samples: list[Sample] = []
    sizes: list[tuple[int, int]] = []
    form: tuple[int, str] | None = None
    for record in records:
        ctx.check()
        height, width, channels = (picture := decoded(record)).shape
        form = form or (channels, picture.dtype.name)
        if form != (channels, picture.dtype.name):
            raise RecordError(
                "these two pictures cannot stand in one packed set",
                got=f"{samples[0].path} ({form[0]} channels, {form[1]}) and"
                f" {record.path} ({channels} channels, {picture.dtype.name})",
                wanted="the same channels and dtype in all pictures",
            )
        samples.append(
            Sample(
                len(samples),
                record.name,
                record.path,
                group=record.group,
                sha256=hashlib.sha256(record.content).hexdigest(),
                width=width,
                height=height,
                targets={one.name: record.cells.get(one.name, "") for one in targets},
            )
        )
        sizes.append((height, width))
    if form is None:
        raise RecordError("there are no pictures in these tars")
    return samples, np.array(sizes, dtype=np.int64), form
