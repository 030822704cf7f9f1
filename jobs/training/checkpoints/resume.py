"""Finding the place to go on from: the newest whole checkpoint of the attempt before.

Imports no Lightning: a module of a user's may stand on either of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import skint
from skint.checkpoint import BEFORE, CHECKPOINT, bring_along, link, newest

MARK = "skint"
"""Where a checkpoint says what it is: its `version`, the number of its `stage`, and what else the
job keeps there."""


@dataclass(frozen=True)
class ResumePoint:
    """Where a training goes on."""

    mark: Mapping[str, Any]
    """What the checkpoint says under `MARK`."""
    epoch: int
    """Epochs that are behind it, as Lightning counts them."""
    step: int
    """Steps of the optimizer of that stage that are behind it."""
    path: Path
    """A whole checkpoint under this attempt's `out`."""

    @property
    def stage(self) -> int:
        """Number of the stage that the checkpoint was written in."""
        return int(self.mark["stage"])

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """For `Trainer.fit`. It is unpickled in full, being one of ours."""
        return {"ckpt_path": self.path, "weights_only": False}


def resume_point(ctx: skint.Context, version: int) -> ResumePoint | None:
    """Where the attempt before got to, or None where this one begins anew.

    What that attempt had saved moves along into `ctx.out`: this one may be lost before it writes
    its own. A checkpoint that was cut short is passed over for the one before, with a note; one
    whose mark is not of this `version` is of no use. Needs no device.
    """
    if ctx.previous is None:
        return None
    found = newest(ctx.previous)
    present = [name for name in (CHECKPOINT, BEFORE) if (ctx.previous / name).exists()]
    if found is None:
        if present:
            ctx.note("the earlier attempt's checkpoint is damaged: starts from the beginning")
        return None
    state = torch.load(found, map_location="cpu", mmap=True, weights_only=False)
    mark = state.get(MARK, {})
    if mark.get("version") != version:
        ctx.note(
            "the earlier attempt's checkpoint is of another version: starts from the beginning"
        )
        return None
    epoch, step = state["epoch"], state["global_step"]
    if found != ctx.previous / present[0]:
        ctx.note(
            f"the newest checkpoint is damaged: goes on from the one before (epoch {epoch}, "
            f"step {step})"
        )
    for path in sorted((ctx.previous / CHECKPOINT.parent).glob("*.ckpt")):
        if path.name != CHECKPOINT.name:
            (ctx.out / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
            link(path, ctx.out / CHECKPOINT.parent / path.name)
    return ResumePoint(mark, epoch, step, bring_along(found, ctx.out))


def epoch_of(path: Path) -> int:
    """The epoch, from 1, whose weights a `best.ckpt` has; 0 where there is none.

    An attempt that was killed may have kept a later epoch's weights than its checkpoint knows of.
    """
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    return int(state["epoch"])
