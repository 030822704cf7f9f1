"""Training one fold, from the packed set to the out-of-fold predictions."""

from __future__ import annotations

import json
import logging
import time
import warnings
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.checkpoints.checkpoint import BEST, SAVE_EVERY_S, Checkpoints
from jobs.training.checkpoints.resume import resume_point
from jobs.training.data.fold import read_fold, unseen_classes
from jobs.training.fitting.device import Engine, choose_engine
from jobs.training.fitting.prepared import prepare
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
    engine = choose_engine(recipe.precision, ctx.devices)
    if engine.note:
        ctx.note(engine.note)
    torch.set_num_threads(ctx.cpus)
    parts = prepare(recipe, data, ctx, engine.device)
    history = History(ctx, recipe, data.packed.classes)
    checkpoints = Checkpoints(ctx, stage=0, keep_every=recipe.keep_every)
    # In this order: a row of the history, its report, the checkpoint that knows of both.
    callbacks = [history, skint.Callback(save_every_s=SAVE_EVERY_S), checkpoints]
    trainer = make_trainer(engine, recipe, ctx, callbacks)
    point = resume_point(ctx)
    resumed = point.fit_arguments if point else {}
    trainer.fit(parts.module, parts.train, parts.validation, **resumed)
    history.write()

    best = torch.load(ctx.out / BEST, map_location="cpu", weights_only=True)
    parts.module.network.load_state_dict(best["state_dict"])
    predictions = predict(
        parts.module,
        parts.validation,
        data.packed.classes,
        device=engine.device,
        autocast=engine.autocast,
    )
    write(ctx.out / "predictions.npz", predictions)
    score, count = predictions.accuracy, len(predictions.ids)
    result = {
        "metric": "val_acc",
        "score": score,
        "n": count,
        "epochs": recipe.epochs,
        "best_epoch": history.best_epoch,
    }
    write_atomic(ctx.out / "result.json", (json.dumps(result, indent=1) + "\n").encode())
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "timing.json", {"seconds": time.monotonic() - started})
    ctx.report(epoch=recipe.epochs, epochs=recipe.epochs, metric="val_acc", score=score, n=count)


def make_trainer(
    engine: Engine, recipe: Recipe, ctx: skint.Context, callbacks: list[pl.Callback], **limits: Any
) -> pl.Trainer:
    """A Trainer that prints nothing, logs nowhere and repeats itself exactly."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # "GPU available: ...", tips
    # Lightning counts cores and batches and gives advice; the loader here needs none of it.
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
    return pl.Trainer(
        accelerator=engine.accelerator,
        devices=1,
        precision=engine.precision,
        max_epochs=recipe.epochs,
        callbacks=callbacks,
        deterministic="warn",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        default_root_dir=ctx.out / "local",
        **limits,
    )
