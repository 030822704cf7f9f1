"""All networks over all pictures, kept as they come."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import skint
from jobs.interrupted.journal import Journal
from jobs.predict.answer import Answer
from jobs.predict.models import Model
from jobs.predict.params import Params
from jobs.predict.pictures import Pictures
from jobs.training.fitting.device import Engine
from jobs.training.results.published import BEST, MODEL
from skint.dataset import META, PackedSet
from skint.libraries import versions_of
from skint.loader import OrderedLoader
from skint.outputs import sha256_of

FLUSH_S = 20.0
"""Between two notes of how far it is: a kill costs at most so much."""
KEPT = Path("local", "predicted.npy")


@torch.inference_mode()
def predict_all(
    models: Sequence[Model],
    pictures: Pictures,
    params: Params,
    engine: Engine,
    ctx: skint.Context,
) -> NDArray[Any]:
    """(n, K): the mean of what the networks say of each picture, target after target.

    Goes on where an attempt before stopped.
    """
    count = len(pictures.rows)
    width = models[0].objective.outputs
    values = any(target.kind == "value" for target in models[0].published.targets)
    # A value may have more digits than single precision; probabilities have not.
    dtype = np.dtype(np.float64 if values else np.float32)
    journal = Journal(ctx.out, "predicted.json", depends_on(models, pictures, params, engine))
    done = journal.take_over(ctx.previous)
    if done:
        ctx.note(f"goes on after {done:,} of {count:,} pictures of an interrupted attempt")
    path = ctx.out / KEPT
    path.parent.mkdir(exist_ok=True)
    if done:
        kept = np.lib.format.open_memmap(path, "r+")
    else:
        kept = np.lib.format.open_memmap(path, "w+", dtype, (count, width))

    def note() -> None:
        kept.flush()
        journal.write(done, [path])

    noted = time.monotonic()
    placed = [model.to(engine) for model in models]
    rows = pictures.rows[done:]
    loaders = [_batches(one, rows, params, engine) for one in pictures.packed]
    try:
        for batches in zip(*loaders, strict=True):
            ctx.check()
            # Where each network has pictures of its own there are as many batches as networks.
            said = [
                model.answer(batches[number % len(batches)], params, engine)
                for number, model in enumerate(placed)
            ]
            mean = torch.stack(said).mean(dim=0).cpu().numpy()
            kept[done : done + len(mean)] = mean
            done += len(mean)
            ctx.progress(done, count)
            if time.monotonic() - noted >= FLUSH_S:
                note()
                noted = time.monotonic()
    except skint.StopRequested:
        note()
        raise
    found = np.array(kept)
    path.unlink()
    journal.remove()
    return found


def answers_of(models: Sequence[Model], predicted: NDArray[Any]) -> dict[str, Answer]:
    """By target."""
    found = {}
    start = 0
    for target, part in zip(models[0].published.targets, models[0].objective.singles, strict=True):
        own = predicted[:, start : start + part.outputs]
        start += part.outputs
        found[target.name] = Answer(
            target.name, target.kind, target.classes, own[:, 0] if target.kind == "value" else own
        )
    return found


def _batches(
    packed: PackedSet, rows: NDArray[np.int64], params: Params, engine: Engine
) -> Iterator[torch.Tensor]:
    loader = OrderedLoader(
        packed.images(), None, rows, batch_size=params.batch_size, device=engine.device
    )
    for batch in loader:
        yield batch.images


def depends_on(
    models: Sequence[Model], pictures: Pictures, params: Params, engine: Engine
) -> dict[str, Any]:
    """Equal exactly where what was begun may be gone on with."""
    return {
        "params": params.model_dump(mode="json"),
        "engine": [engine.accelerator, engine.precision],
        "models": [
            sha256_of(model.published.folder / name) for model in models for name in (MODEL, BEST)
        ],
        "sets": [sha256_of(one.folder / META) for one in pictures.packed],
        "rows": hashlib.sha256(pictures.rows.tobytes()).hexdigest(),
        "libraries": versions_of(("torch", "torchvision", "timm", "numpy")),
    }
