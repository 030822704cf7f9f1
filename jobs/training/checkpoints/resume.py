"""Finding the place to go on from: the newest whole checkpoint of the attempt before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import skint
from jobs.training.checkpoints.checkpoint import BEST, KEPT, MARK, VERSION
from skint.checkpoint import BEFORE, CHECKPOINT, bring_along, link, newest


@dataclass(frozen=True)
class ResumePoint:
    """Where a training goes on."""

    stage: int
    """Number of the stage that the checkpoint was written in."""
    epoch: int
    """Epochs of all stages that are behind it."""
    step: int
    """Steps of the optimizer of that stage that are behind it."""
    path: Path
    """A whole checkpoint under this attempt's `out`."""

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """For `Trainer.fit`. It is unpickled in full, being one of ours."""
        return {"ckpt_path": self.path, "weights_only": False}


def resume_point(ctx: skint.Context) -> ResumePoint | None:
    """Where the attempt before got to, or None where this one begins anew.

    What that attempt had saved moves along into `ctx.out`: this one may be lost before it writes
    its own. A checkpoint that was cut short is passed over for the one before, with a note. Needs
    no device.
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
    if mark.get("version") != VERSION:
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
    for path in (ctx.previous / BEST, *(ctx.previous / BEST.parent).glob(KEPT.format("*"))):
        if path.is_file():
            (ctx.out / BEST).parent.mkdir(parents=True, exist_ok=True)
            link(path, ctx.out / BEST.parent / path.name)
    return ResumePoint(mark["stage"], epoch, step, bring_along(found, ctx.out))
