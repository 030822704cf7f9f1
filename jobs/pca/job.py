"""Reduces the bands of a packed set to their first principal components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

import skint
from skint.attempt import write_atomic
from skint.context import InputNotFound
from skint.dataset import PackedSet

if TYPE_CHECKING:
    from jobs.pca.reduction import Reduction

FACTS, LOOK = "pca.json", "pca.png"


class PcaError(skint.SkintError):
    """The packed set has not what components are made of."""


class Params(BaseModel):
    """How `pca` reduces bands."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    k: int = Field(default=3, ge=1)
    """Components to keep."""
    dtype: Literal["uint8", "float16", "float32"] = "uint8"
    """What the result is stored in; `pca.json` has the scaling, which can be undone."""
    whiten: bool = True
    """Let every component vary alike; false keeps how much more the first ones vary."""
    deviations: float = Field(default=3.0, gt=0, allow_inf_nan=False)
    """Standard deviations on either side of a component's mean that uint8 covers."""
    nodata: float | None = Field(default=None, allow_inf_nan=False)
    """A value that means "not measured": pixels with it in any band do not count and become 0.
    Pixels of floats that are not finite never count."""
    fit_on: Literal["training", "all"] = "training"
    """`training`: never the test part, and in a job of one fold its training part only."""
    fitted: str | None = None
    """An entry that is a `pca` too: apply its components, fit nothing. Everything else is its."""

    @model_validator(mode="after")
    def _fits_or_takes_over(self) -> Params:
        if self.fitted is not None:
            for name, field in type(self).model_fields.items():
                if name != "fitted" and getattr(self, name) != field.default:
                    raise ValueError(f"with `fitted` there is no `{name}`: that job's holds")
        return self


@skint.job(devices=0, libraries=("numpy", "matplotlib"))
def pca(params: Params, ctx: skint.Context) -> None:
    from jobs.rewriting.rewriting import pictures_in

    data = PackedSet.open(_source(params, ctx))
    before = 0 if params.fitted else len(data)
    total = before + pictures_in(data)
    if params.fitted:
        reduction = _taken_over(params.fitted, data, ctx)
    else:
        reduction = _fit(params, data, ctx, total)
    _project(params, data, reduction, ctx, before, total)
    write_atomic(ctx.out / FACTS, (json.dumps(reduction.to_json(), indent=1) + "\n").encode())
    ctx.check()
    _look(data, reduction, ctx.out / LOOK)
    components = reduction.components
    kept = float(components.shares[: components.k].sum())
    bands = len(data.meta.channels)
    ctx.note(f"{components.k} of {bands} components keep {kept:.1%} of the variance")
    empty = int((components.deviation == 0).sum())
    if empty:
        ctx.note(f"{empty} of {components.k} components do not vary: fewer would do")


def _source(params: Params, ctx: skint.Context) -> Path:
    """The folder of the set to reduce: the nearest that is not the one whose components we take."""
    if params.fitted is None:
        return ctx.find("dataset.json").parent
    for entry, folder in ctx.inputs.items():
        if entry != params.fitted and (folder / "dataset.json").exists():
            return folder
    raise InputNotFound(
        f"nothing but {params.fitted} that this job needs has made a packed set",
        where=ctx.task.job,
        got="needs: " + ", ".join(ctx.task.inputs),
        next="add the entry whose pictures are to be reduced to its `needs`",
    )


def _fit(params: Params, data: PackedSet, ctx: skint.Context, total: int) -> Reduction:
    import numpy as np

    from jobs.pca.components import TooLargeToSquare, fit
    from jobs.pca.reduction import Reduction
    from jobs.pca.scores import scaling_of
    from jobs.pca.training_part import training_part
    from jobs.pca.valid import Validity

    channels = data.meta.channels
    if params.k > len(channels):
        raise PcaError(
            f"{params.k} components cannot be made of {len(channels)} bands",
            where="pca: k",
            got=str(params.k),
            wanted=f"at most {len(channels)}, the channels of the packed set",
        )
    dtype = np.dtype(data.meta.dtype)
    valid = Validity.of(dtype, params.nodata)
    part = training_part(ctx, data, everything=params.fit_on == "all")
    try:
        components = fit(part.pixels(ctx, total), len(channels), params.k, valid)
    except TooLargeToSquare as error:
        raise PcaError(
            "these values are too large to be measurements",
            where=str(data.folder),
            got="values beyond 1e150",
            next="if they mean that nothing was measured, write that value as `nodata`",
        ) from error
    if components.pixels < 2 or not components.variances.any():
        masked = f", {components.masked:,} masked" if valid is not None else ""
        raise PcaError(
            "there is nothing to reduce",
            where=str(data.folder),
            got=f"{components.pixels:,} valid pixels{masked}, "
            f"variance {float(components.variances.sum()):g}, in {part.rule}",
            wanted="pixels that differ",
            next="look at `nodata`: a pixel with that value in any band does not count"
            if components.masked
            else None,
        )
    return Reduction(
        components=components,
        scaling=scaling_of(
            components,
            params.dtype,
            whiten=params.whiten,
            deviations=params.deviations,
            masked=valid is not None,
        ),
        channels=channels,
        dtype=dtype,
        nodata=params.nodata,
        deviations=params.deviations,
        fitted_on=part.facts(),
    )


def _taken_over(entry: str, data: PackedSet, ctx: skint.Context) -> Reduction:
    import numpy as np

    from jobs.pca.reduction import Reduction

    folders = ctx.group(entry)
    if len(folders) > 1:
        raise PcaError(
            f"{entry} has fitted components for each of {len(folders)} folds",
            where="pca: fitted",
            got=entry,
            next="write `per: fold` beside this entry as well: each fold then takes its own",
        )
    path = folders[0] / FACTS
    if not path.exists():
        raise PcaError(f"{entry} has fitted no components", where=str(path), wanted="a `pca` entry")
    reduction = Reduction.read(path)
    reduction.refuse_others(data.meta.channels, np.dtype(data.meta.dtype), str(data.folder))
    return reduction


def _project(
    params: Params,
    data: PackedSet,
    reduction: Reduction,
    ctx: skint.Context,
    before: int,
    total: int,
) -> None:
    """Write the packed set of scores."""
    from jobs.rewriting.float16 import TooLarge
    from jobs.rewriting.rewriting import Rewriting, rewrite

    rewriting = Rewriting(
        change=reduction.projection,
        channels=tuple(f"PC{n}" for n in range(1, reduction.components.k + 1)),
        dtype=reduction.scaling.dtype,
        made_by={
            "job": "pca",
            "params": params.model_dump(mode="json"),
            "fitted_on": dict(reduction.fitted_on),
            "from": dict(data.meta.made_by),
        },
    )
    try:
        rewrite(data, rewriting, ctx, before=before, total=total)
    except TooLarge as error:
        raise PcaError(
            "float16 cannot hold these scores",
            where=str(data.folder),
            got=error,
            next="write `whiten: true` or `dtype: float32`",
        ) from error


def _look(data: PackedSet, reduction: Reduction, path: Path) -> None:
    from jobs.pca.quick_look import draw, tiles_of

    components = reduction.components
    tiles = tiles_of(data, components, reduction.valid, reduction.deviations)
    write_atomic(path, draw(tiles, components))
