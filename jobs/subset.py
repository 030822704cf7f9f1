"""Takes a part of a packed set: fewer classes, fewer pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, model_validator

import skint
from skint.dataset import PackedSet, PackedWriter, Sample


class SubsetError(skint.SkintError):
    """The part that is asked for is not in the packed set."""


class Params(BaseModel):
    """Which part `subset` takes; what is given holds together."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    classes: int | tuple[str, ...] | None = None
    """The first so many classes in their order, or these by name."""
    per_class: int | None = Field(default=None, ge=1)
    """At most so many pictures of each class, drawn by chance."""
    share: float | None = Field(default=None, gt=0, le=1)
    """This share of each class, at least one picture, drawn by chance."""
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Params:
        if self.per_class is not None and self.share is not None:
            raise ValueError("give `per_class` or `share`, not both")
        if self.classes is None and self.per_class is None and self.share is None:
            raise ValueError("give at least one of `classes`, `per_class` and `share`")
        return self


@skint.job(devices=0)
def subset(params: Params, ctx: skint.Context) -> None:
    data = PackedSet.open(ctx.find("dataset.json").parent)
    label = data.target("class")
    classes = _classes(params, data)
    chosen = _chosen(params, data.samples, classes)
    images = data.images()
    shape = (len(chosen), *data.meta.shape[1:])
    with PackedWriter(ctx.out, shape=shape, dtype=data.meta.dtype) as writer:
        target = writer.images()
        for row, sample in enumerate(chosen):
            ctx.check()
            target[row] = images[sample.id]
            ctx.progress(row + 1, len(chosen))
        writer.finish(
            [replace(sample, id=row) for row, sample in enumerate(chosen)],
            [replace(label, classes=classes)],
            channels=data.meta.channels,
            made_by={
                "job": "subset",
                "params": params.model_dump(mode="json"),
                "from": dict(data.meta.made_by),
            },
        )
    ctx.note(f"{len(chosen):,} of {len(data):,} pictures, {len(classes)} classes")


def _classes(params: Params, data: PackedSet) -> tuple[str, ...]:
    if params.classes is None:
        return data.classes
    if isinstance(params.classes, int):
        classes = data.classes[: max(0, params.classes)]
    else:
        unknown = [name for name in params.classes if name not in data.classes]
        if unknown:
            raise SubsetError(
                "there is no such class",
                where="subset: classes",
                got=unknown[0],
                wanted=", ".join(data.classes),
            )
        classes = tuple(name for name in data.classes if name in params.classes)
    if len(classes) < 2:
        raise SubsetError(
            "a set of fewer than two classes teaches nothing",
            where="subset: classes",
            got=str(params.classes),
            wanted=f"2 to {len(data.classes)} classes",
        )
    return classes


def _chosen(params: Params, samples: Sequence[Sample], classes: Sequence[str]) -> list[Sample]:
    """Samples of the part, in the order of the set. Each class is drawn on its own."""
    import numpy as np

    chosen: list[Sample] = []
    for number, name in enumerate(classes):
        members = [sample for sample in samples if sample.label == name]
        size = len(members)
        if params.per_class is not None:
            size = min(size, params.per_class)
        elif params.share is not None:
            size = max(1, round(size * params.share))
        # A generator of its own: a picture more in one class does not change the others.
        draw = np.random.default_rng([params.seed, number]).permutation(len(members))
        chosen.extend(members[row] for row in draw[:size])
    return sorted(chosen, key=lambda sample: sample.id)
