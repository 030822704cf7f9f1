"""The process that measures: `python -P -m jobs.probe.child ATTEMPT`, asked line by line.

Importing this imports torch, with all devices hidden; the first request that names devices shows
them to it.
An answer goes to what was standard output; what libraries print goes to the log.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

import skint
from jobs.probe.finder import find_rate
from jobs.probe.requests import Request
from jobs.probe.steps import time_steps
from jobs.training.data.fold import read_fold
from jobs.training.fitting.memory import is_out_of_memory
from jobs.training.fitting.prepared import make_module
from jobs.training.recipe.recipe import Recipe
from skint.attempt import AttemptDir
from skint.visibility import show


def main(attempt: str) -> None:
    """Answer until the other side closes."""
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    directory = AttemptDir(Path(attempt))
    ctx = skint.Context(directory, directory.read_task())
    torch.set_num_threads(ctx.cpus)
    for line in sys.stdin:
        request = Request.read(line)
        if request.devices:
            show(request.devices)
        answer_to.write(json.dumps(answer(request, ctx)) + "\n")
        answer_to.flush()


def answer(request: Request, ctx: skint.Context) -> dict[str, Any]:
    """What was measured, `out_of_memory`, or `error`."""
    recipe = Recipe(**request.recipe)
    try:
        if request.look == "prepare":
            make_module(recipe, read_fold(ctx, recipe.targets), ctx)
            return {}
        if request.look == "lr":
            return find_rate(recipe, request, ctx)
        return time_steps(recipe, request, ctx)
    except Exception as error:  # told by the job, which has the person's ear
        if is_out_of_memory(error):
            torch.cuda.empty_cache()
            return {"out_of_memory": True}
        return {"error": f"{type(error).__name__}: {error}".split("\n")[0]}


if __name__ == "__main__":
    main(sys.argv[1])
