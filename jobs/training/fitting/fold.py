"""Training one fold, from the packed set to the out-of-fold predictions."""

from __future__ import annotations

import json
import time

import torch

import skint
from jobs.training.checkpoints.checkpoint import BEST
from jobs.training.checkpoints.resume import resume_point
from jobs.training.data.fold import read_fold, unseen_classes
from jobs.training.fitting.device import choose_engine
from jobs.training.fitting.prepared import make_parts
from jobs.training.fitting.stages import Work, run_stage
from jobs.training.recipe.planned import planned, total_epochs
from jobs.training.recipe.recipe import Recipe
from jobs.training.results.predictions import predict, write
from jobs.training.watching.history import History
from skint.attempt import write_atomic, write_json


def train_fold(recipe: Recipe, ctx: skint.Context) -> None:
    """Train, then predict the validation fold with the best epoch's weights."""
    started = time.monotonic()
    data = read_fold(ctx)
    if ctx.fold is None:
        ctx.note("fold 0 validates; `per: fold` trains them all")
    if absent := unseen_classes(data):
        ctx.note(f"no training sample of {', '.join(absent)} outside fold {data.fold}")
    torch.set_num_threads(ctx.cpus)
    parts = make_parts(recipe, data, ctx)
    parts.start.tell(ctx)
    stages = planned(recipe)
    point = resume_point(ctx)
    history = History(ctx, recipe, data.packed.classes)

    engine = choose_engine(recipe.precision, ctx.wait_for_devices())
    if engine.note:
        ctx.note(engine.note)
    work = Work(ctx, data, parts, engine, history)
    for stage in stages[point.stage if point else 0 :]:
        module, validation = run_stage(work, stage, point)
        point = None
    history.write()

    best = torch.load(ctx.out / BEST, map_location="cpu", weights_only=True)
    module.judged.load_state_dict(best["state_dict"])
    predictions = predict(
        module,
        validation,
        data.packed.classes,
        device=engine.device,
        autocast=engine.autocast,
    )
    write(ctx.out / "predictions.npz", predictions)
    epochs = total_epochs(recipe)
    score, count = predictions.accuracy, len(predictions.ids)
    result = {
        "metric": "val_acc",
        "score": score,
        "n": count,
        "epochs": epochs,
        "best_epoch": history.best_epoch,
    }
    write_atomic(ctx.out / "result.json", (json.dumps(result, indent=1) + "\n").encode())
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "timing.json", {"seconds": time.monotonic() - started})
    ctx.report(epoch=epochs, epochs=epochs, metric="val_acc", score=score, n=count)
