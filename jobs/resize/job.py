"""Turns scanned pictures into a packed set, the form in which training reads them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

import skint
from jobs.interrupted.journal import Journal
from jobs.resize.fingerprint import LIBRARIES, depends_on
from jobs.scan.scanned import MASKS, PARTLY, SCAN, TARGETS, MaskFile, read_masks, read_targets
from jobs.scan.source_root import find_root
from skint.dataset import Sample, Target, sample_of
from skint.table import read_rows

if TYPE_CHECKING:
    from jobs.resize.pack import Source

FLUSH_S = 5.0
"""Between two notes of how far it is: a kill costs at most so much work."""
SETTLE_ROWS = 64
"""Rows after which blocks that are full are hashed."""
DEFAULT_PX = 224

SizePx = Annotated[int, Field(ge=1, le=8192)]


def _listed(value: object) -> object:
    return value if value is None or isinstance(value, list | tuple) else [value]


class ResizeError(skint.SkintError):
    """The pictures cannot be packed together, or are not those that were scanned."""


class Compress(BaseModel):
    """How pictures are kept smaller than their pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    format: Literal["jpeg", "webp"]
    quality: int = Field(default=90, ge=1, le=100)


class Params(BaseModel):
    """How `resize` packs pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    # A list of one is what a number becomes before it is looked at: a choice between the two would
    # complain about each of them.
    size: Annotated[
        Annotated[tuple[SizePx, ...], Field(min_length=1)] | None,
        BeforeValidator(_listed, json_schema_input_type=SizePx | tuple[SizePx, ...] | None),
    ] = None
    """Side of the squares in pixels (224), or a list of them, all made at once. With `keep`: the
    most that the longest side may have; none by default."""
    mode: Literal["crop", "stretch", "pad", "keep"] = "crop"
    """`crop`: the middle square; `stretch`: the whole picture, out of proportion; `pad`: the whole
    picture in proportion, on a square; `keep`: the whole picture in its own shape."""
    colour: Literal["rgb", "gray", "gray3"] = "rgb"
    """What photos become: three channels, one of brightness, or that one three times."""
    fill: int = Field(default=0, ge=0, le=65535)
    """What `pad` puts beside a picture, in every channel."""
    compress: Compress | None = None
    """Keep the pictures as JPEG or WebP. Training then decodes each of them in every epoch."""
    part_mib: int = Field(default=4096, ge=1)
    """Pixels in one file at most, in MiB."""

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if len(set(self.sizes)) != len(self.sizes):
            raise ValueError("size: the same size twice")
        if self.fill and self.mode != "pad":
            raise ValueError(f"fill: only `mode: pad` fills, not {self.mode}")
        return self

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """Ascending; None is the pictures' own size."""
        if self.size is None:
            return (None,) if self.mode == "keep" else (DEFAULT_PX,)
        return tuple(sorted(self.size))


@skint.job(devices=0, cpus=0, resume=True, libraries=LIBRARIES)
def resize(params: Params, ctx: skint.Context) -> None:
    from contextlib import ExitStack

    from jobs.resize.rungs import Ladder

    scanned = ctx.find(SCAN)
    folder = scanned.parent
    root = find_root(folder, ctx.base)
    targets = read_targets(folder)
    rows = list(read_rows(scanned, ("name", "path", "page", "sha256", "channels", "dtype")))
    names = [target.name for target in targets]
    samples = [
        sample_of(row, number, names, f"{scanned}:{number + 2}") for number, row in enumerate(rows)
    ]
    channels, dtype = _agreed(rows, root)
    masks = _masks(params, targets, folder)
    form = _form(params, channels, dtype, _mask_dtypes(targets, masks))
    tables = [folder / name for name in (SCAN, TARGETS, PARTLY, *([MASKS] if masks else []))]
    journal = Journal(ctx.out, "resize.json", depends_on(params.model_dump(mode="json"), tables))
    done = journal.take_over(ctx.previous)
    if done:
        ctx.note(f"goes on after {done:,} of {len(samples):,} pictures of an interrupted attempt")
    made_by = {"job": "resize", "params": params.model_dump(mode="json")}
    with ExitStack() as stack:
        ladder = Ladder(ctx.out, form, samples, done=done, stack=stack)
        stack.callback(lambda: journal.drop(ladder.files))
        partly = {row["path"] for row in read_rows(folder / PARTLY, ("path",))}
        sources = [_source(sample, targets, masks, partly) for sample in samples[done:]]
        _fill(ladder, sources, root, journal, len(samples), ctx)
        made = ladder.finish(samples, targets, made_by)
    journal.remove()
    for packed in made:
        _tell(ctx, packed.meta.made_by, params)


def _fill(
    ladder: Any,
    sources: Sequence[Source],
    root: Path,
    journal: Journal,
    total: int,
    ctx: skint.Context,
) -> None:
    """Put every picture where it belongs; `total` counts those that are there already, too."""
    from functools import partial

    from jobs.pool.pool import spread
    from jobs.resize.pack import Packing, lost, pack

    form = ladder.form
    packing = Packing(str(root), form.wanted, ladder.outlets, len(form.channels), form.dtype)
    results = spread(
        partial(pack, packing), sources, processes=ctx.cpus, check=ctx.check, crashed=lost
    )
    noted = time.monotonic()
    for source, packed in zip(sources, results, strict=True):
        if packed.reason:
            raise ResizeError(
                "a picture cannot be packed",
                where=str(root / source.path),
                got=packed.reason,
                next="if it was changed on purpose, run the plan again: it is scanned anew",
            )
        ladder.take(source.row, packed)
        count = source.row + 1
        if count % SETTLE_ROWS == 0:
            ladder.settled(count)
        if time.monotonic() - noted >= FLUSH_S:
            journal.write(count, ladder.files)
            noted = time.monotonic()
        ctx.progress(count, total)


def _form(params: Params, channels: int, dtype: str, masks: Mapping[str, str]) -> Any:
    from jobs.decode import Wanted
    from jobs.resize.rungs import Form

    photo = channels == 3 and dtype == "uint8"
    if not photo and params.colour != "rgb":
        raise ResizeError(
            "only photos have a colour to choose",
            where="resize: colour",
            got=f"colour: {params.colour} for {channels} channels of {dtype}",
        )
    if not photo and params.compress is not None:
        raise ResizeError(
            "only photos can be kept as JPEG or WebP",
            where="resize: compress",
            got=f"{channels} channels of {dtype}",
        )
    if dtype == "uint8" and params.fill > 255:
        raise ResizeError(
            "the filling does not fit into 8 bits", where="resize: fill", got=params.fill
        )
    names: Sequence[str] = [f"band{number}" for number in range(1, channels + 1)]
    if photo:
        names = ("gray",) if params.colour == "gray" else ("R", "G", "B")
    return Form(
        wanted=Wanted(
            *(params.sizes, params.mode, params.colour, params.fill),
            # As they were scanned.
            sixteen_bits="photos" if dtype == "uint8" else "bands",
        ),
        channels=tuple(names),
        dtype=dtype,
        masks=masks,
        part_bytes=params.part_mib * 2**20,
        format=params.compress.format if params.compress else None,
        quality=params.compress.quality if params.compress else 0,
    )


def _masks(
    params: Params, targets: Sequence[Target], folder: Path
) -> dict[tuple[str, str], MaskFile]:
    """The masks of the scan in `folder`, by target and path."""
    names = [target.name for target in targets if target.kind == "mask"]
    if not names:
        return {}
    if params.mode == "keep":
        raise ResizeError(
            "masks are packed with pictures of one size only",
            where="resize: mode",
            got=f"mode: keep, with the mask {names[0]}",
            wanted="crop, stretch or pad",
        )
    return {(mask.target, mask.path): mask for mask in read_masks(folder)}


def _mask_dtypes(
    targets: Sequence[Target], masks: Mapping[tuple[str, str], MaskFile]
) -> dict[str, str]:
    """By mask target: the wider one as soon as one file has it."""
    found = {target.name: "uint8" for target in targets if target.kind == "mask"}
    for mask in masks.values():
        if mask.dtype != "uint8":
            found[mask.target] = mask.dtype
    return found


def _source(
    sample: Sample,
    targets: Sequence[Target],
    masks: Mapping[tuple[str, str], MaskFile],
    partly: set[str],
) -> Source:
    from jobs.resize.pack import Source

    names = [target.name for target in targets if target.kind == "mask"]
    return Source(
        row=sample.id,
        path=sample.path,
        page=sample.page,
        sha256=sample.sha256,
        width=sample.width,
        height=sample.height,
        masks=tuple(masks[name, sample.targets[name]] for name in names if sample.targets[name]),
        broken=sample.path in partly,
    )


def _agreed(rows: Sequence[Mapping[str, str]], root: Path) -> tuple[int, str]:
    """Channels and dtype that all pictures share; raises ResizeError naming two that differ."""
    first = rows[0]
    for row in rows:
        if (row["channels"], row["dtype"]) != (first["channels"], first["dtype"]):
            raise ResizeError(
                "these two pictures cannot stand in one packed set",
                where=str(root),
                got=" and ".join(
                    f"{r['path']} ({r['channels']} channels, {r['dtype']})" for r in (first, row)
                ),
                wanted="the same channels and dtype in all pictures",
                next="scan a folder that holds only one kind",
            )
    return int(first["channels"]), first["dtype"]


def _tell(ctx: skint.Context, made_by: Mapping[str, Any], params: Params) -> None:
    """What compression saved and cost, for the person who chose it."""
    measured = made_by.get("compressed")
    if measured is None or params.compress is None:
        return
    share = measured["bytes"] / max(1, measured["raw_bytes"])
    loss = "nothing lost" if measured["psnr_db"] is None else f"{measured['psnr_db']:.1f} dB"
    ctx.note(
        f"{params.compress.format} at quality {params.compress.quality}: "
        f"{measured['bytes'] / 1e6:,.1f} MB instead of {measured['raw_bytes'] / 1e6:,.1f} "
        f"({share:.0%}), {loss} against the uncompressed pixels, measured on all "
        f"{measured['pictures_measured']:,} pictures"
    )
