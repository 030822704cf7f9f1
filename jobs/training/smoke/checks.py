"""What a rehearsal looks at; each check raises SmokeError, with what a person can do about it."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from jobs.training.data.fold import FoldData
from jobs.training.data.normalise import apart
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import Parts
from jobs.training.objective.monitor import Monitor
from jobs.training.recipe.recipe import Recipe
from jobs.training.smoke.step import Step
from skint.errors import SkintError
from skint.loader import Batch

CHECKS = (
    "normalised pixels are finite and of sensible size",
    "the output has a number for each class and value, and is finite",
    "in every stage the loss of a training step is finite and the step changes the weights",
    "val_loss is measured and finite, and what says which epoch is the best is measured",
    "a checkpoint reads back to the same output, and the disk has room for those of a training",
)

COPIES = 9
"""Of the weights, on a disk at once: the best (one), the last and the one before it with two
moments of the optimizer each (six), and the one that is being written, of which the old ones do not
know yet (two to spare)."""


class SmokeError(SkintError):
    """The rehearsal failed: the training would have failed on the accelerator."""


def check_pixels(module: Classifier, batch: Batch, stage: str) -> None:
    """Normalised pixels have a mean near 0 and a deviation near 1; raises SmokeError if far off."""
    pixels = module.normalise(batch.images)
    mean, std = float(pixels.mean()), float(pixels.std())
    if not (abs(mean) < 5 and 0.01 < std < 20):  # also true for NaN
        raise SmokeError(
            "the normalised pictures are not what a network can start from",
            where=stage,
            got=f"mean {mean:.3g}, standard deviation {std:.3g}",
            wanted="a mean within ±5 and a deviation of 0.01 to 20",
            next="look at the pictures and at mean and std in dataset.json",
        )


def normalisation_remark(recipe: Recipe, data: FoldData, parts: Parts) -> str | None:
    """A sentence where the pictures are not what the starting weights were trained on."""
    expected = parts.network.pretrained
    if recipe.weights == "none" or expected is None:
        return None
    own = data.packed.moments(data.train)
    if data.packed.meta.dtype != "uint8":
        return (
            f"the weights were trained on pictures of 8 bits; these are {data.packed.meta.dtype} "
            "and are normalised by their own mean and deviation"
        )
    stored = tuple(tuple(255 * value for value in part) for part in expected)
    difference = apart(own, (stored[0], stored[1]))
    return difference.sentence if difference.far else None


def check_output(module: Classifier, batch: Batch, stage: str) -> float:
    """Seconds of one forward pass; raises SmokeError where its shape or values are wrong."""
    module.eval()
    with torch.no_grad():
        try:
            module(batch.images)  # the first pass also sets up the kernels
        except (RuntimeError, AssertionError) as error:  # transformers assert their one size
            if ":" in module.recipe.model:
                raise  # the user's own class: the traceback names the line
            raise SmokeError(
                f"{module.recipe.model} does not take these pictures",
                where=stage,
                got=f"{tuple(batch.images.shape[1:])} (C, H, W): {error}".split("\n")[0],
                next="resize to another size, or use another model",
            ) from error
        begun = time.monotonic()
        output: Any = module(batch.images)
        seconds = time.monotonic() - begun
    wanted = (len(batch.rows), module.objective.outputs)
    if not torch.is_tensor(output) or tuple(output.shape) != wanted:
        raise SmokeError(
            "the network's output does not fit the targets",
            where=stage,
            got=str(tuple(output.shape)) if torch.is_tensor(output) else type(output).__name__,
            wanted=f"{wanted}: (batch, classes and values)",
        )
    if not torch.isfinite(output).all():
        raise SmokeError(
            "the network's output is not finite", where=stage, next="check the weights"
        )
    return seconds


def check_step(step: Step, monitor: Monitor, stage: str) -> None:
    """Raises SmokeError where nothing finite was learnt or measured."""
    if not math.isfinite(step.train_loss):
        raise SmokeError(
            "the loss of the first training step is not finite",
            where=stage,
            got=step.train_loss,
            next="lower lr, or check the pictures' values and the weights",
        )
    if not step.changed:
        raise SmokeError(
            "the training step changed no weight",
            where=stage,
            next="raise lr, or check `freeze`",
        )
    # Of a handful of pictures some metrics cannot be told, so they only have to be there.
    finite = math.isfinite(step.metrics.get("val_loss", math.nan))
    name = monitor.name if finite else "val_loss"
    if not finite or name not in step.metrics:
        raise SmokeError(
            f"{name} was not measured, or is not finite",
            where=stage,
            got=step.metrics.get(name, "nothing"),
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


def check_room(folder: Path, network: torch.nn.Module) -> None:
    """Raises SmokeError where the disk has no room for the checkpoints of one fold."""
    needed = COPIES * sum(v.numel() * v.element_size() for v in network.state_dict().values())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SmokeError(
            "the disk has no room for the checkpoints of one fold",
            where=str(folder),
            got=f"{free / 1e9:.2f} GB free",
            wanted=f"{needed / 1e9:.2f} GB",
            next="skint cache prune, or set SKINT_HOME to a larger disk",
        )
