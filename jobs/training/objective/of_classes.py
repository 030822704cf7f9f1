"""What targets with classes have in common, be a picture of one of them or of several."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from jobs.training.objective.base import Single
from jobs.training.recipe.measures import ALWAYS


class OfClasses(Single):
    """A target with one output for each of its K classes."""

    weight: Tensor | None

    def __init__(
        self,
        name: str,
        classes: tuple[str, ...],
        metric_names: tuple[str, ...] | None = None,
        *,
        weight: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> None:
        """`weight` (K,) is that of each class in the loss; the usual metric is the default."""
        super().__init__(name, (ALWAYS[self.kind],) if metric_names is None else metric_names)
        self.classes = classes
        self.outputs = len(classes)
        self.smoothing = smoothing
        self.register_buffer("weight", weight, persistent=False)

    @abstractmethod
    def counts(self, labels: Tensor) -> Tensor:
        """(K,) the samples of each class; all labels are known."""

    def reduced(self, name: str, value: Tensor, labels: Tensor) -> float:
        """The mean over the classes that are there: of one that is not, nothing can be said.

        `auroc` needs samples that are not of the class as well. NaN where no class is left.
        """
        if value.ndim == 0:
            return float(value)
        counts = self.counts(labels)
        chosen = counts > 0
        if name == "val_auroc":
            chosen &= counts < len(labels)
        return float(value[chosen].double().mean()) if chosen.any() else torch.nan
