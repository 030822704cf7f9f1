"""Splits a packed set into folds: every picture is held out exactly once, or once a repeat.

`folds.csv` says what each picture does (`skint.dataset.folds`), `folds.json` counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

import skint
from jobs.folds.splits import FoldsError, Split, Ways, by_chance, by_time
from jobs.scan.scanned import DUPLICATES
from skint.attempt import write_atomic
from skint.context import InputNotFound
from skint.dataset import PackedSet, Sample, Target
from skint.dataset.folds import TEST, TRAIN, TRAINS_FROM
from skint.table import write_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from jobs.folds.together import Together

K = 5


class Params(BaseModel):
    """How `folds` splits."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    k: int | None = Field(default=None, ge=2)
    """Number of folds; 5 unless `holdout` is given."""
    repeats: int = Field(default=1, ge=1)
    """Split so many times, each time by another chance; folds are numbered on."""
    holdout: float | None = Field(default=None, gt=0, lt=1)
    """One fold only, which holds out this share; the rest trains."""
    test: float | None = Field(default=None, gt=0, lt=1)
    """Set this share aside before: it neither trains nor validates in any fold."""
    stratify: bool | str | None = None
    """Give every part the same share of each class, label or range of values: of the target of
    this name, or of the first one. By default wherever there is such a target, except by time."""
    group: bool = False
    """Never split the samples of one group, e.g. the pictures of one patient."""
    copies: Literal["together", "apart"] = "together"
    """Keep pictures of the same bytes, and those that the scan found nearly the same, in one part:
    a model that is judged by what it trained on looks better than it is."""
    time: str | None = None
    """A column of numbers or dates: each fold trains on what is strictly earlier than it."""
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        if self.holdout is not None and (self.k is not None or self.repeats > 1):
            raise ValueError("`holdout` makes one fold: give it without `k` and `repeats`")
        if self.time is not None and (self.group or self.stratify or self.repeats > 1):
            raise ValueError(
                "by `time` there is one way to split: without `stratify`, `group` and `repeats`"
            )
        return self


def fold_count(params: Mapping[str, Any]) -> int:
    """How many folds, and so how many jobs `per: fold`, these parameters make."""
    if params.get("holdout") is not None:
        return 1
    return int(params.get("k") or K) * int(params.get("repeats", 1))


@skint.job(devices=0, libraries=("numpy",))
def folds(params: Params, ctx: skint.Context) -> None:
    import numpy as np

    from jobs.folds.check import check_samples, check_split
    from jobs.folds.strata import strata_of, strata_target
    from jobs.folds.together import keep_together

    data = PackedSet.open(ctx.find("dataset.json").parent)
    where = str(data.folder / "samples.csv")
    # By path: the same pictures in another order are split in the same way.
    known = sorted(filter(_is_known(data), data.samples), key=lambda s: (s.path, s.page, s.id))
    rows = np.array([sample.id for sample in known], dtype=np.int64)
    ways = Ways(params.k or K, params.repeats, params.holdout, params.test, params.seed)
    parts = 2 if params.holdout is not None else ways.k
    if params.group:
        _all_have_groups(known, where)
    together = keep_together(
        known,
        grouped=params.group,
        copies=params.copies == "together",
        near=_near(params, known, ctx),
        strata=_classes(data)[rows].tolist(),
        share=1 / (params.k or K),
    )
    target: Target | None = None
    if params.time is not None:
        from jobs.folds.times import times_of

        split = by_time(rows, times_of(known, params.time, data, where), ways, together.units)
    else:
        target = strata_target(data, params.stratify, "folds")
        units = None if together.units is None else together.units.tolist()
        check_samples(known, target, units, params.group, parts, where)
        split = by_chance(
            rows, together.units, lambda some, n: strata_of(data, target, some, n), ways, ctx.check
        )
    check_split(split, data, params.time is not None, where)
    write_rows(ctx.out / "folds.csv", *_table(split, len(data)))
    summary = _summary(params, split, data, target, len(known))
    summary["kept_together"] = {"exact": together.exact, "near": together.near}
    write_atomic(ctx.out / "folds.json", (json.dumps(summary, indent=1) + "\n").encode())
    for sentence in (
        *_faults(split, data, together, params.repeats),
        _sizes(split, params.repeats),
        *_left_out(split, len(data) - len(known)),
        *_kept_together(together),
    ):
        ctx.note(sentence)  # what matters most comes first: a table of jobs shows that


def _is_known(data: PackedSet) -> Any:
    """A function that tells whether anything is known of a sample; all of a set without targets."""
    targets = data.meta.targets
    whole = not targets or any(target.kind == "multilabel" for target in targets)
    return lambda sample: whole or any(sample.targets.get(target.name) for target in targets)


def _all_have_groups(samples: list[Sample], where: str) -> None:
    without = [sample for sample in samples if not sample.group]
    if without:
        raise FoldsError(
            f"{len(without)} of {len(samples)} samples have no group",
            where=where,
            got=f"an empty group at {without[0].path}",
            next="let `scan` find groups (`group:` or a table), or set `group: false`",
        )


def _near(params: Params, samples: list[Sample], ctx: skint.Context) -> list[tuple[int, int]]:
    """Pairs of places in `samples` that look alike; none where there is no scan to ask."""
    from jobs.folds.together import near_pairs

    if params.copies == "apart":
        return []
    try:
        return near_pairs(ctx.find(DUPLICATES), samples)
    except InputNotFound:
        return []


def _classes(data: PackedSet) -> NDArray[np.int64]:
    """(N,) the class of each sample from 1; 0 where it is not known, or there are none."""
    import numpy as np

    if all(target.kind != "class" for target in data.meta.targets):
        return np.zeros(len(data), dtype=np.int64)
    return data.labels() + 1


def _table(split: Split, count: int) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Columns and rows of `folds.csv`."""
    cells: list[list[object]] = [[] for _ in range(count)]
    for number, held_out in enumerate(split.held_out):
        for row in held_out.tolist():
            cells[row].append(number)
    starts: dict[int, int] = {}
    for number, repeated in enumerate(split.repeated):
        for row in repeated.tolist():
            cells[row].append(TRAIN)
            starts[row] = number + 1
    for word, chosen in ((TRAIN, split.only_train), (TEST, split.test)):
        for row in chosen.tolist():
            cells[row].append(word)
    lines = [(row, cell) for row, said in enumerate(cells) for cell in said or [""]]
    if not split.in_order:
        return ("id", "fold"), list(lines)
    return ("id", "fold", TRAINS_FROM), [
        (row, cell, cell + 1 if isinstance(cell, int) else starts.get(row, 0))
        for row, cell in lines
    ]


def _summary(
    params: Params, split: Split, data: PackedSet, target: Target | None, known: int
) -> dict[str, Any]:
    from jobs.folds.check import counts_of

    return {
        **params.model_dump(mode="json"),
        "folds": len(split.held_out),
        "stratified_by": target.name if target else None,
        "sizes": [len(held_out) for held_out in split.held_out],
        "only_train": len(split.only_train),
        "test": len(split.test),
        "in_no_fold": len(data) - known,
        "classes": counts_of(split, data),
    }


def _faults(split: Split, data: PackedSet, together: Together, repeats: int) -> Iterator[str]:
    """What makes the scores of this split less worth."""
    from jobs.folds.check import copies_apart, missing_classes

    apart = copies_apart(split, data, len(split.held_out) // repeats)
    if apart:
        yield f"copies of {apart} pictures stand in two parts: their score is flattered"
    missing = missing_classes(split, data)
    if missing:
        fold, name = missing[0]
        yield f"fold {fold} has no sample of the class {name} to be tested on"
    if together.alike:
        yield (
            f"{together.alike:,} pictures look alike, too many to be kept together: "
            "give them a group if they belong together"
        )


def _sizes(split: Split, repeats: int) -> str:
    sizes = [len(held_out) for held_out in split.held_out]
    least, most = min(sizes), max(sizes)
    size = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    count = f"{len(sizes)} folds of" if len(sizes) > 1 else "one fold of"
    return f"{count} {size} pictures" + (f", {repeats} repeats" if repeats > 1 else "")


def _left_out(split: Split, unknown: int) -> Iterator[str]:
    if len(split.test):
        yield f"{len(split.test):,} pictures are set aside as a test part"
    if unknown:
        yield f"{unknown:,} pictures without a label are in no fold"
    late = sum(map(len, split.repeated))
    if late:
        yield f"{late:,} copies of earlier pictures train, and judge nothing"


def _kept_together(together: Together) -> Iterator[str]:
    if together.exact:
        yield f"{together.exact:,} copies are kept together with the picture that they repeat"
    if together.near:
        yield f"{together.near:,} near copies are kept together with what they look like"
