"""A job that stands still before a gate until somebody opens it or stops the job; copied beside a
plan. It keeps checkpoints, and goes on where it was stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path

from pydantic import BaseModel

import skint
from skint.context import StopRequested

CHECKPOINT = Path("local", "last.json")
STEPS, GATE = 10, 5
"""The gate stands before the step after `GATE`."""


class Params(BaseModel):
    log: Path
    """Each step that was done, with the attempt that did it."""
    gate: Path
    """It is open once this file is there."""
    loss: float = 0.5
    """What it reports before the gate."""


@skint.job(devices=1, resume=True)
def count(params: Params, ctx: skint.Context) -> None:
    done = 0
    if ctx.previous is not None:
        done = json.loads((ctx.previous / CHECKPOINT).read_text())["done"]
    try:
        while done < STEPS:
            ctx.check()
            if done == GATE and not ctx.resolve(params.gate).exists():
                time.sleep(0.02)
                continue
            done += 1
            with ctx.resolve(params.log).open("a") as log:
                log.write(f"{done} {ctx.task.attempt}\n")
            ctx.progress(done, STEPS)
            if done == GATE:
                ctx.report(epoch=1, train_loss=params.loss)
    except StopRequested:
        path = ctx.out / CHECKPOINT
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"done": done}))
        ctx.checkpoint(CHECKPOINT, epoch=0, step=done)
        raise
    (ctx.out / "counted.txt").write_text(f"{done}\n")
