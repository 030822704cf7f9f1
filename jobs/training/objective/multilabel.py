"""A target with any number of its classes at once: a sigmoid each, and binary cross-entropy."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torchmetrics
from torch import Tensor
from torch.nn import functional
from torchmetrics import classification

from jobs.training.objective.base import Labels
from jobs.training.objective.of_classes import OfClasses

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


class Multilabel(OfClasses):
    """Labels are (B, K), 1 for each class that the picture has; all of them are known.

    The weight of a class multiplies the loss of the pictures that have it.
    """

    kind: ClassVar[str] = "multilabel"

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

    def counts(self, labels: Tensor) -> Tensor:
        return (labels > 0).sum(dim=0)

    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        told, true = self.activate(outputs)[self.name] > THRESHOLD, labels > 0
        found = {}
        for number, name in enumerate(self.classes):
            both = int((told[:, number] & true[:, number]).sum())
            either = int(told[:, number].sum()) + int(true[:, number].sum())
            if n := int(true[:, number].sum()):
                found[name] = {"f1": 2 * both / either, "n": n}
        return {self.name: found}
