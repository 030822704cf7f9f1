"""What was seen of all files: each is looked at once, by as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import skint
from jobs.pool.pool import spread
from jobs.scan.journal import Journal
from jobs.scan.look import Look, Task, Way, look_at, lost
from jobs.scan.scanned import MaskFile, Row
from jobs.scan.wanted import Wanted


@dataclass
class Looked:
    """In the order of what was wanted."""

    rows: list[Row] = field(default_factory=list)
    """Of `scan.csv`."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of what is no usable picture."""
    partly: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of broken pictures that are used as far as they go."""
    masks: dict[tuple[str, str], MaskFile] = field(default_factory=dict)
    """By target and path."""
    doubtful_masks: list[str] = field(default_factory=list)
    """Paths, of all targets: see `Mask.doubtful`."""
    levels: list[int] = field(default_factory=list)
    """Of each photo of 16 bits: see `Facts.levels`."""


def look_at_all(
    way: Way,
    wanted: Sequence[Wanted],
    masks: Sequence[tuple[int, str]],
    journal: Journal,
    ctx: skint.Context,
) -> Looked:
    """`masks`: number among the cells, and name, of each target that is one."""
    tasks = [
        Task(one.path, tuple(one.cells[number] for number, _name in masks if one.cells[number]))
        for one in wanted
    ]
    known: list[Look | None] = []
    for task in tasks:
        ctx.check()
        known.append(journal.known(task))
    looks = spread(
        partial(look_at, way),
        [task for task, look in zip(tasks, known, strict=True) if look is None],
        processes=ctx.cpus,
        check=ctx.check,
        crashed=lost,
    )
    looked = Looked()
    for done, (one, task, look) in enumerate(zip(wanted, tasks, known, strict=True), 1):
        if look is None:
            look = next(looks)
            journal.add(task, look)
        _take(looked, one, look, [name for number, name in masks if one.cells[number]])
        ctx.progress(done, len(wanted))
    return looked


def _take(looked: Looked, one: Wanted, look: Look, targets: Sequence[str]) -> None:
    """`targets`: whose masks the picture has."""
    if not look.pages:
        looked.unreadable.append((one.path, look.reason))
        return
    if look.reason:
        looked.partly.append((one.path, look.reason))
    for page in look.pages:
        name = f"{one.name}#{page.number}" if len(look.pages) > 1 else one.name
        looked.rows.append(
            Row(
                *(name, one.path, page.number, one.group, look.sha256),
                *(page.width, page.height, page.channels, page.dtype),
                *(look.bytes, page.phash, one.cells),
            )
        )
        if page.levels is not None:
            looked.levels.append(page.levels)
    for target, mask in zip(targets, look.masks, strict=True):
        looked.masks[target, mask.path] = MaskFile(target, mask.path, mask.sha256, mask.dtype)
        if mask.doubtful:
            looked.doubtful_masks.append(mask.path)
