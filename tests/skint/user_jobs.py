"""A module of jobs as a user may write it: right ones, and one mistake of each kind."""

from __future__ import annotations

from pathlib import Path

TRAIN = """
from pathlib import Path
from pydantic import BaseModel, ConfigDict, Field
import skint

print("chatter while importing")

class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    source: Path
    epochs: int = Field(3, ge=1)

@skint.job(devices=1, cpus=2, smoke=True, resume=True)
def fit(params: Params, ctx: skint.Context) -> None:
    ctx.report(epoch=1, source=str(ctx.resolve(params.source)), inputs=len(ctx.inputs))
    ctx.out.joinpath("result.txt").write_text(str(params.epochs))

@skint.job()
def bug(params: Params, ctx: skint.Context) -> None:
    ctx.progress(1, 2)
    [][params.epochs]

@skint.job()
def mistake(params: Params, ctx: skint.Context) -> None:
    raise skint.SkintError("the folder is empty", where="data", got="0 files", wanted="pictures")

@skint.job()
def waits(params: Params, ctx: skint.Context) -> None:
    ctx.out.joinpath("up").touch()
    while True:
        try:
            ctx.check()
        except Exception:
            pass

@skint.job()
def leaves(params: Params, ctx: skint.Context) -> None:
    raise SystemExit(4)

@skint.job()
def ignores(params: Params, ctx: skint.Context) -> None:
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)

@skint.job()
def untyped(params, ctx):
    pass

@skint.job()
def alone() -> None:
    pass

def plain(params: Params, ctx: skint.Context) -> None:
    pass

@skint.job()
def noted(params: Params, ctx: skint.Context) -> None:
    error = ValueError("five")
    error.add_note("the traceback of\\nanother process\\n")
    raise error

@skint.job()
def full(params: Params, ctx: skint.Context) -> None:
    from skint.checkpoint import CheckpointError
    raise CheckpointError("the checkpoint could not be written", got="the disk is full")

number = 3
"""


def plan_folder(folder: Path) -> Path:
    """The folder, with `my_jobs.py` in it."""
    (folder / "my_jobs.py").write_text(TRAIN)
    return folder
