"""Components as stored numbers: `score = (value - middle) × step`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jobs.pca.components import PIXELS, Components
from jobs.pca.valid import Validity
from jobs.rewriting.float16 import refuse_too_large

Kind = Literal["uint8", "float16", "float32"]


@dataclass(frozen=True, eq=False)
class Scaling:
    """How scores are stored. A score of 0, the mean, is stored as `middle`."""

    dtype: Kind
    middle: float
    step: NDArray[np.float64]
    """(k,) what 1 more means, in the units of the bands; 0 for a component without variance."""
    lowest: int = 0
    """The least value of a pixel that was measured, of uint8. Where pixels may be masked it is 1,
    since those become 0."""


def scaling_of(
    components: Components, dtype: Kind, *, whiten: bool, deviations: float, masked: bool
) -> Scaling:
    """`whiten` gives every component its own step, so that all vary alike; else all have that of
    the first. In uint8 the mean ± `deviations` standard deviations takes all values; in floats the
    step is the standard deviation, or 1 where nothing is whitened.
    """
    unit = components.deviation
    if dtype == "uint8":
        lowest = 1 if masked else 0
        half = (255 - lowest) / 2
        spread = unit if whiten else np.full_like(unit, unit[0])
        return Scaling(dtype, lowest + half, spread * deviations / half, lowest)
    return Scaling(dtype, 0.0, unit if whiten else np.ones_like(unit))


class Projection:
    """A function from pixels (n, bands) to stored scores (n, k)."""

    def __init__(self, components: Components, scaling: Scaling, valid: Validity | None) -> None:
        self._scaling = scaling
        self._valid = valid
        # A step of 0 has no inverse: what does not vary is stored as the middle.
        inverse = np.divide(
            1, scaling.step, out=np.zeros_like(scaling.step), where=scaling.step > 0
        )
        self._weights = np.ascontiguousarray(components.directions.T * inverse)
        # The mean is folded into one bias. float64: in float32 a rounding may differ by the
        # machine.
        self._bias = scaling.middle - components.mean @ self._weights

    def __call__(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Pixels without data become 0. Raises TooLarge where float16 ends."""
        out = np.empty((len(pixels), len(self._bias)), dtype=self._scaling.dtype)
        for start in range(0, len(pixels), PIXELS):
            self._project(pixels[start : start + PIXELS], out[start : start + PIXELS])
        return out

    def _project(self, pixels: NDArray[Any], out: NDArray[Any]) -> None:
        masked = None
        if self._valid is not None:
            valid = self._valid(pixels)
            masked = None if valid.all() else ~valid
        values = pixels.astype(np.float64)
        if masked is not None:
            values[masked] = 0
        values = values @ self._weights
        values += self._bias
        if self._scaling.dtype == "uint8":
            np.rint(values, out=values)
            np.clip(values, self._scaling.lowest, 255, out=values)
        elif self._scaling.dtype == "float16":
            refuse_too_large(values)
        out[...] = values
        if masked is not None:
            out[masked] = 0
