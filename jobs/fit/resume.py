"""Finding the place where an earlier attempt stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import skint
from jobs.fit.history import MARK, VERSION
from skint.checkpoint import BEFORE, CHECKPOINT, bring_along, link, newest


@dataclass(frozen=True)
class ResumePoint:
    """Where a training goes on."""

    stage: int
    """Number of the stage that the checkpoint is of."""
    mark: Mapping[str, Any]
    """What the checkpoint knows of the epochs before it: for `History.load`."""
    path: Path
    """The checkpoint, under this attempt's `out`."""


def resume_point(ctx: skint.Context) -> ResumePoint | None:
    """Where the attempt before got to; None where this one begins anew.

    What that attempt has saved moves along into `ctx.out`: this one may be lost before it saves.
    """
    if ctx.previous is None:
        return None
    found = newest(ctx.previous)
    names = [name for name in (CHECKPOINT, BEFORE) if (ctx.previous / name).exists()]
    if found is None:
        if names:
            ctx.note("the earlier attempt's checkpoint is damaged: starts from the beginning")
        return None
    # In full, being one of ours: a module may keep objects of any kind in its checkpoints.
    state = torch.load(found, map_location="cpu", mmap=True, weights_only=False)
    mark = state.get(MARK, {})
    if mark.get("version") != VERSION:
        ctx.note("the earlier attempt's checkpoint is of another version: starts anew")
        return None
    if found != ctx.previous / names[0]:
        ctx.note("the newest checkpoint is damaged: goes on from the one before")
    for path in sorted((ctx.previous / CHECKPOINT.parent).glob("*.ckpt")):
        if path.name != CHECKPOINT.name:
            (ctx.out / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
            link(path, ctx.out / CHECKPOINT.parent / path.name)
    return ResumePoint(mark["stage"], mark, bring_along(found, ctx.out))
