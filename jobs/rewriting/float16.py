"""What float16 can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float16).max)


class TooLarge(Exception):
    """A value that float16 cannot hold; it is the first argument."""

    def __str__(self) -> str:
        """The value, and what would have been held."""
        return f"{self.args[0]:.6g}, beyond {LARGEST:.0f}"


def refuse_too_large(values: NDArray[Any]) -> None:
    """Raise TooLarge where float16 ends."""
    largest = float(np.abs(values).max(initial=0))
    if largest > LARGEST:
        raise TooLarge(largest)
