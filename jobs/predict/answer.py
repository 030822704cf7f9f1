"""What was predicted of one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Answer:
    """Of n pictures."""

    name: str
    kind: str
    """`class`, `multilabel` or `value`."""
    classes: tuple[str, ...]
    predicted: NDArray[Any]
    """(n, K) probabilities of the classes, or (n,) values."""

    def labels(self, row: int, threshold: float) -> tuple[str, ...]:
        """The most probable class; of a multi-label target all from the threshold on."""
        chances = self.predicted[row]
        if self.kind == "class":
            return (self.classes[int(chances.argmax())],)
        return tuple(
            name for name, chance in zip(self.classes, chances, strict=True) if chance >= threshold
        )


def as_text(number: Any) -> str:
    """Of a probability or a value: enough digits to read the same one back."""
    if isinstance(number, np.float32):
        return str(number)
    return format(float(number), ".12g")
