"""A packed set of single pixels, for jobs that look at the table and not at the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from skint.dataset import PackedSet, PackedWriter, Sample, Target


def table_set(
    folder: Path,
    columns: Mapping[str, Sequence[str]],
    targets: Sequence[Target] | None = None,
    *,
    groups: Sequence[str] | None = None,
    hashes: Sequence[str] | None = None,
    order: Sequence[int] | None = None,
) -> PackedSet:
    """A row for each cell of the `columns`; row n stands at `order[n]`, its path is `n.png`.

    Without `targets`, each column is one of classes, in the order of their names; without `hashes`,
    no picture repeats another.
    """
    if targets is None:
        targets = [Target(n, "class", tuple(sorted({*c} - {""}))) for n, c in columns.items()]
    count = len(next(iter(columns.values())))
    order = range(count) if order is None else order
    samples = [
        Sample(
            row,
            str(n),
            f"{n}.png",
            group=groups[n] if groups else "",
            sha256=hashes[n] if hashes else f"{n}",
            targets={name: cells[n] for name, cells in columns.items()},
        )
        for row, n in enumerate(order)
    ]
    with PackedWriter(folder, shape=(count, 1, 1, 1), dtype="uint8") as writer:
        if count:
            writer.images()[:] = np.arange(count).reshape(-1, 1, 1, 1) % 251
        writer.finish(samples, targets, channels=["gray"], made_by={"job": "test"})
    return PackedSet.open(folder)
