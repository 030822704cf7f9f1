"""The rehearsal on a CPU: one training batch and one validation batch of every stage."""

from __future__ import annotations

import json
import math
import shutil
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

import skint
from jobs.fit.classes import Made
from jobs.fit.held_out import HeldOutError
from jobs.fit.history import BEST, History, missing
from jobs.fit.params import Params, PlannedStage, planned
from jobs.fit.predictions import predictions_of
from jobs.fit.training import make_trainer, prepare
from jobs.training.fitting.device import choose_engine
from skint.attempt import write_atomic, write_json
from skint.errors import SkintError
from skint.lightning_base import AnyLightning

CHECKS = (
    "the classes are found and take what they are given",
    "the loss of a training step is finite and the step changes the weights",
    "the monitored number is logged and finite",
    "a checkpoint reads back to the same weights",
    "the weights that a stage hands on fit the next one",
    "predictions that the last stage returns are of its held-out samples",
)
NOT_HERE = (
    "check_val_every_n_epoch",
    "limit_train_batches",
    "limit_val_batches",
    "val_check_interval",
)
"""Arguments of the Trainer that one batch has no use for."""


class SmokeError(SkintError):
    """The rehearsal failed: the training would have failed on the accelerator."""


def rehearse(params: Params, ctx: skint.Context) -> None:
    """Run the rehearsal; raises SmokeError, or the error that the training would have had."""
    started = time.monotonic()
    torch.set_num_threads(ctx.cpus)
    stages = planned(params)
    done: list[dict[str, Any]] = []
    took_ms: dict[str, float] = {}
    for stage in stages:
        made = prepare(params, stage, stages, ctx, told=True)
        took_ms[stage.name] = round(_check(params, made, stage, stages, ctx) * 1000, 1)
        weights = list(made.module.parameters())
        done.append(
            {
                "stage": stage.name,
                "parameters": sum(p.numel() for p in weights),
                "trained_parameters": sum(p.numel() for p in weights if p.requires_grad),
            }
        )
    # What one step has made is of no use to anybody.
    shutil.rmtree(ctx.out / BEST.parent)
    (ctx.out / "metrics.csv").unlink()
    text = json.dumps({"stages": done, "checks": list(CHECKS)}, indent=1) + "\n"
    write_atomic(ctx.out / "smoke.json", text.encode())
    seconds = round(time.monotonic() - started, 3)
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "smoke.json", {"step_ms": took_ms, "seconds": seconds})
    ctx.report(seconds=seconds, parameters=sum(one["parameters"] for one in done))


class OneStep(AnyLightning):
    """What the training step did."""

    def __init__(self) -> None:
        self.loss = math.nan
        self.begun_s = self.seconds = 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self.begun_s = time.monotonic()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.seconds = time.monotonic() - self.begun_s
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        # A module that steps by hand may return nothing: then there is nothing to judge.
        self.loss = 0.0 if loss is None else float(loss)


def _check(
    params: Params,
    made: Made,
    stage: PlannedStage,
    stages: tuple[PlannedStage, ...],
    ctx: skint.Context,
) -> float:
    """Seconds of the training step."""
    kept = {n: v for n, v in stage.trainer_args.items() if n not in NOT_HERE}
    short = replace(stage, epochs=1, trainer_args=kept)
    step, history = OneStep(), History(ctx, short)
    before = {name: value.clone() for name, value in made.module.state_dict().items()}
    engine = choose_engine(params.precision, ())
    trainer = make_trainer(
        made, short, engine, ctx, [step, history], limit_train_batches=1, limit_val_batches=1
    )
    trainer.fit(made.module, datamodule=made.data)
    where = f"the stage {stage.name}" if len(stages) > 1 else None
    if not step.seconds:
        raise SmokeError(
            "there is no batch to train on",
            where=where,
            got="a train_dataloader() of length 0",
            next="look at what the data module does with its fold",
        )
    if not math.isfinite(step.loss):
        raise SmokeError(
            "the loss of the first training step is not finite",
            where=where,
            got=step.loss,
            next="look at the learning rate, and at what the data module gives",
        )
    after = made.module.state_dict()
    if all(torch.equal(value, after[name]) for name, value in before.items()):
        raise SmokeError(
            "the training step changed no weight",
            where=where,
            next="look at configure_optimizers, and at what requires a gradient",
        )
    if not history.best:
        raise missing(stage, history.rows[-1] if history.rows else {})
    if not math.isfinite(float(history.best[stage.monitor])):
        raise SmokeError(
            f"{stage.monitor} is not finite", where=where, got=history.best[stage.monitor]
        )
    if stage.is_last and history.best_given is not None:
        if isinstance(history.best_given, HeldOutError):
            raise history.best_given
        predictions_of(history.best_given, ctx)
    _check_checkpoint(trainer, made, prepare(params, stage, stages, ctx, told=False), where)
    return step.seconds


def _check_checkpoint(trainer: Any, made: Made, twin: Made, where: str | None) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "last.ckpt")
        trainer.save_checkpoint(path)
        # In full, as a training that goes on reads its own.
        state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    twin.module.load_state_dict(state)
    wanted, found = made.module.state_dict(), twin.module.state_dict()
    bad = [name for name in wanted if not torch.equal(wanted[name].cpu(), found[name].cpu())]
    if bad:
        raise SmokeError(
            "weights that were saved and read back are others", where=where, got=", ".join(bad[:3])
        )
