"""Training one fold, from the packed set to the out-of-fold predictions."""

from __future__ import annotations

import time

import torch

import skint
from jobs.training.checkpoints.checkpoint import VERSION
from jobs.training.checkpoints.resume import resume_point
from jobs.training.data.fold import read_fold
from jobs.training.data.remarks import remarks
from jobs.training.fitting.device import choose_engine
from jobs.training.fitting.memory import Memory
from jobs.training.fitting.others import Others
from jobs.training.fitting.prepared import make_parts
from jobs.training.fitting.stages import Work, at_size, run_stage
from jobs.training.fitting.totals import totals
from jobs.training.network.compiling import compile_in_place
from jobs.training.recipe.planned import planned
from jobs.training.recipe.recipe import Recipe
from jobs.training.results.conditions import write_conditions, write_machine
from jobs.training.results.publish import publish
from jobs.training.results.said import facts_of
from jobs.training.watching.history import History
from jobs.training.watching.loggers import ToLoggers, make_loggers
from skint.ranks import own_rank

MOST_DEVICES = 64
"""Of one machine."""


def train_fold(recipe: Recipe, ctx: skint.Context, others: Others) -> None:
    """Train, then publish the best epoch: its weights, and what its validation predicted.

    Each of the processes of a training on several devices runs it; the first one publishes.
    """
    rank, ranks = own_rank(), max(1, ctx.device_count)
    started = time.monotonic()
    data = read_fold(ctx, recipe.targets)
    if ctx.fold is None:
        ctx.note("fold 0 validates; `per: fold` trains them all")
    said = remarks(data, recipe.batch_size)
    for sentence in said:
        ctx.note(sentence)
    torch.set_num_threads(max(1, ctx.cpus // ranks))
    parts = make_parts(recipe, data, ctx)
    parts.start.tell(ctx)
    stages = planned(recipe)
    sizes = {stage.size_px: at_size(data, stage.size_px) for stage in stages}
    if (total := totals(stages, len(data.train), ranks)) is not None:
        ctx.note(total)
    history = History(ctx, recipe, parts.objective)
    point = resume_point(ctx, VERSION)
    copies = ToLoggers(make_loggers(recipe, ctx) if rank == 0 else [], history, ctx)
    if rank > 0:  # its layers drop others out than the first one's
        torch.manual_seed(recipe.seed * MOST_DEVICES + rank)

    asked = time.monotonic()
    devices = ctx.wait_for_devices()
    engine = choose_engine(recipe.precision, devices, most=MOST_DEVICES, rank=rank)
    waited_s = time.monotonic() - asked
    if engine.note:
        ctx.note(engine.note)
    if recipe.compile:
        compile_in_place(parts.network.module, engine.device.type)
    facts = facts_of(recipe, data, parts.objective, history.monitor)
    work = Work(ctx, sizes, parts, engine, history, Memory(ctx.note), copies, others, facts)
    for stage in stages[point.stage if point else 0 :]:
        run_stage(work, stage, point)
        point = None
    if rank > 0:
        return
    others.wait()
    copies.close()
    result = publish(ctx, recipe, data, parts.objective, parts.normalise, history)
    write_conditions(ctx, data, engine, [*said, *parts.start.notes])
    write_machine(ctx, engine, time.monotonic() - started - waited_s)
    score = {name: result[name] for name in ("metric", "score", "n")}
    ctx.report(epoch=history.epochs, epochs=history.epochs, **score)
