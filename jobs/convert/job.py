"""Turns pictures from one form into another: packed set, class folders, WebDataset tars.

    tars:    {uses: convert, needs: [packed], with: {to: webdataset}}
    folders: {uses: convert, with: {source: downloads/train.tar, to: folders}}

Nothing is written outside the job's own folder, whatever names the pictures have.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

import skint
from jobs.convert.error import ConvertError
from skint.context import InputNotFound
from skint.dataset import PackedSet, Target

if TYPE_CHECKING:
    from jobs.convert.records import Record


class Params(BaseModel):
    """What `convert` makes, and from what."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    to: Literal["folders", "webdataset", "packed"]
    """`folders`: a folder for each class; `webdataset`: tars; `packed`: a packed set, from tars."""
    source: Path | None = None
    """A WebDataset tar, or a folder of them; without it, what this job needs."""
    files: bool = False
    """The files as they were scanned, and not what `resize` made of them."""
    shard_mb: int = Field(default=512, ge=1)
    """Of a tar, in 10^6 bytes, about."""

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        if self.source is not None and self.files:
            raise ValueError("give `source` or `files`, not both")
        if self.to == "packed" and self.source is None:
            raise ValueError("`to: packed` makes a packed set of a `source` of tars")
        return self


@skint.job(devices=0, libraries=("numpy", "Pillow", "tifffile"))
def convert(params: Params, ctx: skint.Context) -> None:
    from jobs.convert.class_folders import write_folders
    from jobs.convert.records import tell_progress
    from jobs.convert.room import check_room, whole_or_nothing
    from jobs.convert.shards import write_shards

    if params.to == "packed":
        assert params.source is not None
        from jobs.convert.repacking import pack_shards

        pack_shards(ctx.resolve(params.source), ctx)
        return
    targets, count, size, records = _records(params, ctx)
    check_room(ctx.out, size)
    told = tell_progress(records, count, ctx)
    if params.to == "folders":
        with whole_or_nothing(ctx.out):
            written = write_folders(told, targets, ctx.out)
        ctx.note(f"{written:,} pictures in folders")
    else:
        with whole_or_nothing(ctx.out):
            shards = write_shards(told, targets, ctx.out, params.shard_mb * 10**6)
        ctx.note(f"{shards:,} {'tar' if shards == 1 else 'tars'}")


def _records(
    params: Params, ctx: skint.Context
) -> tuple[tuple[Target, ...], int, int, Iterator[Record]]:
    """Targets, how many pictures, of how many bytes (0 where that is not known), and they."""
    from jobs.convert.records import of_packed, of_scan
    from jobs.convert.room import bytes_of_packed

    if params.source is not None:
        from jobs.convert.repacking import open_shards

        source = ctx.resolve(params.source)
        if not source.exists():
            raise ConvertError("there is no such file or folder", where=str(source))
        targets, records = open_shards(source, ctx.check)
        return targets, 0, 0, records
    packed = None if params.files else _find(ctx, "dataset.json")
    if packed is not None:
        data = PackedSet.open(packed.parent)
        masks = [target.name for target in data.meta.targets if target.kind == "mask"]
        if masks:
            ctx.note(f"masks are not handed on: {', '.join(masks)}")
        known = tuple(target for target in data.meta.targets if target.kind != "mask")
        arrays = params.to == "webdataset"
        size = bytes_of_packed(data, arrays=arrays)
        return known, len(data), size, of_packed(data, arrays=arrays)
    scanned = _find(ctx, "scan.csv")
    if scanned is None:
        raise ConvertError(
            "there is nothing to convert",
            where=ctx.task.job,
            wanted="a packed set or a scan among what this job needs, or a `source` of tars",
        )
    return of_scan(scanned.parent, ctx.base)


def _find(ctx: skint.Context, name: str) -> Path | None:
    try:
        return ctx.find(name)
    except InputNotFound:
        return None
