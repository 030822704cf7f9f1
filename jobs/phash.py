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
NEAR_BITS = 4
"""Pictures whose hashes differ in at most this many bits are near duplicates.

On 1,000 photos of clothes and 500 of hands: no false pair at 4 bits in 624,250; saved anew as JPEG
at quality 50, at half the size, or brighter by a tenth, a picture moves by 2 bits or fewer in nine
of ten cases. At 8 bits there were 20 false pairs.
"""
_FLAT = 4
"""Gray levels (of 256) that a picture must span: of a plain surface the hash is noise."""
_FREQUENCIES = np.arange(1, 9)
_COSINES = np.rint(
    2048 * np.cos(np.pi * np.outer(_FREQUENCIES, 2 * np.arange(SIDE_PX) + 1) / (2 * SIDE_PX))
).astype(np.int64)


def phash(gray: NDArray[np.uint8]) -> str:
    """16 hexadecimal digits for a (32, 32) picture; empty where it shows nothing."""
    if gray.shape != (SIDE_PX, SIDE_PX):
        raise ValueError(f"the picture must be {SIDE_PX} pixels wide and high, not {gray.shape}")
    if int(gray.max()) - int(gray.min()) < _FLAT:
        return ""
    found = (_COSINES @ gray.astype(np.int64) @ _COSINES.T).ravel()
    above = found > np.sort(found)[BITS // 2 - 1]
    return np.packbits(above).tobytes().hex()
