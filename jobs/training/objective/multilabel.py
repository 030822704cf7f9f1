"""A target with any number of its classes at once: a sigmoid each, and binary cross-entropy."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torchmetrics
from torch import Tensor
from torch.nn import functional
from torchmetrics import classification

from jobs.training.objective.base import Labels, Single, mean_over

METRICS: dict[str, Any] = {
    "f1": partial(classification.MultilabelF1Score, average="none"),
    "precision": partial(classification.MultilabelPrecision, average="none"),
    "recall": partial(classification.MultilabelRecall, average="none"),
    "auroc": partial(classification.MultilabelAUROC, average="none"),
    "average-precision": partial(classification.MultilabelAveragePrecision, average="none"),
    "mcc": classification.MultilabelMatthewsCorrCoef,
}
THRESHOLD = 0.5
"""A class is told where its probability is above this; torchmetrics takes the same."""


class Multilabel(Single):
    """Labels are (B, K), 1 for each class that the picture has; all of them are known."""

    kind: ClassVar[str] = "multilabel"
    weight: Tensor | None

    def __init__(
        self,
        name: str,
        classes: tuple[str, ...],
        metric_names: tuple[str, ...] = ("f1",),
        *,
        weight: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> None:
        """`weight` (K,) multiplies the loss of the pictures that have the class."""
        super().__init__(name, metric_names)
        self.classes = classes
        self.outputs = len(classes)
        self.smoothing = smoothing
        self.register_buffer("weight", weight, persistent=False)

    def known(self, labels: Tensor) -> Tensor:
        return labels[:, 0] >= 0

    def costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        wanted = labels.float() * (1 - self.smoothing) + self.smoothing / 2
        costs = functional.binary_cross_entropy_with_logits(
            outputs, wanted, pos_weight=self.weight, reduction="none"
        )
        return costs.mean(dim=1)

    def plain_costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        costs = functional.binary_cross_entropy_with_logits(
            outputs, labels.float(), reduction="none"
        )
        return costs.mean(dim=1)

    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        return {self.name: outputs.float().sigmoid()}

    def metrics(self) -> dict[str, torchmetrics.Metric]:
        return {
            f"val_{name}": METRICS[name](num_labels=self.outputs, sync_on_compute=False)
            for name in self.metric_names
        }

    def reduced(self, name: str, value: Tensor, labels: Tensor) -> float:
        """The mean over the classes that some picture has, and for `auroc` some has not."""
        if value.ndim == 0:
            return float(value)
        counts = (labels > 0).sum(dim=0)
        told_apart = counts < (len(labels) if name == "val_auroc" else len(labels) + 1)
        return mean_over(value, (counts > 0) & told_apart)

    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        told, true = self.activate(outputs)[self.name] > THRESHOLD, labels > 0
        found = {}
        for number, name in enumerate(self.classes):
            both = int((told[:, number] & true[:, number]).sum())
            either = int(told[:, number].sum()) + int(true[:, number].sum())
            if n := int(true[:, number].sum()):
                found[name] = {"f1": 2 * both / either, "n": n}
        return {self.name: found}
