"""A grid of the pictures that a training takes in, as its network gets them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import skint
from jobs.pages.thumbnails import cell, fitted
from jobs.training.data.augment import named
from jobs.training.data.fold import FoldData, few, read_fold
from jobs.training.data.normalise import Normalise
from jobs.training.fitting.prepared import make_loaders, make_module
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_atomic

CELL_PX = 128
"""Larger pictures are reduced to this."""
GAP_PX, HEAD_PX, NAME_PX = 4, 18, 140


def draw_seen(recipe: Recipe, samples: int, columns: int, ctx: skint.Context) -> None:
    """Write `preview.png` and `preview.json` for the nearest packed set and folds."""
    torch.set_num_threads(ctx.cpus)
    data = read_fold(ctx, recipe.targets)
    rows = few(data, data.train, samples)
    module = make_module(recipe, data, ctx)
    plain, epochs = seen(recipe, data, rows, columns, module.normalise, ctx)
    cells = [[plain[n], *(epoch[n] for epoch in epochs)] for n in range(len(rows))]
    said = [data.packed.samples[row].targets for row in rows.tolist()]
    names = [", ".join(cells_of[target.name] for target in data.targets) for cells_of in said]
    heads = ["validates as", *(f"epoch {number}" for number in range(columns))]
    grid = drawn(cells, names, heads)
    content = BytesIO()
    grid.save(content, "PNG", optimize=True)
    write_atomic(ctx.out / "preview.png", content.getvalue())
    facts = {
        "fold": data.fold,
        "augment": named(recipe.augment),
        "seed": recipe.seed,
        "epochs": columns,
        "mean": module.normalise.mean.flatten().tolist(),
        "std": module.normalise.std.flatten().tolist(),
        "pictures": [
            {"id": row, "path": data.packed.samples[row].path, "label": name}
            for row, name in zip(rows.tolist(), names, strict=True)
        ],
    }
    write_atomic(ctx.out / "preview.json", (json.dumps(facts, indent=1) + "\n").encode())
    ctx.note(
        f"{len(rows)} pictures of fold {data.fold} in {columns} epochs, "
        f"augment: {named(recipe.augment)}"
    )


def seen(
    recipe: Recipe,
    data: FoldData,
    rows: NDArray[np.int64],
    epochs: int,
    normalise: Normalise,
    ctx: skint.Context,
) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """What the network gets of `rows`, (n, H, W, C) float32: in validation, and in each epoch.

    Order and batches do not matter: the augmentation is keyed by seed, epoch and row.
    """
    train, validation = make_loaders(recipe, data, rows, rows, max(2, len(rows)))
    (batch,) = validation
    plain = _pictures(normalise(batch.images))
    found = []
    place = {row: number for number, row in enumerate(rows.tolist())}
    for epoch in range(epochs):
        ctx.check()
        train.set_epoch(epoch)
        (batch,) = train
        order = [place[row] for row in batch.rows.tolist()]
        pictures = np.empty_like(plain)
        pictures[order] = _pictures(normalise(batch.images))
        found.append(pictures)
        ctx.progress(epoch + 1, epochs)
    return plain, found


def drawn(
    cells: Sequence[Sequence[NDArray[Any]]], names: Sequence[str], heads: Sequence[str]
) -> Image.Image:
    """One picture of all `cells`, rows named by `names` and columns by `heads`.

    A normalised 0 is the middle grey, ±2.5 are white and black.
    """
    font = ImageFont.load_default(12)
    step = CELL_PX + GAP_PX
    size = (NAME_PX + step * len(heads), HEAD_PX + step * len(cells))
    grid = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(grid)
    for column, head in enumerate(heads):
        pen.text((NAME_PX + column * step, 2), head, fill="black", font=font)
    for row, (line, name) in enumerate(zip(cells, names, strict=True)):
        top = HEAD_PX + row * step
        said = fitted(name, NAME_PX - 8, pen, font)
        pen.text((4, top + CELL_PX // 2 - 6), said, fill="black", font=font)
        for column, picture in enumerate(line):
            channels = picture.shape[2]
            image = cell(picture, [0.0] * channels, [1.0] * channels, CELL_PX)
            grid.paste(image, (NAME_PX + column * step, top))
    return grid


def _pictures(images: torch.Tensor) -> NDArray[Any]:
    """(n, C, H, W) -> (n, H, W, C), copied: the loader uses its buffers again."""
    return images.permute(0, 2, 3, 1).contiguous().numpy().copy()
