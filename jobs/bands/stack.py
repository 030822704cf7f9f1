"""Chosen bands and indices of pixels, stacked as channels of one dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.bands.indices import HIGH, LOW, Index
from jobs.pca.valid import Validity
from jobs.rewriting.float16 import refuse_too_large

PIXELS = 16_384
"""Pixels handled at a time: their copies stay in the cache."""


@dataclass(frozen=True, eq=False)
class Stack:
    """A function from pixels (n, bands) to pixels (n, channels): first the bands, then the indices.

    A pixel that is not valid in one of the bands that are used becomes 0 in all channels.
    """

    bands: tuple[int, ...]
    """Positions of the bands that become channels as they are."""
    indices: tuple[Index, ...]
    roles: dict[str, int]
    """The position of the band of each role."""
    dtype: np.dtype[Any]
    valid: Validity | None
    offset: float = 0.0
    quantification: float = 1.0
    """A reflectance is `(value + offset) / quantification`."""
    range: tuple[float, float] | None = None
    """Of uint8: the values of a band that become the least and the greatest number."""

    @property
    def lowest(self) -> int:
        """Of uint8, the least number of a pixel that was measured: 0 where none can be masked."""
        return 0 if self.valid is None else 1

    def __call__(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Raises TooLarge where float16 ends."""
        out = np.empty((len(pixels), len(self.bands) + len(self.indices)), dtype=self.dtype)
        for start in range(0, len(pixels), PIXELS):
            self._stack(pixels[start : start + PIXELS], out[start : start + PIXELS])
        return out

    def _stack(self, pixels: NDArray[Any], out: NDArray[Any]) -> None:
        masked = None
        if self.valid is not None:
            used = sorted({*self.bands, *(self.roles[r] for i in self.indices for r in i.roles)})
            masked = ~self.valid(pixels[:, used])
        chosen = pixels[:, self.bands]
        if masked is not None and masked.any():
            chosen[masked] = 0
        kept = out[:, : len(self.bands)]
        if self.range is not None:
            kept[...] = self._in_bytes(chosen.astype(np.float64), *self.range)
        else:
            if self.dtype == np.float16:
                refuse_too_large(chosen.astype(np.float64))
            kept[...] = chosen
        if self.indices:
            values = self._values(pixels, masked)
            for place, index in enumerate(self.indices, len(self.bands)):
                ratio = _ratio(index, values)
                bytes_wanted = self.dtype == np.uint8
                out[:, place] = self._in_bytes(ratio, LOW, HIGH) if bytes_wanted else ratio
        if masked is not None:
            out[masked] = 0

    def _values(
        self, pixels: NDArray[Any], masked: NDArray[np.bool_] | None
    ) -> dict[str, NDArray[np.float64]]:
        """(n,) reflectances by role."""
        values = {}
        for role in {role for index in self.indices for role in index.roles}:
            value = pixels[:, self.roles[role]].astype(np.float64)
            if masked is not None:
                value[masked] = 0
            values[role] = (value + self.offset) / self.quantification
        return values

    def _in_bytes(self, values: NDArray[np.float64], low: float, high: float) -> NDArray[Any]:
        step = (high - low) / (255 - self.lowest)
        return np.rint(self.lowest + (values - low) / step).clip(self.lowest, 255)


def _ratio(index: Index, values: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(n,) within LOW and HIGH; 0 where the denominator is 0."""
    above = sum(factor * values[role] for role, factor in index.numerator.items())
    below = sum(factor * values[role] for role, factor in index.denominator.items())
    divisor = np.asarray(below + index.constant, dtype=np.float64)
    out = np.zeros_like(divisor)
    np.divide(above, divisor, out=out, where=divisor != 0)
    return out.clip(LOW, HIGH)
