"""A target that is one of several classes: softmax and cross-entropy."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torchmetrics
from torch import Tensor
from torch.nn import functional
from torchmetrics import classification

from jobs.training.objective.base import Labels
from jobs.training.objective.of_classes import OfClasses

METRICS: dict[str, Any] = {
    "acc": partial(classification.MulticlassAccuracy, average="micro"),
    "top5": partial(classification.MulticlassAccuracy, top_k=5, average="micro"),
    "f1": partial(classification.MulticlassF1Score, average="none"),
    "precision": partial(classification.MulticlassPrecision, average="none"),
    "recall": partial(classification.MulticlassRecall, average="none"),
    "auroc": partial(classification.MulticlassAUROC, average="none"),
    "average-precision": partial(classification.MulticlassAveragePrecision, average="none"),
    "kappa": classification.MulticlassCohenKappa,
    "mcc": classification.MulticlassMatthewsCorrCoef,
    "calibration-error": classification.MulticlassCalibrationError,
}


class Classes(OfClasses):
    """Labels are (B,) numbers of classes, -1 where unknown."""

    kind: ClassVar[str] = "class"

    def known(self, labels: Tensor) -> Tensor:
        return labels >= 0

    def costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        # The mean is taken by the number of samples and not, as torch does it, by the sum of their
        # weights: else a class would count more in a batch that has few of the others.
        return functional.cross_entropy(
            outputs,
            labels.clamp(min=0),
            weight=self.weight,
            label_smoothing=self.smoothing,
            reduction="none",
        )

    def plain_costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, labels.clamp(min=0), reduction="none")

    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        return {self.name: outputs.float().softmax(dim=1)}

    def metrics(self) -> dict[str, torchmetrics.Metric]:
        return {
            f"val_{name}": METRICS[name](num_classes=self.outputs, sync_on_compute=False)
            for name in self.metric_names
        }

    def measure(self, outputs: Tensor, labels: Labels) -> dict[str, float]:
        measured = super().measure(outputs, labels)
        known = self.known(labels)
        if "acc" in self.metric_names and known.any():
            # torchmetrics divides in single precision: 5 of 6 would be 0.8333333134651184.
            right = outputs[known].argmax(dim=1) == labels[known]
            measured["val_acc"] = float(right.double().mean())
        return measured

    def counts(self, labels: Tensor) -> Tensor:
        return torch.bincount(labels, minlength=self.outputs)

    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        right = outputs.argmax(dim=1) == labels
        found = {}
        for number, name in enumerate(self.classes):
            of_it = labels == number
            if n := int(of_it.sum()):
                found[name] = {"acc": float(right[of_it].double().mean()), "n": n}
        return {self.name: found}
