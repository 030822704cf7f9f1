"""Which pixels hold measurements, and which do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Validity:
    """A pixel counts where no band has the value `nodata` and, of floats, all are finite."""

    nodata: Any = None
    """In the dtype of the pixels, or None."""
    floats: bool = False

    @classmethod
    def of(cls, dtype: np.dtype[Any], nodata: float | None) -> Validity | None:
        """For pixels of that dtype; None where every pixel counts."""
        if nodata is not None:
            with np.errstate(over="ignore"):
                # A decimal such as -3.4e38 has fewer digits than the value in the file; what an
                # integer cannot hold does not occur.
                nodata = dtype.type(nodata) if dtype.kind == "f" else _whole(dtype, nodata)
        if nodata is None and dtype.kind != "f":
            return None
        return cls(nodata, dtype.kind == "f")

    def __call__(self, pixels: NDArray[Any]) -> NDArray[np.bool_]:
        """(n,) of pixels (n, bands)."""
        valid = np.ones(len(pixels), dtype=np.bool_)
        if self.nodata is not None:
            valid &= (pixels != self.nodata).all(axis=1)
        if self.floats:
            valid &= np.isfinite(pixels).all(axis=1)
        return valid

    def only(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The valid ones of (n, bands); the same array where all are."""
        valid = self(pixels)
        return pixels if valid.all() else pixels[valid]


def _whole(dtype: np.dtype[Any], value: float) -> int | None:
    limits = np.iinfo(dtype)
    return int(value) if value == int(value) and limits.min <= value <= limits.max else None
