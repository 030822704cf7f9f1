"""The ten-second rehearsal on a CPU: what would fail after an hour's queue fails here, for free.

It runs the real network, loaders, augmentation, loss, optimizer and schedule through Lightning on
a handful of pictures: one training batch and one validation batch. Writes `smoke.json`.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from jobs.training.data.fold import FoldData, few, read_fold
from jobs.training.fitting.device import choose_engine
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import make_loaders, make_module
from jobs.training.fitting.trainer import make_trainer
from jobs.training.objective.monitor import Monitor, monitor_of
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_atomic, write_json
from skint.errors import SkintError
from skint.loader import Batch

PER_CLASS = 2
MOST = 32
"""Pictures in the batch at most, however many classes there are."""
BUDGET_S = 6.0
"""Seconds that the batch may take by the estimate of its size; half the ten are for the rest."""


class SmokeError(SkintError):
    """The rehearsal failed: the training would have failed on the accelerator."""


@dataclass(frozen=True)
class Step:
    """What one training step and one validation step did."""

    train_loss: float
    metrics: dict[str, float]
    changed: bool
    """Whether the step changed any weight."""
    seconds: float
    trainer: pl.Trainer


def rehearse(recipe: Recipe, ctx: skint.Context) -> None:
    """Run the rehearsal; raises SmokeError, or the error that the training would have had."""
    started = time.monotonic()
    torch.set_num_threads(ctx.cpus)
    data = read_fold(ctx, recipe.targets)
    steps = -(-len(data.train) // recipe.batch_size)
    module = make_module(recipe, data, ctx, epoch_steps=steps)
    outputs = module.objective.outputs
    monitor = monitor_of(recipe, module.objective)

    check_pixels(module, _first_batch(recipe, data, MOST))
    pair = _first_batch(recipe, data, 2)
    pair_s = check_output(module, pair, outputs)
    # A training step costs about three forward passes.
    affordable = int(BUDGET_S / max(1e-6, 3 * pair_s / 2))
    size = max(2, min(recipe.batch_size, PER_CLASS * outputs, MOST, affordable))
    step = run_step(recipe, data, ctx, module, size)
    check_step(step, monitor)
    with TemporaryDirectory(dir=ctx.out, prefix="rehearsal-") as folder:
        path = Path(folder, "last.ckpt")
        step.trainer.save_checkpoint(path)
        check_checkpoint(path, module, make_module(recipe, data, ctx, epoch_steps=steps), pair)

    counts = {
        "parameters": sum(p.numel() for p in module.network.parameters()),
        "trained_parameters": sum(p.numel() for p in module.parameters() if p.requires_grad),
    }
    result = {"model": recipe.model, "classes": outputs, "input": list(data.picture_shape)}
    text = json.dumps({**result, **counts, "checks": list(CHECKS)}, indent=1) + "\n"
    write_atomic(ctx.out / "smoke.json", text.encode())
    measured = {
        "batch": size,
        "step_ms": round(step.seconds * 1000, 1),
        "seconds": round(time.monotonic() - started, 3),
        "train_loss": step.train_loss,
        **step.metrics,
    }
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "smoke.json", measured)
    ctx.report(**{k: measured[k] for k in ("batch", "step_ms", "seconds", "train_loss")}, **counts)


CHECKS = (
    "normalised pixels are finite and of sensible size",
    "the output has a number for each class and value, and is finite",
    "the loss of a training step is finite and the step changes the weights",
    "val_loss is measured and finite, and what says which epoch is the best is measured",
    "a checkpoint reads back to the same output",
)


def check_pixels(module: Classifier, batch: Batch) -> None:
    """Normalised pixels have a mean near 0 and a deviation near 1; raises SmokeError if far off."""
    pixels = module.normalise(batch.images)
    mean, std = float(pixels.mean()), float(pixels.std())
    if not (abs(mean) < 5 and 0.01 < std < 20):  # also true for NaN
        raise SmokeError(
            "the normalised pictures are not what a network can start from",
            got=f"mean {mean:.3g}, standard deviation {std:.3g}",
            wanted="a mean within ±5 and a deviation of 0.01 to 20",
            next="look at the pictures and at mean and std in dataset.json",
        )


def check_output(module: Classifier, batch: Batch, outputs: int) -> float:
    """Seconds of one forward pass; raises SmokeError where its shape or values are wrong."""
    module.eval()
    with torch.no_grad():
        try:
            module(batch.images)  # the first pass also sets up the kernels
        except RuntimeError as error:
            if ":" in module.recipe.model:
                raise  # the user's own class: the traceback names the line
            raise SmokeError(
                f"{module.recipe.model} does not take these pictures",
                got=f"{tuple(batch.images.shape[1:])} (C, H, W): {error}".split("\n")[0],
                next="resize to another size, or use another model",
            ) from error
        begun = time.monotonic()
        output: Any = module(batch.images)
        seconds = time.monotonic() - begun
    wanted = (len(batch.rows), outputs)
    if not torch.is_tensor(output) or tuple(output.shape) != wanted:
        raise SmokeError(
            "the network's output does not fit the targets",
            got=str(tuple(output.shape)) if torch.is_tensor(output) else type(output).__name__,
            wanted=f"{wanted}: (batch, classes and values)",
        )
    if not torch.isfinite(output).all():
        raise SmokeError("the network's output is not finite", next="check the weights")
    return seconds


def run_step(
    recipe: Recipe, data: FoldData, ctx: skint.Context, module: Classifier, size: int
) -> Step:
    """One training and one validation batch through Lightning."""
    train, validation = make_loaders(
        recipe,
        data,
        few(data, data.train, size),
        few(data, data.validation, size),
        batch_size=size,
    )
    trained = [p for p in module.network.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    clock = StepClock()
    engine = choose_engine(recipe.precision, devices=())
    trainer = make_trainer(
        engine, recipe, ctx, [clock], limit_train_batches=1, limit_val_batches=1, max_steps=1
    )
    trainer.fit(module.train(), train, validation)
    return Step(
        train_loss=module.train_loss,
        metrics=module.measured,
        changed=any(not torch.equal(a, b) for a, b in zip(before, trained, strict=True)),
        seconds=clock.seconds,
        trainer=trainer,
    )


class StepClock(pl.Callback):
    """Times the training step."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.seconds = 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self.begun = time.monotonic()

    def on_train_batch_end(self, *_: Any) -> None:
        self.seconds = time.monotonic() - self.begun


def check_step(step: Step, monitor: Monitor) -> None:
    """Raises SmokeError where nothing finite was learnt or measured."""
    if not math.isfinite(step.train_loss):
        raise SmokeError(
            "the loss of the first training step is not finite",
            got=step.train_loss,
            next="lower lr, or check the pictures' values and the weights",
        )
    if not step.changed:
        raise SmokeError("the training step changed no weight", next="raise lr, or check `freeze`")
    # Of a handful of pictures some metrics cannot be told, so they only have to be there.
    finite = math.isfinite(step.metrics.get("val_loss", math.nan))
    name = monitor.name if finite else "val_loss"
    if not finite or name not in step.metrics:
        raise SmokeError(
            f"{name} was not measured, or is not finite", got=step.metrics.get(name, "nothing")
        )


def check_checkpoint(path: Path, module: Classifier, twin: Classifier, batch: Batch) -> None:
    """Read the checkpoint at `path` into `twin`, a new network, and compare the outputs."""
    # Not weights_only: it holds states of random generators, and it is ours.
    twin.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"])
    with torch.no_grad():
        expected, got = module.eval()(batch.images), twin.eval()(batch.images)
    if not torch.equal(expected, got):
        raise SmokeError(
            "weights that were saved and read back give another output",
            got=f"a difference of {float((expected - got).abs().max()):.3g}",
            wanted="a network whose state_dict is all that its output depends on",
        )


def _first_batch(recipe: Recipe, data: FoldData, size: int) -> Batch:
    rows = few(data, data.train, size)
    train, _ = make_loaders(recipe, data, rows, rows, batch_size=size)
    return next(iter(train))
