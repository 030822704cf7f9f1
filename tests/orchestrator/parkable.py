"""A job that counts, keeps checkpoints and goes on where it was stopped; copied beside a plan."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from pydantic import BaseModel

import skint
from skint.context import StopRequested

CHECKPOINT = Path("local", "last.json")


class Params(BaseModel):
    steps: int
    epoch: int = 5
    """Steps of an epoch."""
    seconds: float = 0.2
    """Of each step."""
    log: Path
    """Each step that was done, with the attempt that did it."""


@skint.job(devices=1, resume=True)
def count(params: Params, ctx: skint.Context) -> None:
    done = 0
    if ctx.previous is not None:
        done = json.loads((ctx.previous / CHECKPOINT).read_text())["done"]
    try:
        while done < params.steps:
            ctx.check(mid_epoch=done % params.epoch != 0)
            time.sleep(params.seconds)
            done += 1
            with ctx.resolve(params.log).open("a") as log:
                log.write(f"{done} {ctx.task.attempt}\n")
            ctx.progress(done, params.steps)
            if done % params.epoch == 0:
                keep(ctx, params, done)
                ctx.report(epoch=done // params.epoch, epochs=params.steps // params.epoch)
    except StopRequested:
        keep(ctx, params, done)
        raise
    (ctx.out / "counted.txt").write_text(f"{done}\n")


def keep(ctx: skint.Context, params: Params, done: int) -> None:
    """Edge 38: written beside and renamed, so that the one before stays whole until then."""
    path = ctx.out / CHECKPOINT
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps({"done": done}))
    os.replace(beside, path)
    ctx.checkpoint(CHECKPOINT, epoch=done // params.epoch, step=done)
