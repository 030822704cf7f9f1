"""A packed set of tiny pictures with a target of each kind, some of them unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skint.dataset import PackedWriter, Sample, Target
from skint.table import write_rows

COLOURS = ("blue", "green", "red")
TAGS = ("dark", "warm")
TARGETS = (
    Target("colour", "class", COLOURS),
    Target("tags", "multilabel", TAGS),
    Target("shade", "value"),
)
UNKNOWN_COLOUR, UNKNOWN_SHADE = 5, 7
"""Rows whose cell is empty."""


def several_set(
    folder: Path, count: int = 36, *, folds: int = 3, targets: tuple[Target, ...] = TARGETS
) -> Path:
    """Squares of one channel colour: which one, `dark` below half, `warm` for red, how bright.

    `folder` also gets `folds.csv`.
    """
    noise = np.random.default_rng(5)
    samples = []
    with PackedWriter(folder, shape=(count, 8, 8, 3), dtype="uint8") as writer:
        images = writer.images()
        for row in range(count):
            colour = row % 3
            shade = float(noise.integers(60, 250))
            pixels = noise.integers(0, 30, (8, 8, 3)).astype(np.uint8)
            pixels[:, :, 2 - colour] = shade
            images[row] = pixels
            tags = [tag for tag, has in zip(TAGS, (shade < 155, colour == 2), strict=True) if has]
            cells = {
                "colour": "" if row == UNKNOWN_COLOUR else COLOURS[colour],
                "tags": "|".join(tags),
                "shade": "" if row == UNKNOWN_SHADE else f"{shade + 1000:g}",
            }
            own = {target.name: cells[target.name] for target in targets}
            samples.append(Sample(row, str(row), f"{row}.png", targets=own))
        writer.finish(samples, targets, channels=("R", "G", "B"), made_by={"job": "test"})
    write_rows(folder / "folds.csv", ("id", "fold"), ((r, r // 3 % folds) for r in range(count)))
    return folder
