"""Reduces the bands of a packed set to their first principal components."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

import skint
from skint.attempt import write_atomic
from skint.dataset import PackedSet, PackedWriter

if TYPE_CHECKING:
    from jobs.components import Components

T = TypeVar("T")


class PcaError(skint.SkintError):
    """The packed set has not what components are made of."""


class Params(BaseModel):
    """How `pca` reduces bands."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    k: int = Field(default=3, ge=1)
    """Components to keep."""
    deviations: float = Field(default=3.0, gt=0)
    """Standard deviations on either side of a component's mean that 0..255 cover."""
    nodata: float | None = Field(default=None, allow_inf_nan=False)
    """A value that means "not measured": pixels with it in any band do not count and become 0."""


@skint.job(devices=0)
def pca(params: Params, ctx: skint.Context) -> None:
    from jobs.components import fit, is_valid, scaler, valid_pixels

    data = PackedSet.open(ctx.find("dataset.json").parent)
    count, height, width, bands = data.meta.shape
    if params.k > bands:
        raise PcaError(
            f"{params.k} components cannot be made of {bands} bands",
            where="pca: k",
            got=str(params.k),
            wanted=f"at most {bands}, the channels of the packed set",
        )
    images = data.images()
    components = fit(
        valid_pixels(_watched(images, ctx, 0, 2 * count), params.nodata), bands, params.k
    )
    if components.pixels < 2 or components.total_variance <= 0:
        raise PcaError(
            "there is nothing to reduce",
            where=str(data.folder),
            got=f"{components.pixels:,} valid pixels, variance {components.total_variance:g}",
            wanted="pixels that differ",
        )
    scale = scaler(components, params.deviations)
    with PackedWriter(ctx.out, shape=(count, height, width, params.k), dtype="uint8") as writer:
        target = writer.images()
        for number, image in enumerate(_watched(images, ctx, count, 2 * count)):
            reduced = scale(image.reshape(-1, bands))
            if params.nodata is not None:
                reduced[~is_valid(image.reshape(-1, bands), params.nodata)] = 0
            target[number] = reduced.reshape(height, width, params.k)
        writer.finish(
            data.samples,
            data.meta.targets,
            channels=[f"PC{n}" for n in range(1, params.k + 1)],
            made_by={
                "job": "pca",
                "params": params.model_dump(mode="json"),
                "from": dict(data.meta.made_by),
            },
        )
    facts = _facts(components, params, data.meta.channels)
    write_atomic(ctx.out / "pca.json", (json.dumps(facts, indent=1) + "\n").encode())
    kept = sum(facts["explained_variance_ratio"])
    ctx.note(f"{params.k} of {bands} components keep {kept:.1%} of the variance")


def _facts(components: Components, params: Params, channels: tuple[str, ...]) -> dict[str, Any]:
    """`pca.json`: enough to apply the same reduction to other pictures."""
    deviation = components.variance**0.5
    return {
        "components": components.directions.tolist(),
        "mean": components.mean.tolist(),
        "explained_variance": components.variance.tolist(),
        "explained_variance_ratio": (components.variance / components.total_variance).tolist(),
        "scale": {
            "rule": "0..255 = mean ± deviations standard deviations of each component",
            "deviations": params.deviations,
            "standard_deviation": deviation.tolist(),
        },
        "channels": list(channels),
        "pixels": components.pixels,
        # No labels are used, but a score on a held-out fold has seen its pixels.
        "fitted_on": "all pictures, held-out folds included",
    }


def _watched(images: Iterable[T], ctx: skint.Context, before: int, total: int) -> Iterator[T]:
    for number, image in enumerate(images, 1):
        ctx.check()
        yield image
        ctx.progress(before + number, total)
