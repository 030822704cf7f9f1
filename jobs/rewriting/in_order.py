"""The pictures of a packed set one after the other, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.images import Images


def in_order(images: Images) -> Iterator[NDArray[Any]]:
    """All pictures as (n, H, W, C), of one size in each; a block is overwritten by the next one.

    They are read and not mapped: mapped pages would count as memory of the process.
    """
    if images.shape[1] and images.shape[2]:
        yield from images.blocks()
        return
    for row in range(len(images)):
        yield images.read(row)[np.newaxis]
