"""A loader of a few pictures, and what it gave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skint.loader import Batch, ShuffledLoader


def pictures(count: int = 10, dtype: str = "uint8") -> NDArray[Any]:
    """(count, 4, 5, 3); every picture is different."""
    return np.random.default_rng(0).integers(0, 256, (count, 4, 5, 3)).astype(dtype)


def noise(image: Any) -> Any:
    """An augmentation that draws from torch's generator, as torchvision's do."""
    return (image.float() + torch.rand(image.shape) * 64).clamp(0, 255).to(image.dtype)


def make(
    seed: int = 1, augment: Any = None, count: int = 10, batch_size: int = 4, **options: Any
) -> ShuffledLoader:
    rows = np.arange(count, dtype=np.int64)
    return ShuffledLoader(
        pictures(count),
        rows % 3,
        rows,
        batch_size=batch_size,
        seed=seed,
        augment=augment,
        **options,
    )


def copies(batches: Iterable[Batch]) -> list[tuple[list[int], Any]]:
    return [(batch.rows.tolist(), batch.images.clone()) for batch in batches]


def same(left: list[tuple[list[int], Any]], right: list[tuple[list[int], Any]]) -> bool:
    return [rows for rows, _ in left] == [rows for rows, _ in right] and all(
        torch.equal(a, b) for (_, a), (_, b) in zip(left, right, strict=True)
    )
