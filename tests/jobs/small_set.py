"""A packed set of tiny coloured squares, with folds: real files that train in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import skint
from skint.dataset import PackedWriter, Sample, Target
from skint.table import write_rows

COLOURS = {"blue": (40, 60, 200), "green": (50, 190, 60), "red": (200, 50, 40)}


def small_set(
    folder: Path,
    *,
    per_class: int = 12,
    size: int = 16,
    channels: int = 3,
    dtype: str = "uint8",
    folds: int = 3,
    sizes: tuple[int, ...] = (),
) -> Path:
    """Noisy squares of three colours in `folder`, which also gets `folds.csv`.

    With `sizes`, those of a ladder, `size` is the last of them.
    """
    for smaller in sizes[:-1]:
        small_set(
            folder / "sizes" / str(smaller),
            per_class=per_class,
            size=smaller,
            channels=channels,
            dtype=dtype,
        )
    size = sizes[-1] if sizes else size
    noise = np.random.default_rng(7)
    count = per_class * len(COLOURS)
    names = sorted(COLOURS)
    with PackedWriter(folder, shape=(count, size, size, channels), dtype=dtype) as writer:
        images = writer.images()
        samples = []
        for row in range(count):
            label = names[row % len(names)]
            colour = np.resize(COLOURS[label], channels)
            pixels = colour + noise.normal(0, 40, (size, size, channels))
            images[row] = np.clip(pixels, 0, 255).astype(dtype)
            samples.append(Sample(row, str(row), f"{label}/{row}.png", targets={"label": label}))
        writer.finish(
            samples,
            [Target("label", "class", tuple(names))],
            channels=[f"C{n}" for n in range(channels)],
            made_by={"job": "test"},
            sizes=sizes,
        )
    write_rows(
        folder / "folds.csv", ("id", "fold"), ((row, row // 3 % folds) for row in range(count))
    )
    return folder


def context(folder: Path, packed: Path, **options: object) -> skint.Context:
    """A context whose only need is the packed set; fold 0 validates."""
    chosen = {"fold": 0, "folds": 3, **options}
    return skint.Context.for_test(folder, inputs={"packed": packed}, **chosen)  # type: ignore[arg-type]
