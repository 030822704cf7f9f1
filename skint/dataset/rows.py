"""Where the pictures of an unfinished packed set are put, once each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from skint.dataset.canvas import Canvas
from skint.moments import channel_sums


@dataclass(frozen=True)
class Rows:
    """Equal-sized pictures, their sums and masks. It may be pickled to other processes."""

    images: Canvas
    """(N, H, W, C)."""
    sums: Canvas
    """(N, 2, C)."""
    masks: Mapping[str, Canvas] = field(default_factory=dict)
    """(N, H, W) by target."""

    def put(
        self, row: int, picture: NDArray[Any], masks: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Write (H, W, C) and (H, W) to the row. A mask that is not given stays 0."""
        self.images.put(row, picture)
        self.sums.put(row, channel_sums(picture))
        for target, mask in (masks or {}).items():
            canvas = self.masks[target]
            canvas.put(row, mask.astype(canvas.dtype, copy=False))
