"""Training the stages, one after the other."""

from __future__ import annotations

import importlib
import json
import logging
import math
import random
import warnings
from typing import Any

import numpy as np
import torch

import skint
from jobs.better.unpredicted import NO_PREDICTIONS
from jobs.fit.classes import PACKAGES, Made, make_data, make_module
from jobs.fit.handing import hand_on
from jobs.fit.held_out import HeldOutError
from jobs.fit.history import VERSION, History, best_path, missing, read_weights
from jobs.fit.params import Params, PlannedStage, planned
from jobs.fit.predictions import predictions_of
from jobs.training.checkpoints.resume import ResumePoint, resume_point
from jobs.training.fitting.device import Engine, choose_engine
from jobs.training.results.correct import CORRECT, write_correct
from jobs.training.results.predictions import write
from skint.attempt import write_atomic
from skint.checkpoint import set_aside

NOT_RETURNED = "validation_step returns no ids, target and probabilities"
SAVE_EVERY_S = 30.0
"""A checkpoint may cost more than a short epoch."""


def train(params: Params, ctx: skint.Context) -> None:
    """Train every stage, or go on where the attempt before stopped; publish the score."""
    if ctx.task.standby_s is not None:
        importlib.import_module(PACKAGES[0])
    devices = ctx.wait_for_devices()
    # The user's code comes after it: it may ask for a device when it is imported.
    engine = choose_engine(params.precision, devices, most=max(1, len(devices)))
    if engine.note:
        ctx.note(engine.note)
    torch.set_num_threads(max(1, ctx.cpus // engine.devices))
    stages = planned(params)
    point = resume_point(ctx, VERSION)
    history = None
    speaks = True
    for stage in stages[point.stage if point else 0 :]:
        if engine.devices == 1:  # of several processes one alone must not leave
            ctx.check()
        history = History(ctx, stage, history)
        made = prepare(params, stage, stages, ctx, told=point is None)
        if len(stages) > 1:  # after the first of them was imported: that is no part of training
            ctx.stage(stage.name)
        speaks = run(made, stage, stages, engine, history, ctx, point)
        point = None
    assert history is not None
    if speaks:
        publish(history, stages, ctx)


def prepare(
    params: Params,
    stage: PlannedStage,
    stages: tuple[PlannedStage, ...],
    ctx: skint.Context,
    *,
    told: bool,
) -> Made:
    """The objects of a stage, with the weights that the stage before hands on.

    Where `told`, a note says which they are. Raises ClassError, HandOnError.
    """
    # The same whether the stages before were trained in this process or in an earlier one.
    seed_everything(params.seed, stage.number)
    data = make_data(stage.data, stage.data_args, ctx, seed=params.seed)
    made = make_module(stage.module, stage.module_args, data, ctx, seed=params.seed)
    before = stages[stage.number - 1] if stage.number else None
    if before is not None and before.prefixes:
        weights = read_weights(best_path(ctx.out, before))
        handed = hand_on(weights, made.module, before.prefixes, before.name)
        if told:
            ctx.note(handed.sentence(before.name))
    return made


def run(
    made: Made,
    stage: PlannedStage,
    stages: tuple[PlannedStage, ...],
    engine: Engine,
    history: History,
    ctx: skint.Context,
    point: ResumePoint | None,
) -> bool:
    """Train one stage to its end; from `point`, which is in it, where there is one.

    On several devices this runs in a process for each. True in the one that publishes.
    """
    if point is not None:
        history.load(point.mark)
        if history.is_over:  # it may have ended early: Lightning would train another epoch
            return True
    callback = skint.Callback(
        save_every_s=SAVE_EVERY_S,
        epochs=sum(one.epochs for one in stages),
        epochs_before=stage.first_epoch,
        steps_before=history.steps_before,
        facts={
            "metric": stages[-1].monitor,
            "larger_is_better": stages[-1].larger_is_better,
        },
    )
    trainer = make_trainer(made, stage, engine, ctx, [history, callback])
    trainer.fit(made.module, datamodule=made.data, **(point.fit_arguments if point else {}))
    if trainer.world_size > 1:
        trainer.strategy.barrier()  # what the first one writes is read by all
    return bool(trainer.is_global_zero)


def make_trainer(
    made: Made,
    stage: PlannedStage,
    engine: Engine,
    ctx: skint.Context,
    callbacks: list[Any],
    **limits: Any,
) -> Any:
    """A Trainer of the module's Lightning that prints nothing and logs nowhere."""
    package = made.lightning.__name__
    for name in (package, "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # "GPU available: ...", tips
    warnings.filterwarnings("ignore", module=f"{package}|lightning")
    given: dict[str, Any] = {"deterministic": "warn", **stage.trainer_args, **limits}
    return made.lightning.Trainer(
        accelerator=engine.accelerator,
        devices=engine.devices,
        precision=engine.precision,
        max_epochs=stage.epochs,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=ctx.out / "local",
        **given,
    )


def seed_everything(seed: int, stage: int) -> None:
    """Python's, NumPy's and torch's generators, differently for each stage."""
    own = seed * 1_000_003 + stage
    random.seed(own)
    np.random.seed(own % 2**32)
    torch.manual_seed(own)


def publish(history: History, stages: tuple[PlannedStage, ...], ctx: skint.Context) -> None:
    """Write `result.json` and report the score: that of the last stage's best epoch. Where the
    module returned what it predicted, `predictions.npz` and `correct.json` as well.
    """
    history.write()
    if not history.best:
        raise missing(history.stage, history.rows[-1] if history.rows else {})
    stage, total = history.stage, sum(stage.epochs for stage in stages)
    score = float(history.best[stage.monitor])
    count, why_none = _publish_predictions(history, ctx)
    result = {
        "metric": stage.monitor,
        "score": score if math.isfinite(score) else None,  # JSON has no NaN
        "epochs": total,
        "best_epoch": history.best["epoch"],
        **({"n": history.count or count} if history.count or count else {}),
        **({NO_PREDICTIONS: why_none} if why_none else {}),
    }
    write_atomic(ctx.out / "result.json", (json.dumps(result, indent=1) + "\n").encode())
    told = {name: result[name] for name in ("metric", "score", "n") if name in result}
    ctx.report(epoch=total, epochs=total, **told)
    # No part of the result; kept for the case that the machine goes down before this attempt ends.
    set_aside(ctx.out)


def _publish_predictions(history: History, ctx: skint.Context) -> tuple[int, str]:
    """How many samples were predicted, and why none were. What is wrong with them is a note: the
    weights and the score of the fold stand without them."""
    given = history.best_given
    if given is None:
        return 0, NOT_RETURNED
    try:
        if isinstance(given, HeldOutError):
            raise given
        predictions = predictions_of(given, ctx)
    except HeldOutError as error:
        why = f"{error.what} ({error.got})" if error.got else error.what
        ctx.note(f"no out-of-fold predictions: {why}")
        return 0, why
    write(ctx.out / "predictions.npz", predictions)
    write_correct(ctx.out / CORRECT, predictions, history.stage.monitor)
    return len(predictions.ids), ""
