"""Turns scanned pictures into a packed set of squares, the form in which training reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

import skint
from skint.dataset import PackedWriter, Sample, Target
from skint.table import integer, read_rows


class ResizeError(skint.SkintError):
    """The pictures cannot be packed together, or are not those that were scanned."""


class Params(BaseModel):
    """How `resize` makes squares."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    size: int = Field(default=224, ge=1, le=4096)
    """Side of the squares in pixels."""
    mode: Literal["crop", "stretch"] = "crop"
    """`crop` keeps the middle square; `stretch` keeps the whole picture, out of proportion."""


@skint.job(devices=0, cpus=0)
def resize(params: Params, ctx: skint.Context) -> None:
    from functools import partial

    from jobs.pack import Packing, Source, lost, pack
    from jobs.pool import spread

    scanned = ctx.find("scan.csv")
    rows = list(read_rows(scanned, ("path", "label", "group", "sha256", "channels", "dtype")))
    root = _root(scanned.parent)
    channels, dtype = _agreed(rows, root)
    samples = [
        Sample(
            id=number,
            name=row.get("name", row["path"]),
            path=row["path"],
            group=row["group"],
            sha256=row["sha256"],
            width=integer(row, "width", f"{scanned}:{number + 2}"),
            height=integer(row, "height", f"{scanned}:{number + 2}"),
            targets={"label": row["label"]},
        )
        for number, row in enumerate(rows)
    ]
    shape = (len(rows), params.size, params.size, channels)
    with PackedWriter(ctx.out, shape=shape, dtype=dtype) as writer:
        packing = Packing(str(root), writer.images(), params.size, params.mode)
        reasons = spread(
            partial(pack, packing),
            [Source(sample.id, sample.path, sample.sha256) for sample in samples],
            processes=ctx.cpus,
            check=ctx.check,
            crashed=lost,
        )
        for sample, reason in zip(samples, reasons, strict=True):
            if reason:
                raise ResizeError(
                    "a picture cannot be packed",
                    where=str(root / sample.path),
                    got=reason,
                    next="if it was changed on purpose, run the plan again: it is scanned anew",
                )
            ctx.progress(sample.id + 1, len(rows))
        photo = channels == 3 and dtype == "uint8"
        writer.finish(
            samples,
            [Target("label", "class", tuple(sorted({sample.label for sample in samples})))],
            channels="RGB" if photo else [f"band{n}" for n in range(1, channels + 1)],
            made_by={"job": "resize", "params": params.model_dump(mode="json")},
        )


def _root(scan_out: Path) -> Path:
    """The scanned folder on this machine."""
    note = scan_out / "local" / "source.json"
    try:
        root = Path(json.loads(note.read_text())["root"])
    except FileNotFoundError as error:
        raise ResizeError(
            "it is not known where the scanned pictures lie on this machine",
            where=str(note),
            next="run the scan again here",
        ) from error
    if not root.is_dir():
        raise ResizeError("the scanned folder is gone", where=str(root))
    return root


def _agreed(rows: list[dict[str, str]], root: Path) -> tuple[int, str]:
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
