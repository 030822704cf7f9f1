"""A perceptual hash: 64 bits that stay nearly the same when a picture is saved or scaled anew.

The picture in gray, 32 × 32, is transformed by a cosine transform (DCT-II); of the 8 × 8 lowest
frequencies without the constant row and column, each bit says whether the coefficient is above
their median (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
All arithmetic is in whole numbers: every machine finds the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE_PX = 32
BITS = 64
_FREQUENCIES = np.arange(1, 9)
_COSINES = np.rint(
    2048 * np.cos(np.pi * np.outer(_FREQUENCIES, 2 * np.arange(SIDE_PX) + 1) / (2 * SIDE_PX))
).astype(np.int64)
_FAINT = 2048**2 * (SIDE_PX // 2) ** 2
"""A coefficient of one gray level (of 256): where none is larger, the hash would be noise."""


def phash(gray: NDArray[np.uint8]) -> str:
    """16 hexadecimal digits for a (32, 32) picture; empty where it is a plain surface or an even
    gradient."""
    if gray.shape != (SIDE_PX, SIDE_PX):
        raise ValueError(f"the picture must be {SIDE_PX} pixels wide and high, not {gray.shape}")
    found = (_COSINES @ gray.astype(np.int64) @ _COSINES.T).ravel()
    if np.abs(found).max() < _FAINT:
        return ""
    above = found > np.sort(found)[BITS // 2 - 1]
    return np.packbits(above).tobytes().hex()
