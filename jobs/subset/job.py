"""Takes a part of a packed set: fewer classes, fewer pictures, or what fits into some seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

import skint
from jobs.training.recipe.checked import checked
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_json
from skint.dataset import PackedSet, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    seconds: float | None = Field(default=None, gt=0)
    """So many pictures, each class with its share, that an epoch takes no longer than this."""
    rate: float | None = Field(default=None, gt=0)
    """Beside `seconds`: pictures a second, as an earlier run has shown."""
    recipe: Annotated[Recipe, AfterValidator(checked)] | None = None
    """Beside `seconds`: the recipe of `train` that is tried for a moment to measure the rate."""
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Params:
        sizes = [name for name in ("per_class", "share", "seconds") if getattr(self, name)]
        if len(sizes) > 1:
            raise ValueError(f"give `{sizes[0]}` or `{sizes[1]}`, not both")
        if self.classes is None and not sizes:
            raise ValueError("give at least one of `classes`, `per_class`, `share` and `seconds`")
        given = [name for name in ("rate", "recipe") if getattr(self, name) is not None]
        if self.seconds is not None and len(given) != 1:
            raise ValueError("beside `seconds` give `rate`, or a `recipe` to measure it by")
        if self.seconds is None and given:
            raise ValueError(f"`{given[0]}` is of use beside `seconds` only")
        return self


@skint.job(devices=0, libraries=("numpy",))
def subset(params: Params, ctx: skint.Context) -> None:
    from jobs.subset.copying import copy_rows

    data = PackedSet.open(ctx.find("dataset.json").parent)
    target = _class_target(params, data)
    classes = _classes(params, target) if target else ()
    size = _affordable(params, data, ctx)
    rows = _rows(params, data, target, classes, size)
    if not len(rows):
        raise SubsetError("nothing is left", where="subset", got=f"none of {len(data):,} pictures")
    targets = [replace(t, classes=classes) if t == target else t for t in data.meta.targets]
    total = len(rows) * max(1, len(data.meta.sizes))

    def copied(count: int) -> None:
        ctx.check()
        ctx.progress(count, total)

    made_by: dict[str, Any] = {
        "job": "subset",
        "params": params.model_dump(mode="json"),
        "from": dict(data.meta.made_by),
    }
    if size is not None:
        made_by["size"] = size
    copy_rows(data, rows, ctx.out, targets, made_by, copied)
    if size is not None and len(rows) > size:
        ctx.note(f"two pictures of each class are more than the {size:,} that the time allows")
    of = f", {len(classes)} classes" if target else ""
    ctx.note(f"{len(rows):,} of {len(data):,} pictures{of}")


def _class_target(params: Params, data: PackedSet) -> Target | None:
    """The first target of classes; DatasetError where one is needed and there is none."""
    if params.classes is not None or params.per_class is not None:
        return data.target("class")
    return next((target for target in data.meta.targets if target.kind == "class"), None)


def _classes(params: Params, target: Target) -> tuple[str, ...]:
    known = target.classes
    if params.classes is None:
        return known
    if isinstance(params.classes, int):
        classes = known[: max(0, params.classes)]
    else:
        unknown = [name for name in params.classes if name not in known]
        if unknown:
            raise SubsetError(
                "there is no such class",
                where="subset: classes",
                got=unknown[0],
                wanted=", ".join(known),
            )
        classes = tuple(name for name in known if name in params.classes)
    if len(classes) < 2:
        raise SubsetError(
            "a set of fewer than two classes teaches nothing",
            where="subset: classes",
            got=str(params.classes),
            wanted=f"2 to {len(known)} classes",
        )
    return classes


def _affordable(params: Params, data: PackedSet, ctx: skint.Context) -> int | None:
    """How many pictures fit into `seconds`; None where the size is not chosen by time."""
    from jobs.subset.choosing import affordable

    if params.seconds is None:
        return None
    rate = params.rate
    if params.recipe is not None:
        from jobs.train.job import ready_for_torch

        ready_for_torch()
        from jobs.subset.trial import measure

        measured = measure(params.recipe, data, ctx)
        rate = measured["rate"]
        # What this machine did at this moment is no part of the result: it is not the same twice.
        (ctx.out / "local").mkdir(exist_ok=True)
        write_json(ctx.out / "local" / "trial.json", measured)
        ctx.note(f"the trial passed {rate:,.0f} pictures a second on {ctx.cpus} CPUs")
    assert rate is not None
    return affordable(params.seconds, rate)


def _rows(
    params: Params,
    data: PackedSet,
    target: Target | None,
    classes: tuple[str, ...],
    size: int | None,
) -> NDArray[np.int64]:
    """Ids of the part, ascending."""
    import numpy as np

    from jobs.folds.strata import strata_target
    from jobs.subset.choosing import of_each_class, of_the_whole, quotas

    if target is None:
        if size is None:
            assert params.share is not None
            size = max(1, round(params.share * len(data)))
        spread = strata_target(data, None, "subset")
        return of_the_whole(data, spread, np.arange(len(data)), size, params.seed)
    numbers = np.full(len(target.classes) + 1, -1)
    for number, name in enumerate(classes):
        numbers[target.classes.index(name)] = number
    labels = numbers[data.labels(target.name)]  # -1, not known, reads the last one
    counts = np.bincount(labels[labels >= 0], minlength=len(classes)).tolist()
    if size is not None:
        sizes = quotas(counts, size)
    elif params.share is not None:
        sizes = [max(1, round(count * params.share)) for count in counts]
    else:
        sizes = [len(data) if params.per_class is None else params.per_class] * len(classes)
    return of_each_class(labels, sizes, params.seed)
